import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FLOW_BUCKETS, Resequencer } from "../../src/receiver/resequencer.ts";
import { PacketPool } from "../../src/slab.ts";
import { cpuMs } from "../cpu_time.ts";
import { range } from "../tunnel/packets.ts";

/** A resequencer that tells which packets it delivers; inserted packets are numbered. */
class Bench {
  readonly pool: PacketPool;
  readonly delivered: number[] = [];
  readonly resequencer: Resequencer;
  readonly #numbers: number[] = [];
  #count = 0;

  constructor(slots: number, limit: number) {
    this.pool = new PacketPool(slots);
    this.resequencer = new Resequencer(this.pool, limit, (slot) => {
      this.delivered.push(this.#numbers[slot]!);
      this.pool.release(slot);
    });
  }

  insert(now: number, flow: number, sequence: number, deadlineAt: number): number {
    const slot = this.pool.alloc();
    assert(slot >= 0, "held more than there is memory for");
    this.#numbers[slot] = this.#count;
    if (!this.resequencer.pass(now, flow, sequence, slot)) {
      this.resequencer.hold(now, flow, sequence, slot, deadlineAt - now);
    }
    return this.#count++;
  }
}

/** What a {@linkcode Resequencer} of one flow must do, in the obvious way. */
class Model {
  delivered: number[] = [];
  #expected = 0;
  #held: { number: number; ahead: number; deadlineAt: number }[] = [];
  #count = 0;

  insert(sequence: number, deadlineAt: number): void {
    const ahead = sequence - this.#expected & 0xffff;
    const number = this.#count++;
    if (ahead >= 0x8000) {
      this.delivered.push(number);
      return;
    }
    this.#held.push({ number, ahead, deadlineAt });
    this.#drain();
  }

  /** No packet waits longer than it may, whatever those before it wait for. */
  handleTimeout(now: number): void {
    while (this.#held.some(({ deadlineAt }) => deadlineAt <= now)) {
      this.#advance(Math.min(...this.#held.map(({ ahead }) => ahead)));
      this.#drain();
    }
  }

  #advance(by: number): void {
    this.#expected = this.#expected + by & 0xffff;
    for (const packet of this.#held) packet.ahead -= by;
  }

  #drain(): void {
    for (;;) {
      const next = this.#held.find((packet) => packet.ahead === 0);
      if (!next) return;
      this.#held.splice(this.#held.indexOf(next), 1);
      this.delivered.push(next.number);
      this.#advance(1);
    }
  }
}

Deno.test("Resequencer.pass() delivers what is in order at once", () => {
  const bench = new Bench(4, 4);
  for (const i of range(0, 70_000)) bench.insert(0, 5, i & 0xffff, 100);
  assertEquals(bench.delivered.length, 70_000);
  assertEquals(bench.resequencer.heldEver, 0);
});

Deno.test("Resequencer.hold() holds a packet until those before it have come", () => {
  const bench = new Bench(8, 8);
  for (const sequence of [2, 1, 3, 0]) bench.insert(0, 1, sequence, 100);
  assertEquals(bench.delivered, [3, 1, 0, 2]);
  assertEquals(bench.resequencer.nextTimeoutAtUs, Infinity);
});

Deno.test("Resequencer.hold() does not hold up a flow for what another has lost", () => {
  const bench = new Bench(8, 8);
  bench.insert(0, 1, 1, 100);
  const other = bench.insert(0, 2, 0, 100);
  assertEquals(bench.delivered, [other]);
});

Deno.test("Resequencer.pass() delivers a late packet instead of dropping it", () => {
  const bench = new Bench(8, 8);
  bench.insert(0, 1, 1, 100);
  bench.resequencer.handleTimeout(100);
  bench.insert(101, 1, 0, 200);
  assertEquals(bench.delivered, [0, 1]);
});

Deno.test("Resequencer.handleTimeout() gives up a gap at the deadline, not before", () => {
  const bench = new Bench(8, 8);
  bench.insert(0, 1, 2, 100);
  bench.resequencer.handleTimeout(99);
  assertEquals(bench.delivered, []);
  assertEquals(bench.resequencer.nextTimeoutAtUs, 100);
  bench.resequencer.handleTimeout(100);
  assertEquals(bench.delivered, [0]);
});

Deno.test("Resequencer holds no packet longer because of one in front of it that came later", () => {
  const bench = new Bench(8, 8);
  bench.insert(0, 1, 5, 10_000);
  bench.insert(9_000, 1, 3, 19_000);
  bench.insert(9_500, 1, 8, 19_500);
  bench.resequencer.handleTimeout(10_000);
  assertEquals(bench.delivered, [1, 0]);
  assertEquals(bench.resequencer.nextTimeoutAtUs, 19_500);
});

Deno.test("Resequencer asks before it gives up a gap, and waits as long as it is told to", () => {
  const pool = new PacketPool(8);
  const delivered: number[] = [];
  const asked: number[][] = [];
  const resequencer = new Resequencer(pool, 8, (slot) => delivered.push(slot), (...question) => {
    asked.push(question);
    return question[0] < 12_000 ? question[0] + 1_000 : -Infinity;
  });
  const slot = pool.alloc();
  resequencer.hold(5, 1, 2, slot, 9_995, 4711);
  while (delivered.length === 0) resequencer.handleTimeout(resequencer.nextTimeoutAtUs);
  assertEquals(asked, [[10_000, 4711, 5], [11_000, 4711, 5], [12_000, 4711, 5]]);
  assertEquals(delivered, [slot]);
});

