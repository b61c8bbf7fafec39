/**
 * The link emulator, on which the other end-to-end tests and the benches rely, measured from
 * outside with the kernel's own TCP and UDP.
 *
 *     client [line1] ===== 50 Mbit/s, 20 ms ===== [line1] server
 *     client [line2] ===== 50 Mbit/s, 20 ms ===== [line2] server
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { rawFlow, tried } from "../../lab/compare.ts";
import type { Lab } from "../../lab/namespaces.ts";
import { delay, labTest } from "../../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../../lab/topology.ts";
import {
  type Flow,
  ping,
  runFlood,
  type TcpResult,
  tcpTransfer,
  udpStream,
} from "../../lab/traffic.ts";

/** Traffic from the server over line number `index`. */
function down(net: Topology, index: number): Flow {
  return rawFlow(net, index, "down");
}

/** Traffic from the client over line number `index`. */
function up(net: Topology, index: number): Flow {
  return rawFlow(net, index, "up");
}

/**
 * The median round trip nearest to `expectedUs` of up to ten measurements; the first that is
 * within `toleranceUs` ends them. A virtual machine that is not run for a while, or has other work,
 * delays every packet of one measurement: that says nothing about the emulator, while a faulty
 * emulator is wrong in all ten.
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

/** Whether a TCP goodput is that of a line of `lineBps`, within a part of it. */
function isPayloadOf(bps: number, lineBps: number, tolerance: number): boolean {
  // 1448 of 1500 bytes are payload.
  return Math.abs(bps / (lineBps * 1448 / 1500) - 1) < tolerance;
}

/** One TCP transfer over line 1, tried again when it is not what the line should carry. */
function tcpAt(lab: Lab, net: Topology, lineBps: number, tolerance: number): Promise<TcpResult> {
  return tried(
    () => tcpTransfer(lab, down(net, 0), 3, { warmupSeconds: 1 }),
    ({ bps }) => isPayloadOf(bps, lineBps, tolerance),
  );
}

/** Bits per second in both directions of both lines while more than that is sent. */
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
  const isRight = (bps: number): boolean => Math.abs(bps / 50e6 - 1) < 0.02;
  // A host that does not run this machine for a while empties the queues.
  const rates = await tried(() => saturatedBps(lab, net), (rates) => rates.every(isRight));
  assert(rates.every(isRight), `${rates.map((bps) => (bps / 1e6).toFixed(2))} Mbit/s`);
});

labTest("emulator lets one TCP flow use the line and cubic is what sends", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 20)]);
  const { bps, congestionControl } = await tcpAt(lab, net, 50e6, 0.03);
  assertEquals(congestionControl, "cubic");
  assert(isPayloadOf(bps, 50e6, 0.03), `${bps}`);
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
  const { longestGapUs, cutUs } = await tried(async () => {
    const stream = udpStream(lab, down(net, 0), {
      packetsPerSecond: 200,
      sizeBytes: 100,
      seconds: 2.5,
    });
    await delay(1000);
    await emulator.cut(0, true);
    const from = performance.now();
    await delay(500);
    const cutUs = (performance.now() - from) * 1000;
    await emulator.cut(0, false);
    return { longestGapUs: (await stream).longestGapUs, cutUs };
  }, ({ longestGapUs, cutUs }) => Math.abs(longestGapUs - cutUs) < 100_000);
  assert(Math.abs(longestGapUs - cutUs) < 100_000, `${longestGapUs} us, cut for ${cutUs} us`);

  await emulator.set(0, { down: { rateBps: 10e6 } });
  const { bps } = await tcpAt(lab, net, 10e6, 0.05);
  assert(isPayloadOf(bps, 10e6, 0.05), `${bps}`);
});

/** Answers to `count` datagrams that are IP packets of `bytes` bytes. */
async function echoed(lab: Lab, flow: Flow, bytes: number, count = 5): Promise<number> {
  const headers = flow.address.includes(":") ? 48 : 28;
  return (await ping(lab, flow, { count, sizeBytes: bytes - headers })).received;
}

labTest(
  "emulator silently drops what is above its MTU, by direction, and counts it",
  async (lab) => {
    const wide = symmetric(50, 4);
    const net = await buildEmulated(lab, [{ up: { ...wide.up, mtu: 1492 }, down: wide.down }]);
    const { emulator } = net;
    assert(emulator);
    const dropped = async (): Promise<number[]> => {
      const [line] = (await emulator.counters()).lines;
      return [line!.up.tooBig, line!.down.tooBig, line!.up.answered + line!.down.answered];
    };
    assertEquals([await echoed(lab, up(net, 0), 1492), await echoed(lab, up(net, 0), 1493)], [
      5,
      0,
    ]);
    assertEquals(await dropped(), [5, 0, 0]);
    await emulator.narrow(0, 1280);
    assertEquals(await echoed(lab, down(net, 0), 1281), 0);
    assertEquals(await dropped(), [5, 5, 0]);
    await emulator.narrow(0, 0);
    assertEquals(await echoed(lab, up(net, 0), 1500), 5);
  },
);

labTest("emulator tells a sender by ICMP what passes, and its TCP follows", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(50, 4, { mtu: 1400 })]);
  const [client, server] = ["2001:db8:1::2", "2001:db8:1::1"];
  await lab.ip(net.client, `addr add ${client}/64 dev line1 nodad`);
  await lab.ip(net.server, `addr add ${server}/64 dev line1 nodad`);
  await net.emulator?.narrow(0, 1400, true);
  for (const flow of [up(net, 0), { ...up(net, 0), address: server }]) {
    await echoed(lab, flow, 1401, 1);
    const family = flow.address === server ? "-6" : "-4";
    const { stdout } = await lab.attempt(net.client, ["ip", family, "route", "get", flow.address]);
    assert(stdout.includes("mtu 1400"), stdout);
  }
  const { bps } = await tried(
    () => tcpTransfer(lab, down(net, 0), 2, { warmupSeconds: 1 }),
    ({ bps }) => bps > 0.9 * 50e6,
  );
  assert(bps > 0.9 * 50e6, `${bps}`);
});

labTest("emulator carries 350 Mbit/s in all", async (lab) => {
  const net = await buildEmulated(lab, [symmetric(300, 8), symmetric(50, 20)]);
  const bps = await tried(async () => {
    const transfers = [0, 1].map((line) =>
      tcpTransfer(lab, down(net, line), 4, { warmupSeconds: 2 })
    );
    return (await Promise.all(transfers)).reduce((sum, { bps }) => sum + bps, 0);
  }, (bps) => bps > 0.93 * 350e6);
  assert(bps > 0.93 * 350e6, `${(bps / 1e6).toFixed(1)} Mbit/s`);
  const counters = await net.emulator?.counters();
  assertEquals(counters?.lines.map((line) => line.down.overrun), [0, 0]);
});
