import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

/** Sends a numbered packet each way every 20 ms for `seconds`; returns how many. */
function exchange(pair: Pair, seconds: number, from = 0): number {
  const count = seconds * 50;
  for (const i of range(from, from + count)) {
    pair.client.send(pair.now, udp4(i));
    pair.server.send(pair.now, udp4(i));
    pair.run(20_000);
  }
  return from + count;
}

Deno.test("Endpoint replaces its keys after 120 s and loses no packet", () => {
  const pair = new Pair([{ delaysUs: [10_000, 25_000] }]).connect();
  pair.run(117 * SECOND);
  const count = exchange(pair, 16);
  assertEquals(pair.client.eventsOf("session"), ["up", "rekeyed"]);
  assertEquals(pair.server.eventsOf("session"), ["up", "rekeyed"]);
  pair.run(SECOND);
  assertEquals(numbersOf(pair.server.delivered), range(0, count));
  assertEquals(numbersOf(pair.client.delivered), range(0, count));
  assertEquals(pair.client.eventsOf("link").length, 2, "no link has noticed");
  pair.finish();
});

Deno.test("Endpoint keeps replacing its keys", () => {
  const pair = new Pair([{}]).connect();
  pair.run(490 * SECOND);
  assertEquals(pair.client.eventsOf("session"), [
    "up",
    "rekeyed",
    "rekeyed",
    "rekeyed",
    "rekeyed",
  ]);
  assert(pair.client.endpoint.status(pair.now).peers[0]!.sessionAgeUs < 15 * SECOND);
  pair.finish();
});

Deno.test("Endpoint ends a session at 180 s when its keys cannot be replaced", () => {
  const pair = new Pair([{}]);
  const firstByte = 1; // INIT
  pair.connect();
  pair.lines[0]!.lose = ({ bytes }): boolean => bytes[0] === firstByte;
  const upAt = pair.now;
  const count = exchange(pair, 175);
  assertEquals(numbersOf(pair.server.delivered), range(0, count));
  pair.run(180 * SECOND - (pair.now - upAt));
  assertEquals(pair.client.eventsOf("session"), ["up", "down"]);
  assertEquals(pair.server.eventsOf("session"), ["up", "down"]);
  pair.client.send(pair.now, udp4(0));
  assertEquals(pair.client.drops("no-peer"), 1);

  pair.lines[0]!.lose = (): boolean => false;
  pair.run(6 * SECOND);
  assertEquals(pair.client.eventsOf("session"), ["up", "down", "up"]);
  exchange(pair, 1, count);
  pair.run(SECOND);
  assertEquals(numbersOf(pair.server.delivered), range(0, count + 50));
  pair.finish();
});

Deno.test("Endpoint restores the order of flows after a session that had expired", () => {
  const pair = new Pair([{ delaysUs: [5_000, 30_000] }]).connect();
  const send = (i: number): void => {
    pair.server.send(pair.now, udp4(i, { bytes: 600 }), udp4(i + 1, { bytes: 600 }));
    pair.run(1_000);
  };
  for (let i = 0; i < 40_000; i += 2) send(i);
  pair.lines.forEach((line) => line.cut = true);
  pair.run(200 * SECOND);
  assertEquals(pair.client.eventsOf("session"), ["up", "down"]);
  pair.lines.forEach((line) => line.cut = false);
  pair.run(7 * SECOND);
  const before = pair.client.delivered.length;
  let count = 0;
  pair.lines.forEach((line) =>
    line.lose = ({ toServer }): boolean => !toServer && count++ % 10 === 5
  );
  for (let i = 40_000; i < 42_000; i += 2) send(i);
  pair.run(SECOND);
  const numbers = numbersOf(pair.client.delivered.slice(before));
  const inversions = numbers.filter((number, i) => number < (numbers[i - 1] ?? 0)).length;
  assert(inversions <= 2, `${inversions}`);
  assertEquals(numbers.toSorted((a, b) => a - b), range(40_000, 42_000));
  pair.finish();
});
