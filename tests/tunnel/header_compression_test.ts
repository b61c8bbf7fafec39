import { assert, assertEquals } from "@std/assert";
import { DATA_COMPRESSED, DATA_REFERENCE } from "../../src/wire/data.ts";
import { Pair } from "../pair/pair.ts";
import { KINDS, stamps } from "../wire/flow_packets.ts";
import { range, udp4 } from "./packets.ts";
import { MALLORY_ADDRESS, RawClient } from "./raw_client.ts";
import { sentData } from "./sent_data.ts";

const SECOND = 1_000_000;
const BYTES = 1000;
const HEADER_BYTES = 52;
const LOST = 0.1;

/** Segment `i` of a download, or of an upload: the packets of both are of one flow. */
function segment(i: number): Uint8Array {
  const payload = new Array(BYTES - HEADER_BYTES).fill(i & 0xff);
  return KINDS["TCP over IPv4"]({ id: i, sequence: 1400 * i, options: stamps(i, i >> 1), payload });
}

function exchange(pair: Pair, from: number, to: number): void {
  for (const i of range(from, to)) {
    pair.client.send(pair.now, segment(i));
    pair.server.send(pair.now, segment(i));
    pair.run(5_000);
  }
  pair.run(SECOND);
}

function assertDelivered(pair: Pair, count: number): void {
  const hexOf = (packets: readonly Uint8Array[]): string[] =>
    packets.map((packet) => packet.toHex()).toSorted();
  const all = hexOf(range(0, count).map(segment));
  assertEquals(hexOf(pair.server.delivered), all);
  assertEquals(hexOf(pair.client.delivered), all);
  assertEquals(pair.server.drops("header") + pair.client.drops("header"), 0);
}

function shortShare(pair: Pair): number {
  const data = sentData(pair);
  return data.filter(({ bytes }) => bytes <= BYTES - 38).length / data.length;
}

Deno.test("headers are compressed both ways, and arrive as they were", () => {
  const pair = new Pair([{}]).connect();
  exchange(pair, 0, 400);
  assertDelivered(pair, 400);
  assert(shortShare(pair) > 0.97, `${shortShare(pair)}`);
  pair.finish();
});

Deno.test("compressed headers survive losses, and links that overtake each other", () => {
  const pair = new Pair([{ delaysUs: [10_000, 45_000] }]).connect();
  let count = 0;
  for (const line of pair.lines) {
    line.lose = ({ bytes }) => bytes.length > BYTES - 50 && ++count % (1 / LOST) === 0;
  }
  exchange(pair, 0, 1000);
  assertDelivered(pair, 1000);
  assert(shortShare(pair) > 0.9, `${shortShare(pair)}`);
  pair.finish();
});

Deno.test("compressed headers survive new keys, and an end that restarts", () => {
  const pair = new Pair([{ delaysUs: [10_000, 15_000] }]).connect();
  exchange(pair, 0, 200);
  pair.run(120 * SECOND);
  assertEquals(pair.client.eventsOf("session"), ["up", "rekeyed"]);
  exchange(pair, 200, 400);
  pair.server.restart();
  pair.runUntil(() => pair.server.eventsOf("session").length === 3);
  pair.run(SECOND);
  exchange(pair, 400, 600);
  pair.client.restart();
  pair.connect();
  pair.runUntil(() => pair.server.eventsOf("session").length === 4);
  pair.run(SECOND);
  exchange(pair, 600, 800);
  assertDelivered(pair, 800);
  pair.finish();
});

Deno.test("a packet that was compressed is cut when its links have become too narrow for it", () => {
  const pair = new Pair([{ delaysUs: [10_000, 10_000] }]).connect();
  const packet = (i: number): Uint8Array => udp4(i, { bytes: 1400 });
  for (const i of range(0, 50)) {
    pair.client.send(pair.now, packet(i));
    pair.run(5_000);
  }
  pair.run(SECOND);
  assertEquals(pair.server.delivered.length, 50);
  for (const line of pair.lines) line.mtuBytes = 1300;
  for (const i of range(50, 60)) pair.client.send(pair.now, packet(i));
  pair.run(20 * SECOND);
  // Those that were not sent in vain too often before the lines were known to be narrow.
  const parts = pair.server.delivered.slice(50);
  assert(parts.length >= 2);
  for (let i = 0; i < parts.length; i += 2) {
    const [first, second] = [parts[i]!, parts[i + 1]!];
    const whole = packet(new DataView(first.buffer, first.byteOffset).getUint32(28));
    assertEquals([...first.subarray(20), ...second.subarray(20)], [...whole.subarray(20)]);
  }
  assertEquals(pair.server.drops("header"), 0);
  pair.finish();
});

Deno.test("nothing is compressed for an end that does not say that it understands it", () => {
  const mallory = new RawClient({});
  const { pair } = mallory;
  for (const i of range(0, 20)) {
    pair.server.send(pair.now, udp4(i, { from: "10.7.0.1", to: MALLORY_ADDRESS }));
    pair.run(5_000);
  }
  const data = mallory.received.map(({ frames }) => frames[0]!).filter((flags) => flags >= 0x80);
  assertEquals(data.length, 20);
  assert(data.every((flags) => (flags & (DATA_COMPRESSED | DATA_REFERENCE)) === 0));
  pair.finish();
});

Deno.test("no packet comes out wrong on a line that has become too narrow for whole headers", () => {
  const pair = new Pair([{}]).connect();
  const packet = (i: number): Uint8Array => {
    const payload = new Array(1400 - HEADER_BYTES).fill(i & 0xff);
    return KINDS["TCP over IPv4"]({ id: i, sequence: 1348 * i, options: stamps(i, i), payload });
  };
  for (const i of range(0, 3000)) {
    if (i === 200) { for (const line of pair.lines) line.mtuBytes = 1445; }
    pair.client.send(pair.now, packet(i));
    pair.run(5_000);
  }
  const all = new Set(range(0, 3000).map((i) => packet(i).toHex()));
  assertEquals(pair.server.delivered.filter((one) => !all.has(one.toHex())).length, 0);
  assert(pair.client.drops("too-big") > 0, "the sender is told in the end");
  pair.finish();
});
