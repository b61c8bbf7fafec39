/**
 * What the built program carries, over two lines:
 *
 *     client [agg0 10.44.43.1] == line1, line2: 50 Mbit/s, 20 ms == [agg0 10.44.43.2] server
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { lineRttUs, linesBps, tried } from "../../lab/compare.ts";
import { ERRNO } from "../../lab/libc.ts";
import type { Lab } from "../../lab/namespaces.ts";
import { INNER, Program } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../../lab/topology.ts";
import { type Flow, freshPort, ping, sendUnfragmented, tcpTransfer } from "../../lab/traffic.ts";
import type { StatusDocument } from "../../src/control/protocol.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];
const KNOWN = [{ up: 50, down: 50 }, { up: 50, down: 50 }];

function flow(net: Topology, to: "client" | "server", address: string = INNER[to]): Flow {
  const from = to === "client" ? net.server : net.client;
  return { from, to: net[to], address, port: freshPort() };
}

programTest("aggvpn up lets one TCP flow use both links, down, up and over IPv6", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  await Program.start(lab, net, { rates: KNOWN });
  const cases = [["client", INNER.client], ["server", INNER.server], ["client", INNER.client6]];
  for (const [to, address] of cases as ["client" | "server", string][]) {
    const { bps, rawBps, bytes } = await tried(
      () => transferOverBoth(lab, net, flow(net, to, address)),
      ({ bps, rawBps }) => bps > 0.7 * rawBps,
    );
    const megabits = [bps, rawBps].map((value) => (value / 1e6).toFixed(1));
    assert(bps > 0.7 * rawBps, `${address}: ${megabits[0]} of ${megabits[1]} Mbit/s`);
    const total = bytes.reduce((sum, value) => sum + value, 0);
    assert(bytes.every((value) => value > 0.3 * total), `${address}: ${bytes}`);
  }
});

/** A transfer over the tunnel: its rate, that of the lines before it, what each line carried. */
async function transferOverBoth(
  lab: Lab,
  net: Topology,
  over: Flow,
): Promise<{ bps: number; rawBps: number; bytes: readonly number[] }> {
  const way = over.to === net.client ? "down" : "up";
  const rawBps = await linesBps(lab, net, way);
  const before = await net.emulator!.counters();
  const { bps } = await tcpTransfer(lab, over, 5, { warmupSeconds: 2 });
  const after = await net.emulator!.counters();
  const bytes = after.lines.map((line, i) => line[way].outBytes - before.lines[i]![way].outBytes);
  return { bps, rawBps, bytes };
}

programTest("aggvpn up carries packets of every size up to its MTU", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net);
  const mtu = (await program.status("client"))?.tunnel.mtu ?? 0;
  assert(mtu >= 1400, `mtu ${mtu}`);
  const headers = 28;
  // The last one is larger than a packet: the kernel makes fragments of it.
  for (const size of [16, 1400 - headers, mtu - headers, 3 * mtu]) {
    const report = await ping(lab, flow(net, "server"), {
      sizeBytes: size,
      count: 20,
      intervalMs: 10,
    });
    assertEquals(report.received, 20, `payload of ${size} bytes`);
  }
  const answers = await Promise.all(
    [mtu - headers, mtu - headers + 1].map((size) =>
      sendUnfragmented(lab, flow(net, "server"), size)
    ),
  );
  assertEquals(answers, [0, ERRNO.EMSGSIZE]);
});

programTest("aggvpn up carries IPv6 between its addresses", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  await Program.start(lab, net);
  const { report, rawUs } = await tried(async () => {
    const rawUs = await lineRttUs(lab, net, 0);
    const report = await ping(lab, flow(net, "server", INNER.server6), { count: 30 });
    return { report, rawUs };
  }, ({ report, rawUs }) => report.received === 30 && report.rttUs.p50 < 1.5 * rawUs);
  assertEquals(report.received, 30);
  assert(report.rttUs.p50 < 1.5 * rawUs, `${report.rttUs.p50} us, the line ${rawUs} us`);
});

programTest("aggvpn status shows the links of a running tunnel", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net);
  await ping(lab, flow(net, "server"), { count: 20 });
  for (const side of ["client", "server"] as const) {
    const text = await program.run(side, "status", program.file(side));
    assertEquals(text.code, 0, text.stderr);
    for (const name of await program.linksUp(side)) assert(text.stdout.includes(name), text.stdout);
    const json = await program.run(side, "status", program.file(side), "--json");
    const document = JSON.parse(json.stdout) as StatusDocument;
    assertEquals(document.version, 1);
    const links = document.tunnel.peers.flatMap((peer) => peer.links);
    assertEquals(links.map((link) => link.state), ["up", "up"]);
    // The first round trips of a process that has just started are longer.
    const settled = await eventually(async () => {
      const now = (await program.status(side))?.tunnel.peers.flatMap((peer) => peer.links) ?? [];
      const rawUs = await lineRttUs(lab, net, 0);
      return now.length === 2 && now.every(({ srttUs }) => srttUs > 18_000 && srttUs < 1.5 * rawUs);
    }, 20_000);
    assert(settled, JSON.stringify((await program.status(side))?.tunnel.peers));
  }
});
