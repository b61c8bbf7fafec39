/**
 * A stranger who floods the server's port while the tunnel works.
 *
 *     client [aggvpn] == line1, line2: 50 Mbit/s, 20 ms == [aggvpn] server
 *                                                             |
 *                                     stranger 192.0.2.2 -----+
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { tried } from "../../lab/compare.ts";
import type { Lab } from "../../lab/namespaces.ts";
import { FIRST_PORT, INNER, Program, usage } from "../../lab/program.ts";
import { Random } from "../../lab/random.ts";
import { delay, eventually, programTest } from "../../lab/require.ts";
import { buildEmulated, SERVER_ADDRESS, symmetric, type Topology } from "../../lab/topology.ts";
import { type Flow, freshPort, runFlood, tcpTransfer } from "../../lab/traffic.ts";
import type { StatusDocument } from "../../src/control/protocol.ts";

const LINES = [symmetric(50, 20), symmetric(50, 20)];
const KNOWN = [{ up: 50, down: 50 }, { up: 50, down: 50 }];
const PER_SECOND = 50_000;
const SECONDS = 5;
/** With fewer datagrams sent it is no flood. */
const ENOUGH = 0.8 * PER_SECOND * SECONDS;
const SEED = 20260712;
const HEADERS = 28;

/** What was recorded on the lines: whole IPv4 packets. */
interface Recording {
  /** Handshakes of a client with another password. */
  readonly wrongKey: readonly Uint8Array[];
  readonly up: readonly Uint8Array[];
  readonly down: readonly Uint8Array[];
}

function bulk(net: Topology, to: "client" | "server"): Flow {
  const from = to === "client" ? net.server : net.client;
  return { from, to: net[to], address: INNER[to], port: freshPort() };
}

async function recordWrongKey(net: Topology, program: Program): Promise<Uint8Array[]> {
  await program.configure({ password: { client: "another one" } });
  await net.emulator?.capture(0, "up", 8);
  await program.up("client");
  await eventually(
    async () => ((await net.emulator?.counters())?.lines[0]?.up.inPackets ?? 0) > 3,
    30_000,
  );
  const packets = await net.emulator?.captured() ?? [];
  await program.down("client");
  return packets;
}

async function record(lab: Lab, net: Topology, way: "up" | "down"): Promise<Uint8Array[]> {
  await net.emulator?.capture(0, way, 300);
  await tcpTransfer(lab, bulk(net, way === "up" ? "server" : "client"), 1);
  return await net.emulator?.captured() ?? [];
}

/** UDP payloads of every hostile kind, in turn. */
function hostilePayloads(recording: Recording): Uint8Array[] {
  const random = new Random(SEED);
  const byte = (): number => Math.floor(random.next() * 256);
  const payloads = (packets: readonly Uint8Array[]): Uint8Array[] =>
    packets.map((packet) => packet.slice(HEADERS));
  const [up, down] = [payloads(recording.up), payloads(recording.down)];
  const garbage = Array.from(
    { length: 300 },
    () => Uint8Array.from({ length: Math.floor(random.next() * 1400) }, byte),
  );
  const truncated = up.map((bytes) => bytes.slice(0, Math.floor(random.next() * bytes.length)));
  // A counter far ahead, so that only the tag can tell.
  const forged = up.map((bytes) => bytes.map((value, i) => i === 7 ? value ^ 0x40 : value));
  const flipped = up.map((bytes) => {
    const at = Math.floor(random.next() * bytes.length);
    return bytes.map((value, i) => i === at ? value ^ 1 << Math.floor(random.next() * 8) : value);
  });
  const kinds = [garbage, truncated, up, down, forged, flipped, payloads(recording.wrongKey)];
  return interleave(kinds.filter((kind) => kind.length > 0), 300);
}

function interleave(kinds: readonly Uint8Array[][], each: number): Uint8Array[] {
  return Array.from({ length: each }, (_, i) => kinds.map((kind) => kind[i % kind.length]))
    .flat().filter((bytes) => bytes !== undefined);
}

