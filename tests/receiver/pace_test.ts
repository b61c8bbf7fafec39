import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { BURST_US, FIRST_PACKETS, Pace } from "../../src/receiver/pace.ts";
import { Resequencer } from "../../src/receiver/resequencer.ts";
import { PacketPool } from "../../src/slab.ts";
import { range } from "../tunnel/packets.ts";

const FLOW = 3;
const HOLD_US = 100_000;

/** A resequencer of packets for programs, and a program that reads what a socket's buffer holds. */
class Bench {
  readonly delivered: number[] = [];
  /** Packets that were delivered in the turn that ends. */
  burst = 0;
  readonly resequencer: Resequencer;
  readonly #pool: PacketPool;
  readonly #numbers: number[] = [];

  constructor(slots: number, paced = true) {
    const pool = this.#pool = new PacketPool(slots);
    const deliver = (slot: number): void => {
      this.delivered.push(this.#numbers[slot]!);
      this.burst++;
      pool.release(slot);
    };
    this.resequencer = new Resequencer(pool, slots >> 1, deliver, undefined, () => paced);
  }

  insert(now: number, sequence: number): void {
    const slot = this.#pool.alloc();
    this.#numbers[slot] = sequence;
    if (this.resequencer.pass(now, FLOW, sequence & 0xffff, slot)) return;
    this.resequencer.hold(now, FLOW, sequence & 0xffff, slot, HOLD_US);
  }

  /** Ends the turn at `now`; returns how many packets left in it. */
  turn(now: number): number {
    this.resequencer.handleTimeout(now);
    const { burst } = this;
    this.burst = 0;
    return burst;
  }
}

Deno.test("Resequencer releases what a gap has held in bursts, in order, and catches up", () => {
  const bench = new Bench(4096);
  for (const i of range(1, 1001)) bench.insert(0, i);
  assertEquals(bench.turn(0), 0);
  bench.insert(1, 0);
  const bursts = [bench.turn(1)];
  let next = 1001;
  for (let now = 1 + BURST_US; bench.resequencer.held > 0; now += BURST_US) {
    for (let i = 0; i < 9; i++) bench.insert(now - 1, next++);
    bursts.push(bench.turn(now));
    assertLess(bursts.length, 100);
  }
  assertEquals(bursts[0], FIRST_PACKETS);
  assertLess(Math.max(...bursts.slice(1)), 9 * 3);
  assertEquals(bench.delivered, range(0, next));
  bench.insert(1e6, next);
  assertEquals(bench.turn(1e6), 1, "what comes next passes again");
});

Deno.test("Resequencer does not release at once what a pause of the process has kept back", () => {
  const bench = new Bench(1024);
  for (let ms = 0; ms < 10; ms++) {
    for (let i = 0; i < 9; i++) bench.insert(ms * 1000, 9 * ms + i);
    assertEquals(bench.turn(ms * 1000), 9);
  }
  for (const i of range(90, 390)) bench.insert(40_000, i);
  assertEquals(bench.turn(40_000), FIRST_PACKETS);
  let next = 390;
  for (let now = 41_000; bench.resequencer.held > 0; now += 1000) {
    for (let i = 0; i < 9; i++) bench.insert(now, next++);
    assertLess(bench.turn(now), 40);
  }
  assertEquals(bench.delivered, range(0, next));
});

Deno.test("Resequencer lets a fast flow pass once it knows how fast that is", () => {
  const bench = new Bench(4096);
  const perMs = 90;
  let next = 0;
  for (let ms = 0; ms < 100; ms++) {
    for (let i = 0; i < perMs; i++) bench.insert(ms * 1000, next++);
    bench.turn(ms * 1000);
    if (ms === 20) assertEquals(bench.resequencer.held, 0);
    if (ms === 21) bench.resequencer.heldEver = 0;
  }
  assertEquals([bench.resequencer.heldEver, bench.delivered.length], [0, 100 * perMs]);
});

Deno.test("Resequencer gives TCP all at once, however much has just passed", () => {
  const bench = new Bench(2048, false);
  for (const i of [...range(0, 100), ...range(101, 500)]) bench.insert(0, i);
  bench.insert(1, 100);
  assertEquals(bench.turn(1), 500);
});

Deno.test("Resequencer gives up a gap behind a burst as soon as it is overdue", () => {
  const bench = new Bench(1024);
  for (const i of [...range(1, 101), ...range(105, 205)]) bench.insert(0, i);
  for (let now = HOLD_US; bench.resequencer.held > 0; now += BURST_US) {
    bench.turn(now);
    assertLess(now, 2 * HOLD_US);
  }
  assertEquals(bench.delivered, [...range(1, 101), ...range(105, 205)]);
  assertEquals(bench.resequencer.nextTimeoutAtUs, Infinity);
});

Deno.test("Resequencer keeps the order of paced packets, loses none, and stops asking for time", () => {
  const steps = fc.array(fc.tuple(fc.nat(60), fc.nat(3000), fc.boolean()), { maxLength: 60 });
  fc.assert(fc.property(steps, (plan) => {
    const bench = new Bench(8192);
    const { resequencer } = bench;
    let now = 0;
    let next = 0;
    for (const [count, waitUs, isLate] of plan) {
      const batch = range(next, next += count);
      if (isLate) batch.push(...batch.splice(0, 1)); // the first comes after the others
      for (const sequence of batch) bench.insert(now, sequence);
      for (const until = now + waitUs; now < until;) {
        now = Math.min(until, Math.max(now, resequencer.nextTimeoutAtUs));
        bench.turn(now);
        if (resequencer.nextTimeoutAtUs <= now) now++;
      }
    }
    while (resequencer.held > 0) {
      assertLess(resequencer.nextTimeoutAtUs, now + HOLD_US);
      bench.turn(now = Math.max(now, resequencer.nextTimeoutAtUs));
    }
    assertEquals(bench.delivered, range(0, next));
    assertEquals(resequencer.nextTimeoutAtUs, Infinity);
  }));
});

Deno.test("Resequencer paces nothing when memory runs out, nor at the end", () => {
  const bench = new Bench(512);
  for (const i of range(1, 300)) bench.insert(0, i);
  assert(bench.resequencer.held <= 256);
  bench.resequencer.flush(1);
  assertEquals(bench.delivered, range(1, 300));
  bench.turn(1);
  bench.insert(2 * BURST_US, 300);
  assertEquals(bench.turn(2 * BURST_US), 1);
});

Deno.test("Pace.burst() is more than what comes, whatever the rate", () => {
  for (const perMs of [0, 1, 9, 90, 900]) {
    const pace = new Pace(1);
    let now = 0;
    for (let i = 0; i < 60; i++, now += BURST_US) {
      pace.wait(now, 0);
      for (let n = 0; n < perMs; n++) pace.noteHeld(now, 0);
    }
    assert(pace.burst(now, 0) > perMs);
  }
});