Deno.test("Resequencer agrees with an obvious model of one flow", () => {
  const packet = fc.record({
    skip: fc.oneof(fc.integer({ min: -6, max: 6 }), fc.constantFrom(0x7fff, 0x8000, 0x8001)),
    holdMs: fc.integer({ min: 0, max: 40 }),
    waitMs: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(fc.nat(0xffff), fc.array(packet, { maxLength: 60 }), (flow, packets) => {
      const bench = new Bench(128, 128);
      const model = new Model();
      let [now, at] = [0, 0];
      const used = new Set<number>(); // a sender uses no number twice
      for (const { skip, holdMs, waitMs } of packets) {
        at = at + skip & 0xffff;
        if (used.has(at)) continue;
        used.add(at);
        bench.insert(now, flow, at, now + holdMs * 1000);
        model.insert(at, now + holdMs * 1000);
        now += waitMs * 1000;
        while (bench.resequencer.nextTimeoutAtUs <= now) bench.resequencer.handleTimeout(now);
        model.handleTimeout(now);
        assertEquals(bench.delivered, model.delivered);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("Resequencer holds no more than its limit, over all flows", () => {
  const bench = new Bench(200, 100);
  for (const i of range(0, 5_000)) {
    bench.insert(i, i * 13, 1 + i, 1e9);
    assert(bench.resequencer.held <= 100);
  }
  bench.resequencer.reset(5_000);
  assertEquals(bench.delivered.length, 5_000);
  assertEquals(bench.pool.available, 200);
});

Deno.test("Resequencer maps any flow of the wire to one of its own", () => {
  const bench = new Bench(8, 8);
  bench.insert(0, 3, 0, 1e9);
  bench.insert(0, 3 + FLOW_BUCKETS, 1, 1e9);
  assertEquals(bench.delivered, [0, 1]);
});

Deno.test("Resequencer.flush() delivers what is held and keeps the place of each flow", () => {
  const bench = new Bench(8, 8);
  for (const sequence of [0, 1, 5, 3]) bench.insert(0, 1, sequence, 1e9);
  bench.resequencer.flush(1);
  assertEquals(bench.delivered, [0, 1, 3, 2]);
  bench.insert(2, 1, 7, 1e9);
  bench.insert(2, 1, 6, 1e9);
  assertEquals(bench.delivered, [0, 1, 3, 2, 5, 4]);
  assertEquals(bench.resequencer.nextTimeoutAtUs, Infinity);
});

Deno.test("Resequencer.reset() delivers what is held and begins at zero again", () => {
  const bench = new Bench(8, 8);
  for (const sequence of [0, 1, 5]) bench.insert(0, 1, sequence, 1e9);
  bench.resequencer.reset(1);
  bench.insert(2, 1, 0, 1e9);
  assertEquals(bench.delivered, [0, 1, 2, 3]);
});

Deno.test("Resequencer holds no more than free memory allows", () => {
  const bench = new Bench(100, 100);
  for (const i of range(0, 1_000)) bench.insert(i, i, 1, 1e9);
  assert(bench.resequencer.held >= 49 && bench.pool.available >= 49, `${bench.pool.available}`);
});

Deno.test("Resequencer takes two packets of one number without losing either", () => {
  const bench = new Bench(8, 8);
  for (const sequence of [2, 2, 2, 0, 1, 3]) bench.insert(0, 1, sequence, 50);
  for (const now of [50, 1_050, 2_050]) bench.resequencer.handleTimeout(now);
  assertEquals(bench.delivered.toSorted(), range(0, 6));
  assertEquals(bench.pool.available, 8);
});

Deno.test("Resequencer crosses wide gaps in strides: no sender can make it search", () => {
  const bench = new Bench(16_384, 8_192);
  const ms = cpuMs(() => {
    for (let i = 0; i < 20_000; i += 2) {
      if (i % 32_000 === 0) bench.insert(0, 1, i + 32_767 & 0xffff, 1e9);
      bench.insert(0, 1, i + 1 & 0xffff, 1e9);
      bench.insert(0, 1, i & 0xffff, 1e9);
    }
    for (const flow of range(0, 1024)) bench.insert(0, flow, 32_767, 1);
    bench.resequencer.handleTimeout(1e9);
    // A packet at the end of every stride, and deadlines that come one after the other.
    for (const flow of range(0, 10)) {
      for (let i = 63; i < 32_768; i += 64) bench.insert(1e9, flow, i, 2e9);
    }
    for (let now = 1e9; now < 1e9 + 1e6; now += 100) {
      for (const flow of range(0, 10)) bench.insert(now, flow, 1, now);
      bench.resequencer.handleTimeout(now);
    }
  });
  assert(ms < 1_500, `${ms} ms`); // 0.1 s; without strides 10 s
});
