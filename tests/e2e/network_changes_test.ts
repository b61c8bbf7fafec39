/**
 * Changes of the network at a client of two links: how soon the tunnel knows.
 *
 *     client [agg0 10.44.43.1] == line1: 50 Mbit/s, 20 ms, changed at the client == [agg0] server
 *                              == line2: 50 Mbit/s, 20 ms, left alone =============
 *
 * Times are compared with those of `ip monitor`, which hears of the same changes on the same host.
 * Without hearing of them the same program was measured to find out after 0.1 s where the link was
 * loaded and after 1 s where it was idle, and to use an interface that was made again after 2.7 s;
 * here it is 0 to 20 ms, and 5 to 90 ms.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import type { Child } from "../../lab/process.ts";
import { INNER, Program } from "../../lab/program.ts";
import { delay, programTest } from "../../lab/require.ts";
import {
  buildEmulated,
  buildVeth,
  SERVER_ADDRESS,
  symmetric,
  type Topology,
} from "../../lab/topology.ts";
import { freshPort, udpStream } from "../../lab/traffic.ts";

const LINE = "line1";
const ADDRESS = "198.51.100.2";
const PEER = "198.51.100.1";
const ROUTE = `${SERVER_ADDRESS} via ${PEER} dev ${LINE} metric 100`;
/** Until the log says that the link is down, and that it is up again; milliseconds. */
const LOST_MS = 100;
const BACK_MS = 300;
/** What may be in flight on the way to a report. */
const IN_FLIGHT_MS = 30;
const LINES = [symmetric(50, 20), symmetric(50, 20)];
const STREAM = { packetsPerSecond: 1000, sizeBytes: 200, seconds: 4 };
const PATIENCE_MS = 15_000;

/** What happens to line 1, and what the client says about it. */
interface Change {
  readonly title: string;
  readonly lose: (lab: Lab, net: Topology) => Promise<unknown>;
  readonly restore: (lab: Lab, net: Topology) => Promise<unknown>;
  readonly reason: string;
  /** Whether the lines are bare cables: the emulator's cannot be deleted, and need no routes. */
  readonly isCable?: boolean;
  /** Whether nothing is sent through the tunnel. */
  readonly isIdle?: boolean;
}

const CHANGES: readonly Change[] = [
  {
    title: "whose carrier is lost",
    lose: (lab, { client }) => lab.ip(client, `link set dev ${LINE} carrier off`),
    restore: (lab, { client }) => lab.ip(client, `link set dev ${LINE} carrier on`),
    reason: `${LINE} has no carrier`,
  },
  {
    title: "that carries nothing when its carrier is lost",
    lose: (lab, { client }) => lab.ip(client, `link set dev ${LINE} carrier off`),
    restore: (lab, { client }) => lab.ip(client, `link set dev ${LINE} carrier on`),
    reason: `${LINE} has no carrier`,
    isIdle: true,
  },
  {
    title: "whose address is removed",
    lose: (lab, { client }) => lab.ip(client, `addr del ${ADDRESS}/30 dev ${LINE}`),
    restore: (lab, { client }) =>
      lab.ip(client, `addr add ${ADDRESS}/30 dev ${LINE}`, `route add ${ROUTE}`),
    reason: `no interface has ${ADDRESS}`,
  },
  {
    title: "whose route is lost",
    lose: (lab, { client }) => lab.ip(client, `route del ${ROUTE}`),
    restore: (lab, { client }) => lab.ip(client, `route add ${ROUTE}`),
    reason: `no route to ${SERVER_ADDRESS}`,
    isCable: true,
  },
  {
    title: "whose interface is deleted and made again",
    lose: (lab, { client }) => lab.ip(client, `link del dev ${LINE}`),
    restore: async (lab, { client, server }) => {
      await lab.ip(client, `link add ${LINE} type veth peer name ${LINE} netns ${server}`);
      await lab.ip(server, `addr add ${PEER}/30 dev ${LINE}`, `link set dev ${LINE} up`);
      await lab.ip(
        client,
        `addr add ${ADDRESS}/30 dev ${LINE}`,
        `link set dev ${LINE} up`,
        `route add ${ROUTE}`,
      );
    },
    reason: `${LINE} does not exist`,
    isCable: true,
  },
];

for (const { title, lose, restore, reason, isCable, isIdle } of CHANGES) {
  programTest(`aggvpn up leaves a link ${title} at once, and uses it again`, async (lab) => {
    const net = isCable ? await buildVeth(lab, 2) : await buildEmulated(lab, LINES);
    await answerOwnAddressesOnly(lab, net);
    const program = await Program.start(lab, net);
    const client = program.child("client");
    const monitor = lab.spawn(net.client, ["ip", "monitor", "link", "address", "route"]);
    const to = { from: net.client, to: net.server, address: INNER.server, port: freshPort() };
    const stream = isIdle ? { sent: 0, received: 0 } : udpStream(lab, to, STREAM);
    await delay(1500);

    const lost = await timeOf(client, monitor, / is (down|suspect): /, () => lose(lab, net));
    await delay(500);
    const links = (await program.status("client"))!.tunnel.peers[0]!.links;
    const link = links.find(({ name }) => name === LINE)!;
    const back = await timeOf(client, monitor, / is up/, () => restore(lab, net));
    const { sent, received } = await stream;
    await monitor.stop("SIGKILL");

    const figures = `lost ${lost.ms} ms, back ${back.ms} ms, ${sent - received} packets missing`;
    assertEquals([link.state, link.reason], ["down", reason]);
    assert(lost.ms < LOST_MS, figures);
    assert(back.ms < BACK_MS, figures);
    assert(sent - received <= IN_FLIGHT_MS * STREAM.packetsPerSecond / 1000, figures);
  });
}

/**
 * Without a route a socket that is bound to an interface asks for the server's address there, and
 * Linux would answer on any interface.
 */
async function answerOwnAddressesOnly(lab: Lab, { server }: Topology): Promise<void> {
  const write = "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore";
  const { code, stderr } = await lab.attempt(server, ["sh", "-c", write]);
  assertEquals(code, 0, stderr);
}

/**
 * Milliseconds from the end of `change`, or from when `monitor` hears of it if that is later, until
 * the client says of line 1 what matches.
 */
async function timeOf(
  client: Child,
  monitor: Child,
  what: RegExp,
  change: () => Promise<unknown>,
): Promise<{ ms: number; line: string }> {
  const [said, heard] = [client.stderr.length, monitor.stdout.length];
  const found = (): string | undefined =>
    client.stderr.slice(said).find((line) => line.includes(`Link ${LINE} `) && what.test(line));
  const saidAt = instantOf(
    () => found() !== undefined,
    () => `${what} in ${client.stderr.join("\n")}`,
  );
  const heardAt = instantOf(() => monitor.stdout.length > heard, () => "ip monitor hears");
  await change();
  const doneAt = performance.now();
  const ms = await saidAt - Math.max(doneAt, await heardAt);
  return { ms: Math.max(0, Math.round(ms)), line: found() ?? "" };
}

/** When `happened` becomes true, of what children say. */
async function instantOf(happened: () => boolean, what: () => string): Promise<number> {
  const end = performance.now() + PATIENCE_MS;
  while (!happened()) {
    assert(performance.now() < end, `it did not happen: ${what()}`);
    await delay(2);
  }
  return performance.now();
}
