import { assert, assertEquals } from "@std/assert";
import { Direction } from "../../lab/emulator/direction.ts";
import { type Shape, WIRE } from "../../lab/emulator/shape.ts";

/** A direction with its slots, fed with packets of 1250 bytes unless stated. */
function setUp(shape: Partial<Shape>): { direction: Direction; released: number[] } {
  const released: number[] = [];
  const direction = new Direction(1024, 42, (slot) => released.push(slot));
  direction.reshape(0, { ...WIRE, ...shape });
  return { direction, released };
}

/** When each slot comes out, polling every 10 us. */
function drain(direction: Direction, untilUs: number): Map<number, number> {
  const arrivals = new Map<number, number>();
  for (let now = 0; now <= untilUs; now += 10) {
    direction.advance(now);
    for (let slot = direction.pollDelivery(now); slot >= 0; slot = direction.pollDelivery(now)) {
      arrivals.set(slot, now);
    }
  }
  return arrivals;
}

Deno.test("Direction sends one packet after the other at its rate and adds the delay", () => {
  const { direction } = setUp({ rateBps: 10e6, delayUs: 5000 });
  for (let slot = 0; slot < 3; slot++) direction.accept(0, slot, 1250);
  assertEquals([...drain(direction, 20_000)], [[0, 6000], [1, 7000], [2, 8000]]);
});

Deno.test("Direction keeps its rate although it is polled ahead of time", () => {
  const { direction } = setUp({ rateBps: 10e6 });
  direction.accept(0, 0, 1250);
  direction.advance(1000);
  direction.accept(500, 1, 1250);
  assertEquals(direction.nextEvent(), 1000);
  assertEquals(direction.pollDelivery(1000), 0);
  assertEquals(direction.nextEvent(), 2000);
});

Deno.test("Direction drops the tail of a queue that is full in bytes or in time", () => {
  for (const limit of [{ queueBytes: 2500, queueUs: 0 }, { queueUs: 2000 }]) {
    const { direction, released } = setUp({ rateBps: 10e6, ...limit });
    for (let slot = 0; slot < 4; slot++) direction.accept(0, slot, 1250);
    assertEquals(released, [2, 3]);
    assertEquals(direction.counters().tailDrops, 2);
  }
});

Deno.test("Direction applies a new rate to what already waits", () => {
  const { direction } = setUp({ rateBps: 10e6 });
  for (let slot = 0; slot < 3; slot++) direction.accept(0, slot, 1250);
  direction.reshape(500, { rateBps: 5e6 });
  assertEquals([...drain(direction, 20_000)], [[0, 1500], [1, 3500], [2, 5500]]);
});

Deno.test("Direction swallows everything that would arrive while it is a blackhole", () => {
  const { direction, released } = setUp({ rateBps: 10e6, delayUs: 5000 });
  direction.accept(0, 0, 1250);
  direction.reshape(2000, { blackhole: true });
  direction.accept(2000, 1, 1250);
  assertEquals(drain(direction, 10_000).size, 0);
  assertEquals(released.sort(), [0, 1]);
  direction.reshape(10_000, { blackhole: false });
  direction.accept(10_000, 2, 1250);
  assertEquals(direction.nextEvent(), 16_000);
});

Deno.test("Direction with jitter keeps the order unless reordering is asked for", () => {
  for (const reorder of [false, true]) {
    const { direction } = setUp({ delayUs: 1000, jitterUs: 5000, reorder });
    for (let slot = 0; slot < 200; slot++) direction.accept(0, slot, 100);
    const order = [...drain(direction, 10_000).keys()];
    assertEquals(order.length, 200);
    assertEquals(order.every((slot, i) => slot === i), !reorder);
  }
});

Deno.test("Direction loses what its chance says", () => {
  const { direction } = setUp({ loss: 0.1 });
  for (let i = 0; i < 20_000; i++) {
    direction.accept(i, 0, 100);
    direction.advance(i);
    direction.pollDelivery(i);
  }
  // 2000 expected, standard deviation 42.
  assert(Math.abs(direction.counters().lost - 2000) < 210, `${direction.counters().lost}`);
});

Deno.test("Direction loses in bursts after Gilbert and Elliott", () => {
  const { direction, released } = setUp({
    burst: { enter: 0.01, leave: 0.1, good: 0, bad: 1 },
  });
  for (let i = 0; i < 50_000; i++) {
    direction.accept(i, i, 100);
    direction.advance(i);
    direction.pollDelivery(i);
  }
  const bursts = released.filter((slot, i) => slot !== (released[i - 1] ?? -2) + 1).length;
  // Stationary share of the bad state is 1/11, mean burst 10.
  assert(Math.abs(released.length / 50_000 - 1 / 11) < 0.015, `${released.length}`);
  assert(Math.abs(released.length / bursts - 10) < 2, `${released.length / bursts}`);
});

Deno.test("Direction has its user answer what is too big, if asked to, before the slot is free", () => {
  const told: string[] = [];
  const direction = new Direction(
    1024,
    42,
    (slot) => told.push(`release ${slot}`),
    (slot, length, mtu) => told.push(`answer ${slot}: ${length} > ${mtu}`) < 3,
  );
  direction.reshape(0, { mtu: 1400 });
  direction.accept(0, 0, 1401);
  direction.reshape(0, { fragmentationNeeded: true });
  direction.accept(0, 1, 1401);
  direction.reshape(0, { mtu: 1300 });
  direction.accept(0, 2, 1400);
  assertEquals(told, [
    "release 0",
    "answer 1: 1401 > 1400",
    "release 1",
    "answer 2: 1400 > 1300",
    "release 2",
  ]);
  const { tooBig, answered } = direction.counters();
  assertEquals([tooBig, answered], [3, 1]);
});

Deno.test("Direction lets packets above its MTU vanish and counts them", () => {
  const { direction, released } = setUp({ mtu: 1000 });
  direction.accept(0, 0, 1001);
  direction.accept(0, 1, 1000);
  assertEquals(released, [0]);
  assertEquals(direction.counters().tooBig, 1);
});
