import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { EventQueue } from "./event_queue.ts";
import { Rng } from "./rng.ts";
import { Timer } from "./timer.ts";

Deno.test("EventQueue runs events by time, equal times in the order they were added", () => {
  const queue = new EventQueue();
  const rng = new Rng(7);
  const seen: [number, number][] = [];
  const handler = { onEvent: (now: number, arg: number): number => seen.push([now, arg]) };
  for (let i = 0; i < 5000; i++) queue.add(rng.uint32() % 100, handler, i);
  queue.runUntil(1000);
  const sorted = seen.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  assertEquals(seen, sorted);
  assertEquals(seen.length, 5000);
  assertEquals(queue.now, 1000);
});

Deno.test("EventQueue runs an event whose time has passed at once", () => {
  const queue = new EventQueue();
  queue.runUntil(50);
  let at = -1;
  queue.add(10, { onEvent: (now: number): number => at = now });
  queue.runUntil(50);
  assertEquals(at, 50);
});

Deno.test("Timer fires once at the deadline it was moved to last", () => {
  const queue = new EventQueue();
  const fired: number[] = [];
  const timer = new Timer(queue, (now) => fired.push(now));
  timer.set(10);
  timer.set(30);
  queue.runUntil(20);
  timer.set(25);
  queue.runUntil(100);
  assertEquals(fired, [25]);
  timer.set(110);
  timer.set(Infinity);
  queue.runUntil(200);
  assertEquals(fired, [25]);
});

Deno.test("Rng gives the same numbers for the same seed and others for another", () => {
  const list = (seed: number): number[] => {
    const rng = new Rng(seed);
    return Array.from({ length: 8 }, () => rng.next());
  };
  assertEquals(list(1), list(1));
  assert(list(1).every((value, i) => value !== list(2)[i]));
});

Deno.test("Rng is uniform enough for a loss of 1 %", () => {
  const rng = new Rng(3);
  let hits = 0;
  for (let i = 0; i < 200_000; i++) if (rng.next() < 0.01) hits++;
  assertAlmostEquals(hits / 200_000, 0.01, 0.001);
});
