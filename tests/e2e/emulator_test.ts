/**
 * The link emulator measured from outside, with the kernel's own TCP and UDP:
 * what the other end-to-end tests and the benches rest on.
 *
 *     client [line1] ===== 50 Mbit/s, 20 ms ===== [line1] server
 *     client [line2] ===== 50 Mbit/s, 20 ms ===== [line2] server
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Lab } from "../lab/namespaces.ts";
import { delay, labTest } from "../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../lab/topology.ts";
import { type Flow, freshPort, ping, runFlood, tcpTransfer, udpStream } from "../lab/traffic.ts";

/** Traffic from the server over line number `index`. */
function down(net: Topology, index: number): Flow {
  const address = net.lines[index]?.client ?? "";
  return { from: net.server, to: net.client, address, port: freshPort() };
}

/** Traffic from the client over line number `index`. */
function up(net: Topology, index: number): Flow {
  const address = net.lines[index]?.server ?? "";
  return { from: net.client, to: net.server, address, port: freshPort() };
}

/**
 * The median round trip nearest to `expectedUs` of up to ten measurements; the first that is
 * within `toleranceUs` ends them. A virtual machine that is not run for a while, or has other
 * work, delays every packet of one measurement: that says nothing of the emulator, and
 * an emulator that is wrong is wrong in all ten.
 */
async function medianRttUs(
  lab: Lab,
  flow: () => Flow,
  expectedUs: number,
  toleranceUs: number,
): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < 10 && Math.abs(best - expectedUs) >= toleranceUs; i++) {
    const { rttUs, received, sent } = await ping(lab, flow(), { count: 100, intervalMs: 3 });
    assertEquals(received, sent);
    if (Math.abs(rttUs.p50 - expectedUs) < Math.abs(best - expectedUs)) best = rttUs.p50;
  }
  return best;
}

labTest("emulator adds the round trip asked for within 0.5 ms, idle", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 60)]);
  for (const [line, expectedUs] of [[0, 20_000], [1, 60_000]] as const) {
    const measuredUs = await medianRttUs(lab, () => up(net, line), expectedUs, 500);
    assert(Math.abs(measuredUs - expectedUs) < 500, `line ${line + 1}: ${measuredUs} us`);
  }
});

/** Bits per second of both ways of both lines while more than that is sent. */
async function saturatedBps(lab: Lab, net: Topology): Promise<number[]> {
  // Datagrams of 1000 bytes are 1028 with their headers; 8000 a second are 66 Mbit/s.
  const packets = [new Uint8Array(1000).toBase64()];
  const floods = [down(net, 0), down(net, 1), up(net, 0), up(net, 1)].map(({ from, address }) =>
    runFlood(lab, from, {
      address,
      port: 9,
      packetsPerSecond: 8000,
      seconds: 3,
      kind: "payload",
      packets,
    })
  );
  await delay(1000);
  const before = await net.emulator?.counters();
  await delay(1500);
  const after = await net.emulator?.counters();
  await Promise.all(floods);
  const elapsedUs = (after?.now ?? 0) - (before?.now ?? 0);
  return (after?.lines ?? []).flatMap((line, i) =>
    (["up", "down"] as const).map((way) => {
      const bytes = line[way].outBytes - (before?.lines[i]?.[way].outBytes ?? 0);
      return bytes * 8e6 / elapsedUs;
    })
  );
}

labTest("emulator carries its rate within 2 % on two lines in both directions", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 20), symmetric(50, 20)]);
  let rates: number[] = [];
  // A host that does not run this machine for a while empties the queues: once more, then.
  for (let i = 0; i < 3; i++) {
    rates = await saturatedBps(lab, net);
    if (rates.every((bps) => Math.abs(bps / 50e6 - 1) < 0.02)) return;
  }
  throw new Error(`${rates.map((bps) => (bps / 1e6).toFixed(2))} Mbit/s`);
});

labTest("emulator lets one TCP flow use the line and cubic is what sends", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 20)]);
  const result = await tcpTransfer(lab, down(net, 0), 3, { warmupSeconds: 1 });
  assertEquals(result.congestionControl, "cubic");
  // 1448 of 1500 bytes are payload.
  assert(Math.abs(result.bps / (50e6 * 1448 / 1500) - 1) < 0.03, `${result.bps}`);
});

labTest("emulator loses at random what it was asked to", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 4, { loss: 0.05 })]);
  const report = await udpStream(lab, up(net, 0), {
    packetsPerSecond: 4000,
    sizeBytes: 100,
    seconds: 2,
  });
  const lost = report.sent - report.received;
  // 400 expected, standard deviation 19.5.
  assert(Math.abs(lost - 400) < 100, `${lost} of ${report.sent}`);
  assertEquals(report.reordered, 0);
});

labTest("emulator cuts and restores a line, and steps its rate, while it runs", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 10)]);
  const { emulator } = net;
  assert(emulator);
  const stream = udpStream(lab, down(net, 0), {
    packetsPerSecond: 200,
    sizeBytes: 100,
    seconds: 2.5,
  });
  await delay(1000);
  await emulator.cut(0, true);
  await delay(500);
  await emulator.cut(0, false);
  const { longestGapUs } = await stream;
  assert(longestGapUs > 450_000 && longestGapUs < 600_000, `${longestGapUs} us`);

  await emulator.set(0, { down: { rateBps: 10e6 } });
  const result = await tcpTransfer(lab, down(net, 0), 2, { warmupSeconds: 0.5 });
  assert(Math.abs(result.bps / (10e6 * 1448 / 1500) - 1) < 0.05, `${result.bps}`);
});

labTest("emulator carries 350 Mbit/s in all", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(300, 8), symmetric(50, 20)]);
  const [first, second] = await Promise.all(
    [0, 1].map((line) => tcpTransfer(lab, down(net, line), 4, { warmupSeconds: 2 })),
  );
  const total = (first?.bps ?? 0) + (second?.bps ?? 0);
  assert(total > 0.93 * 350e6, `${(total / 1e6).toFixed(1)} Mbit/s`);
  const counters = await net.emulator?.counters();
  assertEquals(counters?.lines.map((line) => line.down.overrun), [0, 0]);
});
