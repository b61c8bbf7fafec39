/**
 * The death and return of a line, and of either end of the tunnel.
 *
 *     client [aggvpn] == line1: 50 Mbit/s, 20 ms ======== [aggvpn] server
 *                     == line2: 50 Mbit/s, 20 ms, cut ===
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { rawFlow } from "../../lab/compare.ts";
import { INNER, Program, type Side } from "../../lab/program.ts";
import { delay, eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, symmetric, type Topology } from "../../lab/topology.ts";
import { freshPort, ping, tcpTransfer, udpStream } from "../../lab/traffic.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];
const KNOWN = [{ up: 50, down: 50 }, { up: 50, down: 50 }];

function down(net: Topology): Parameters<typeof ping>[1] {
  return { from: net.server, to: net.client, address: INNER.client, port: freshPort() };
}

function up(net: Topology): Parameters<typeof ping>[1] {
  return { from: net.client, to: net.server, address: INNER.server, port: freshPort() };
}

/** Enough time for what takes a second or two on an idle host. */
const PATIENCE_MS = 15_000;

programTest("aggvpn up moves traffic off a dead link and uses it again", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net, { rates: KNOWN });
  const call = { packetsPerSecond: 100, sizeBytes: 160, seconds: 11 };
  const stream = udpStream(lab, down(net), call);
  // On the other line without the tunnel: it has no gaps but the host's.
  const raw = udpStream(lab, rawFlow(net, 0, "down"), call);
  const transfer = tcpTransfer(lab, down(net), 11, { warmupSeconds: 2 });
  await delay(3500);
  await net.emulator?.cut(1, true);
  const noticed = await eventually(
    async () => (await program.linksUp("server")).length === 1,
    PATIENCE_MS,
  );
  assert(noticed, "the server still believes in the dead link");
  await delay(1000);
  await net.emulator?.cut(1, false);
  const back = await eventually(
    async () => (await program.linksUp("client")).length === 2,
    PATIENCE_MS,
  );
  assert(back, "the link did not come back");
  const before = await net.emulator?.counters();
  const [{ longestGapUs }, { longestGapUs: hostGapUs }] = await Promise.all([
    stream,
    raw,
    transfer,
  ]);
  const after = await net.emulator?.counters();
  assert(longestGapUs < hostGapUs + 500_000, `longest gap ${longestGapUs} us, raw ${hostGapUs} us`);
  const [other, used] = [0, 1].map((i) =>
    (after?.lines[i]?.down.outBytes ?? 0) - (before?.lines[i]?.down.outBytes ?? 0)
  ) as [number, number];
  assert(used > 1e6 && used > 0.2 * other, `the link that came back carried ${used} of ${other}`);
});

programTest("aggvpn up keeps the tunnel over whichever of two links is alive", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  const program = await Program.start(lab, net);
  for (const dead of [0, 1]) {
    await net.emulator?.cut(dead, true);
    const left = async (): Promise<boolean> => (await program.linksUp("client")).length === 1;
    assert(await eventually(left, PATIENCE_MS));
    const { received } = await ping(lab, up(net), { count: 40, intervalMs: 20 });
    assertEquals(received, 40, `without line ${dead + 1}`);
    await net.emulator?.cut(dead, false);
    await program.connected();
  }
});

for (const side of ["server", "client"] as const satisfies Side[]) {
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    programTest(
      `aggvpn up is connected within 2 s of the ${side}'s restart after ${signal}`,
      async (lab) => {
        const net = await buildEmulated(lab, LINES);
        const program = await Program.start(lab, net);
        await program.down(side, signal);
        await program.up(side);
        const [tunnel, raw] = await Promise.all([
          ping(lab, up(net), { count: 200, intervalMs: 20 }),
          ping(lab, rawFlow(net, 0, "up"), { count: 10, intervalMs: 20 }),
        ]);
        const tookUs = tunnel.firstAnswerUs - raw.firstAnswerUs;
        assert(tunnel.firstAnswerUs >= 0 && raw.firstAnswerUs >= 0, JSON.stringify([tunnel, raw]));
        assert(tookUs < 2_000_000, `first answer ${tookUs} us after that of the line`);
        await program.connected();
      },
    );
  }
}

programTest("aggvpn up connects although its first link is dead", async (lab) => {
  const net = await buildEmulated(lab, LINES);
  await net.emulator?.cut(0, true);
  const program = await Program.prepare(lab, net);
  await Promise.all([program.up("server"), program.up("client")]);
  const isUp = await eventually(
    async () => (await program.linksUp("client")).includes("line2"),
    PATIENCE_MS,
  );
  assert(isUp, "no session over the living link");
  const { received } = await ping(lab, up(net), { count: 20 });
  assertEquals(received, 20);
});
