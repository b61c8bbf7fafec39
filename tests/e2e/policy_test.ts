/**
 * What users decide about links, by rules and quotas, with the built program over two lines:
 *
 *     client [agg0 10.44.43.1] == line1, line2: 50 Mbit/s, 20 ms == [agg0 10.44.43.2] server
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { INNER, Program, type Side } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../../lab/topology.ts";
import { type Flow, freshPort, tcpTransfer, udpStream } from "../../lab/traffic.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];
const STREAM = { packetsPerSecond: 200, sizeBytes: 400, seconds: 2 };

function down(net: Topology, port: number): Flow {
  return { from: net.server, to: net.client, address: INNER.client, port };
}

/** Bytes that each line has carried down while `run` went on. */
async function carried(net: Topology, run: () => Promise<unknown>): Promise<number[]> {
  const before = await net.emulator!.counters();
  await run();
  const after = await net.emulator!.counters();
  return after.lines.map((line, i) => line.down.outBytes - before.lines[i]!.down.outBytes);
}

programTest(
  "aggvpn up obeys rules: pinned packets stay on their link, calls leave on both",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const [pinned, twice] = [freshPort(), freshPort()];
    const rules = `
[[rule]]
protocol = "udp"
ports = [${pinned}]
links = "${net.lines[1]!.interface}"

[[rule]]
protocol = "udp"
ports = [${twice}]
duplicate = "all"
`;
    const program = await Program.start(lab, net, { tunnel: { server: rules } });
    const [other, own] = await carried(net, async () => {
      const stream = await udpStream(lab, down(net, pinned), STREAM);
      assertEquals(stream.received, stream.sent);
    });
    assert(own! > 160_000 && other! < 0.3 * own!, `${other} ${own}`);

    const [one, two] = await carried(net, async () => {
      const stream = await udpStream(lab, down(net, twice), STREAM);
      assertEquals(stream.received, stream.sent);
    });
    assert(one! > 160_000 && two! > 160_000, `${one} ${two}`);
    const peer = (await program.status("server"))!.tunnel.peers[0]!;
    assert(peer.duplicatedPackets >= 0.9 * STREAM.packetsPerSecond * STREAM.seconds);

    await net.emulator!.set(1, { up: { blackhole: true }, down: { blackhole: true } });
    const isDown = await eventually(async () => {
      const { links } = (await program.status("server"))!.tunnel.peers[0]!;
      return links[1]!.state === "down";
    }, 20_000);
    assert(isDown, "the link was cut");
    const lost = await udpStream(lab, down(net, pinned), STREAM);
    assertEquals(lost.received, 0);
    const { drops } = (await program.status("server"))!.tunnel;
    assert(drops["no-link"]! >= lost.sent, JSON.stringify(drops));
  },
);

programTest(
  "aggvpn up makes a link a backup at both ends when its quota is used up",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const name = `quota-test-${Deno.pid}`;
    // The client writes them when it ends.
    for (const kept of [`${name}.quota.json`, `${name}.clock`]) {
      lab.onClose(() => Deno.remove(`/var/lib/aggvpn/${kept}`).catch(() => {}));
    }
    const program = await Program.start(lab, net, {
      top: { client: `name = "${name}"` },
      link: ['quota = "5 MB"\nmetered = false', ""],
    });
    await tcpTransfer(lab, down(net, freshPort()), 3, {});
    const tiers = (): Promise<string[]> =>
      Promise.all((["client", "server"] as Side[]).map(async (side) => {
        const { links } = (await program.status(side))!.tunnel.peers[0]!;
        return links[0]!.tier;
      }));
    const settled = (): Promise<boolean> =>
      eventually(async () => (await tiers()).every((tier) => tier === "last"), 20_000);
    assert(await settled(), `${await tiers()}`);
    const { stdout } = await program.run("client", "status", program.file("client"));
    assert(/quota of 5 MB is used up: last of all until/.test(stdout), stdout);
    const [first, second] = await carried(
      net,
      () => tcpTransfer(lab, down(net, freshPort()), 3, {}),
    );
    assert(first! < 0.05 * second!, `${first} ${second}`);
    await program.child("client").stop();
    await program.up("client");
    await program.connected();
    assert(await settled(), `after a restart: ${await tiers()}`);
  },
);

/** Bytes that lines carried, relative to the one that carried most. */
function shares(bytes: readonly number[]): number[] {
  const most = Math.max(...bytes);
  return bytes.map((count) => count / most);
}

programTest(
  "aggvpn up with schedule = steady keeps a flow on one line, two flows on two",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const program = await Program.start(lab, net, {
      tunnel: { server: 'schedule = "steady"\n' },
    });
    const alone = shares(
      await carried(net, async () => {
        const stream = await udpStream(lab, down(net, freshPort()), STREAM);
        assertEquals(stream.received, stream.sent);
      }),
    );
    assert(Math.min(...alone) < 0.3, `a stream used both lines: ${alone}`);
    const { heldPackets } = (await program.status("client"))!.tunnel.peers[0]!;
    assertEquals(heldPackets, 0, "something had to be put in order");
    const both = shares(
      await carried(net, () =>
        Promise.all(
          [1, 2].map(() => tcpTransfer(lab, down(net, freshPort()), 5, {})),
        )),
    );
    assert(Math.min(...both) > 0.5, `two transfers did not share the lines: ${both}`);
  },
);

programTest(
  "aggvpn up with schedule = redundant loses nothing when a line is cut",
  async (lab) => {
    const net = await buildEmulated(lab, LINES);
    const program = await Program.start(lab, net, {
      tunnel: { server: 'schedule = "redundant"\n' },
    });
    const both = shares(
      await carried(net, async () => {
        const stream = await udpStream(lab, down(net, freshPort()), STREAM);
        assertEquals(stream.received, stream.sent);
      }),
    );
    assert(Math.min(...both) > 0.7, `not everything left on both lines: ${both}`);
    const running = udpStream(lab, down(net, freshPort()), STREAM);
    await net.emulator!.set(0, { up: { blackhole: true }, down: { blackhole: true } });
    const stream = await running;
    assertEquals(stream.received, stream.sent, "packets were lost with the line");
    const peer = (await program.status("server"))!.tunnel.peers[0]!;
    assert(peer.duplicatedPackets >= STREAM.packetsPerSecond, `${peer.duplicatedPackets}`);
  },
);
