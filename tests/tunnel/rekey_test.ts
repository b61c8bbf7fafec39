import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

/** Sends a numbered packet each way every 20 ms for `seconds`; returns how many. */
function exchange(world: Pair, seconds: number, from = 0): number {
  const count = seconds * 50;
  for (const i of range(from, from + count)) {
    world.client.send(world.now, udp4(i));
    world.server.send(world.now, udp4(i));
    world.run(20_000);
  }
  return from + count;
}

Deno.test("Endpoint replaces its keys after 120 s and loses no packet", () => {
  const world = new Pair([{ delaysUs: [10_000, 25_000] }]).connect();
  world.run(117 * SECOND);
  const count = exchange(world, 16);
  assertEquals(world.client.eventsOf("session"), ["up", "rekeyed"]);
  assertEquals(world.server.eventsOf("session"), ["up", "rekeyed"]);
  world.run(SECOND);
  assertEquals(numbersOf(world.server.delivered), range(0, count));
  assertEquals(numbersOf(world.client.delivered), range(0, count));
  assertEquals(world.client.eventsOf("link").length, 2, "no link has noticed");
  world.finish();
});

Deno.test("Endpoint keeps replacing its keys", () => {
  const world = new Pair([{}]).connect();
  world.run(490 * SECOND);
  assertEquals(world.client.eventsOf("session"), [
    "up",
    "rekeyed",
    "rekeyed",
    "rekeyed",
    "rekeyed",
  ]);
  assert(world.client.endpoint.status(world.now).peers[0]!.sessionAgeUs < 15 * SECOND);
  world.finish();
});

Deno.test("Endpoint ends a session at 180 s when its keys cannot be replaced", () => {
  const world = new Pair([{}]);
  const firstByte = 1; // INIT
  world.connect();
  world.lines[0]!.lose = ({ bytes }): boolean => bytes[0] === firstByte;
  const upAt = world.now;
  const count = exchange(world, 175);
  assertEquals(numbersOf(world.server.delivered), range(0, count));
  world.run(180 * SECOND - (world.now - upAt));
  assertEquals(world.client.eventsOf("session"), ["up", "down"]);
  assertEquals(world.server.eventsOf("session"), ["up", "down"]);
  world.client.send(world.now, udp4(0));
  assertEquals(world.client.drops("no-peer"), 1);

  world.lines[0]!.lose = (): boolean => false;
  world.run(6 * SECOND);
  assertEquals(world.client.eventsOf("session"), ["up", "down", "up"]);
  exchange(world, 1, count);
  world.run(SECOND);
  assertEquals(numbersOf(world.server.delivered), range(0, count + 50));
  world.finish();
});

Deno.test("Endpoint restores the order of flows after a session that had expired", () => {
  const world = new Pair([{ delaysUs: [5_000, 30_000] }]).connect();
  const send = (i: number): void => {
    world.server.send(world.now, udp4(i, { bytes: 600 }), udp4(i + 1, { bytes: 600 }));
    world.run(1_000);
  };
  for (let i = 0; i < 40_000; i += 2) send(i);
  world.lines.forEach((line) => line.cut = true);
  world.run(200 * SECOND);
  assertEquals(world.client.eventsOf("session"), ["up", "down"]);
  world.lines.forEach((line) => line.cut = false);
  world.run(7 * SECOND);
  const before = world.client.delivered.length;
  let count = 0;
  world.lines.forEach((line) =>
    line.lose = ({ toServer }): boolean => !toServer && count++ % 10 === 5
  );
  for (let i = 40_000; i < 42_000; i += 2) send(i);
  world.run(SECOND);
  const numbers = numbersOf(world.client.delivered.slice(before));
  const inversions = numbers.filter((number, i) => number < (numbers[i - 1] ?? 0)).length;
  assert(inversions <= 2, `${inversions}`);
  assertEquals(numbers.toSorted((a, b) => a - b), range(40_000, 42_000));
  world.finish();
});
