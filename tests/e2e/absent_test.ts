/**
 * What is not there when `aggvpn up` starts, and comes later: interfaces, addresses, names; and a
 * server that moves to another address.
 *
 *     client [aggvpn] == line1: cable ====================== [aggvpn] server 203.0.113.1
 *                     == line2: cable, under another name ==          then 203.0.113.9
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Lab } from "../../lab/namespaces.ts";
import { FIRST_PORT, INNER, Program } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildVeth, SERVER_ADDRESS, type Topology } from "../../lab/topology.ts";
import { freshPort, ping } from "../../lab/traffic.ts";

const MOVED = "203.0.113.9";
const SIX = "2001:db8::1";
const NAME = "vpn.example.net";
/** Enough time for what takes some seconds on an idle host: addresses are tried in turn. */
const PATIENCE_MS = 30_000;
/** ... and for a server to be found that has moved: names are looked up every 30 s at most. */
const MOVE_PATIENCE_MS = 60_000;

/** Takes an interface of the client away, with its address and routes. */
async function unplug(lab: Lab, net: Topology, line: number): Promise<void> {
  const name = net.lines[line]!.interface;
  await lab.ip(net.client, `link set ${name} down`, `link set ${name} name away${line}`);
}

/** Brings it back. */
async function plugIn(lab: Lab, net: Topology, line: number): Promise<void> {
  const { interface: name, server } = net.lines[line]!;
  await lab.ip(
    net.client,
    `link set away${line} name ${name}`,
    `link set ${name} up`,
    `route add ${SERVER_ADDRESS} via ${server} dev ${name} metric ${100 + line}`,
  );
}

/** Replaces parts of a side's configuration. */
async function edit(
  program: Program,
  side: "client" | "server",
  ...changes: readonly (readonly [string, string])[]
): Promise<void> {
  let text = await Deno.readTextFile(program.file(side));
  for (const [from, to] of changes) {
    assert(text.includes(from), from);
    text = text.replace(from, to);
  }
  await program.write(side, text);
}

async function reasonsOf(program: Program): Promise<Record<string, string>> {
  const links = (await program.status("client"))?.tunnel.peers[0]?.links ?? [];
  return Object.fromEntries(links.map(({ name, reason }) => [name, reason]));
}

/** Waits for links of the client to be up; returns how long that took. */
async function upAfter(
  program: Program,
  links: readonly string[],
  patienceMs = PATIENCE_MS,
): Promise<number> {
  const start = performance.now();
  const isUp = await eventually(
    async () => `${await program.linksUp("client")}` === `${links}`,
    patienceMs,
  );
  const said = program.child("client").stderr.join("\n");
  assert(isUp, `${JSON.stringify(await reasonsOf(program))}\n${said}`);
  return performance.now() - start;
}

/** Waits until the client's log says something: that is written when its reader has the time. */
async function told(program: Program, text: string): Promise<void> {
  const child = program.child("client");
  assert(await child.says(text, PATIENCE_MS), child.stderr.join("\n"));
}

async function carries(lab: Lab, net: Topology): Promise<void> {
  const way = { from: net.client, to: net.server, address: INNER.server, port: freshPort() };
  assertEquals((await ping(lab, way, { count: 10, intervalMs: 20 })).received, 10);
}

/** A resolver that knows what a test writes, for programs that are started in the client's namespace. */
async function makeNames(lab: Lab, net: Topology): Promise<(text: string) => void> {
  const directory = `/etc/netns/${net.client}`;
  await Deno.mkdir(directory, { recursive: true });
  lab.onClose(() => Deno.remove(directory, { recursive: true }));
  const file = `${directory}/hosts`;
  Deno.writeTextFileSync(file, "127.0.0.1 localhost\n");
  Deno.writeTextFileSync(`${directory}/resolv.conf`, "nameserver 127.0.0.1\n");
  // In place: the file is mounted over /etc/hosts.
  return (text) => Deno.writeTextFileSync(file, `127.0.0.1 localhost\n${text}\n`);
}

programTest("aggvpn up starts without an interface and uses it once it is there", async (lab) => {
  const net = await buildVeth(lab, 2);
  const program = await Program.prepare(lab, net);
  await unplug(lab, net, 1);
  await Promise.all([program.up("server"), program.up("client")]);
  await upAfter(program, ["line1"]);
  await carries(lab, net);
  const missing = 'Cannot bind to interface "line2": No such device';
  assertEquals((await reasonsOf(program)).line2, `waits for its socket: ${missing}`);
  await told(program, `Link line2 waits for its socket: ${missing}`);
  await plugIn(lab, net, 1);
  await lab.ip(net.client, "addr replace 198.51.100.6/30 dev line2");
  const ms = await upAfter(program, ["line1", "line2"]);
  assert(ms < 5000, `it took ${ms} ms`);
});

