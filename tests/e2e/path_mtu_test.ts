/**
 * What the built program makes of lines that carry less than 1500 bytes and lose what is larger:
 *
 *     client [agg0 10.44.43.1] == line1, line2: 20 Mbit/s, 20 ms == [agg0 10.44.43.2] server
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { linesBps, tried } from "../../lab/compare.ts";
import { ERRNO } from "../../lab/libc.ts";
import type { Lab } from "../../lab/namespaces.ts";
import { INNER, Program } from "../../lab/program.ts";
import { eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../../lab/topology.ts";
import { type Flow, freshPort, ping, sendUnfragmented, tcpTransfer } from "../../lab/traffic.ts";

const PLAIN = symmetric(20, 20);
/** DSL with PPPoE. */
const PPPOE = symmetric(20, 20, { mtu: 1492 });
/** IPv4, ICMP. */
const PING_HEADERS = 28;

function flow(net: Topology, to: "client" | "server"): Flow {
  const from = to === "client" ? net.server : net.client;
  return { from, to: net[to], address: INNER[to], port: freshPort() };
}

/** Whether both interfaces get an MTU within two seconds. */
function bothHave(program: Program, mtu: number): Promise<boolean> {
  return eventually(async () => {
    const [client, server] = await Promise.all([
      program.status("client"),
      program.status("server"),
    ]);
    return client?.tunnel.mtu === mtu && server?.tunnel.mtu === mtu;
  }, 10_000);
}

/** A transfer over the tunnel and, just before it, one over the lines by themselves. */
async function compared(
  lab: Lab,
  net: Topology,
  to: "client" | "server",
): Promise<{ bps: number; rawBps: number }> {
  const rawBps = await linesBps(lab, net, to === "client" ? "down" : "up");
  const { bps } = await tcpTransfer(lab, flow(net, to), 5, { warmupSeconds: 2 });
  return { bps, rawBps };
}

programTest("aggvpn up uses two PPPoE lines to their sum, with nothing configured", async (lab) => {
  const net = await buildEmulated(lab, [PPPOE, PPPOE]);
  const program = await Program.start(lab, net);
  assert(await bothHave(program, 1426), "the interfaces follow the lines");
  for (const to of ["client", "server"] as const) {
    const { bps, rawBps } = await tried(
      () => compared(lab, net, to),
      ({ bps, rawBps }) => bps > 0.7 * rawBps,
    );
    const megabits = [bps, rawBps].map((value) => (value / 1e6).toFixed(1));
    assert(bps > 0.7 * rawBps, `${to}: ${megabits[0]} of ${megabits[1]} Mbit/s`);
  }
  const answers = await Promise.all(
    [1426, 1427].map((size) => sendUnfragmented(lab, flow(net, "server"), size - PING_HEADERS)),
  );
  assertEquals(answers, [0, ERRNO.EMSGSIZE]);
  const { stdout } = await program.run("client", "status", program.file("client"));
  assert(stdout.includes("carries 1492 bytes: 1500 were lost"), stdout);
});

programTest(
  "aggvpn up goes on when a line gets narrower in the middle of a transfer",
  async (lab) => {
    const net = await buildEmulated(lab, [PLAIN, PLAIN]);
    const program = await Program.start(lab, net);
    assert(await bothHave(program, 1434));
    const running = tcpTransfer(lab, flow(net, "client"), 8, {});
    await eventually(async () => {
      const { links } = (await program.status("server"))!.tunnel.peers[0]!;
      return links.every(({ sentBytes }) => sentBytes > 1e6);
    }, 10_000);
    await net.emulator!.narrow(1, 1400);
    assert(await bothHave(program, 1334), "both ends notice what the line carries");
    const { bps } = await running;
    assert(bps > 10e6, `${(bps / 1e6).toFixed(1)} Mbit/s`);
    const { links } = (await program.status("server"))!.tunnel.peers[0]!;
    assertEquals(links.map(({ state, mtu }) => [state, mtu]), [["up", 1500], ["up", 1400]]);
    const report = await ping(lab, flow(net, "server"), {
      sizeBytes: 1334 - PING_HEADERS,
      count: 50,
      intervalMs: 10,
    });
    assertEquals(report.received, 50);
  },
);
