import { assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { LEAST_TARGET_US, MOST_TARGET_US, QueueTarget } from "../../src/queue/queue_target.ts";

const S = 1e6;
const MS = 1000;

Deno.test("QueueTarget is the least one on short links, and what a reduced window leaves on long ones", () => {
  const target = (rttMs: number): number => new QueueTarget().update(0, rttMs * MS, 100e6) / MS;
  assertEquals([target(5), target(20), target(100)], [15, 15, 43]);
});

Deno.test("QueueTarget keeps the window that the links needed before one of them failed", () => {
  const target = new QueueTarget();
  assertEquals(target.update(0, 20 * MS, 100e6), LEAST_TARGET_US);
  // Half is left: the window for the whole is one round trip of queue.
  for (let second = 1; second < 60; second++) {
    assertEquals(target.update(second * S, 20 * MS, 50e6), 28_600);
  }
  assertEquals(target.update(60 * S, 20 * MS, 50e6), LEAST_TARGET_US);
  assertEquals(target.update(61 * S, 20 * MS, 100e6), LEAST_TARGET_US);
});

Deno.test("QueueTarget leaves room for a few packets on slow links", () => {
  const target = (bps: number): number => new QueueTarget().update(0, 20 * MS, bps) / MS;
  assertEquals([target(10e6), target(2e6), target(1e6), target(100e3)], [15, 24, 48, 60]);
});

Deno.test("QueueTarget is bounded whatever the links do", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.nat(1e7), fc.nat(1e6), fc.nat(1e9)), { maxLength: 30 }),
    (steps) => {
      const target = new QueueTarget();
      let now = 0;
      for (const [pauseUs, rttUs, capacityBps] of steps) {
        const targetUs = target.update(now += pauseUs, rttUs, capacityBps);
        assertGreater(targetUs, LEAST_TARGET_US - 1);
        assertGreater(MOST_TARGET_US + 1, targetUs);
      }
    },
  ));
});