async function flood(lab: Lab, net: Topology, recording: Recording): Promise<number> {
  const common = { address: SERVER_ADDRESS, port: FIRST_PORT, seconds: SECONDS };
  const base64 = (list: readonly Uint8Array[]): string[] => list.map((bytes) => bytes.toBase64());
  const reports = await Promise.all([
    runFlood(lab, net.stranger ?? "", {
      ...common,
      kind: "payload",
      packetsPerSecond: PER_SECOND * 0.8,
      packets: base64(hostilePayloads(recording)),
    }),
    // The client's own packets again, with the client's own address.
    runFlood(lab, net.stranger ?? "", {
      ...common,
      kind: "packet",
      packetsPerSecond: PER_SECOND * 0.2,
      packets: base64(recording.up),
    }),
  ]);
  return reports.reduce((sum, { sent }) => sum + sent, 0);
}

/** What the program refused, and what the kernel dropped because its sockets were full. */
function allDrops({ tunnel, daemon }: StatusDocument): number {
  const kernel = daemon.sockets.reduce((sum, socket) => sum + socket.receiveDrops, 0);
  return Object.values(tunnel.drops).reduce((sum, count) => sum + count, kernel);
}

async function dropsSoFar(program: Program): Promise<number> {
  const { stdout } = await program.run("server", "status", program.file("server"), "--json");
  return allDrops(JSON.parse(stdout) as StatusDocument);
}

programTest("aggvpn up withstands 50,000 hostile datagrams a second", async (lab) => {
  const net = await buildEmulated(lab, LINES, { stranger: true });
  const program = await Program.prepare(lab, net);
  const server = await program.up("server");
  const wrongKey = await recordWrongKey(net, program);
  await program.configure({ rates: KNOWN });
  await program.up("client");
  await program.connected();
  const recording = {
    wrongKey,
    up: await record(lab, net, "up"),
    down: await record(lab, net, "down"),
  };
  const counts = [wrongKey, recording.up, recording.down].map((packets) => packets.length);
  assert(counts.every((count) => count >= 3), `recorded ${counts}`);
  // A host that is busy with something else may not be able to send that much, or to carry it.
  const { quiet, before, sent, flooded } = await tried(async () => {
    const { bps: quiet } = await tcpTransfer(lab, bulk(net, "client"), SECONDS, {
      warmupSeconds: 1,
    });
    const before = { ...usage(server.pid), drops: await dropsSoFar(program) };
    const transfer = tcpTransfer(lab, bulk(net, "client"), SECONDS + 1, { warmupSeconds: 1 });
    await delay(500);
    const sent = await flood(lab, net, recording);
    return { quiet, before, sent, flooded: (await transfer).bps };
  }, ({ quiet, sent, flooded }) => sent > ENOUGH && flooded >= 0.5 * quiet);

  assertEquals([server.exited, program.child("client").exited], [false, false]);
  assert(sent > ENOUGH, `only ${sent} datagrams were sent`);
  const megabits = [flooded, quiet].map((bps) => (bps / 1e6).toFixed(1));
  assert(flooded >= 0.5 * quiet, `${megabits[0]} of ${megabits[1]} Mbit/s`);
  const grownMiB = (usage(server.pid).rssBytes - before.rssBytes) / 2 ** 20;
  assert(grownMiB <= 20, `resident memory grew by ${grownMiB.toFixed(1)} MiB`);
  const counted = await program.run("server", "status", program.file("server"), "--json");
  const status = JSON.parse(counted.stdout) as StatusDocument;
  const dropped = allDrops(status) - before.drops;
  assert(
    dropped >= 0.9 * sent,
    `${dropped} of ${sent} counted: ${JSON.stringify(status.tunnel.drops)}`,
  );
  assert(Object.keys(status.tunnel.drops).length >= 3, JSON.stringify(status.tunnel.drops));
  await program.connected();
});