programTest("aggvpn up waits when no link is there at the start", async (lab) => {
  const net = await buildVeth(lab, 2);
  const program = await Program.prepare(lab, net);
  await Promise.all([0, 1].map((line) => unplug(lab, net, line)));
  await Promise.all([program.up("server"), program.up("client")]);
  await told(program, "No link can be used yet");
  await plugIn(lab, net, 1);
  await upAfter(program, ["line2"]);
  await carries(lab, net);
  await plugIn(lab, net, 0);
  await upAfter(program, ["line1", "line2"]);
  assertEquals((await program.down("client")).code, 0);
});

programTest(
  "aggvpn up finds a server whose name is known later, and again when it has moved",
  async (lab) => {
    const net = await buildVeth(lab, 2);
    const program = await Program.prepare(lab, net);
    const setNames = await makeNames(lab, net);
    const listen = (address: string): string[] =>
      [0, 1].map((i) => `"${address}:${FIRST_PORT + i}"`);
    await edit(program, "server", [
      `listen = [${listen(SERVER_ADDRESS).join(", ")}]`,
      `listen = [${[...listen(SERVER_ADDRESS), ...listen(MOVED)].join(", ")}]`,
    ]);
    await edit(program, "client", [`"${SERVER_ADDRESS}"`, `"${NAME}"`]);
    await Promise.all([program.up("server"), program.up("client")]);
    const reasons = await reasonsOf(program);
    assertEquals(reasons.line1, `waits for its server: Cannot resolve "${NAME}"`);
    await told(program, "No link can be used yet");
    setNames(`${SERVER_ADDRESS} ${NAME}`);
    await upAfter(program, ["line1", "line2"]);
    await carries(lab, net);

    // The server listens there too already: it waits for the address.
    await lab.ip(net.server, `addr add ${MOVED}/32 dev lo`, `addr del ${SERVER_ADDRESS}/32 dev lo`);
    await lab.ip(
      net.client,
      ...net.lines.map(({ interface: name, server }, i) =>
        `route add ${MOVED} via ${server} dev ${name} metric ${100 + i}`
      ),
    );
    setNames(`${MOVED} ${NAME}`);
    assert(
      await eventually(async () => (await program.linksUp("client")).length === 0, PATIENCE_MS),
    );
    await upAfter(program, ["line1", "line2"], MOVE_PATIENCE_MS);
    await carries(lab, net);
    await told(program, `goes to ${MOVED}:${FIRST_PORT}: ${NAME} has moved`);
    const [peer] = (await program.status("client"))!.tunnel.peers;
    assertEquals(peer!.links.map(({ remote }) => remote), [
      `${MOVED}:${FIRST_PORT}`,
      `${MOVED}:${FIRST_PORT + 1}`,
    ]);
    const said = program.child("client").stderr.join("\n");
    assert(!/Session with server is down/.test(said), "the session went on");
  },
);

programTest("aggvpn up tries all addresses of a name, of both families", async (lab) => {
  const net = await buildVeth(lab, 1);
  const program = await Program.prepare(lab, net);
  const setNames = await makeNames(lab, net);
  await lab.ip(net.server, "addr add 2001:db8:1::1/64 dev line1", `addr add ${SIX}/128 dev lo`);
  await lab.ip(
    net.client,
    "addr add 2001:db8:1::2/64 dev line1",
    `route add ${SIX} via 2001:db8:1::1 dev line1`,
  );
  setNames([MOVED, "203.0.113.10", SIX].map((address) => `${address} ${NAME}`).join("\n"));
  const listen = `"${SERVER_ADDRESS}:${FIRST_PORT}"`;
  await edit(program, "server", [listen, `${listen}, "[${SIX}]:${FIRST_PORT}"`]);
  await edit(program, "client", [`"${SERVER_ADDRESS}"`, `"${NAME}"`], [
    `bind = "${net.lines[0]!.client}"`,
    "",
  ]);
  // An address is tried for ten seconds: the server has to be there when its turn comes.
  await program.up("server");
  await program.up("client");
  await upAfter(program, ["line1"]);
  await carries(lab, net);
  const { daemon, tunnel } = (await program.status("client"))!;
  assertEquals(tunnel.peers[0]!.links[0]!.remote, `[${SIX}]:${FIRST_PORT}`);
  assert(daemon.sockets[0]!.local.startsWith("["), "the socket is of the other family");
});
