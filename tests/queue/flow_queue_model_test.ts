import { assert, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { FlowQueue } from "../../src/queue/flow_queue.ts";
import { PacketPool } from "../../src/slab.ts";
import { type Packet, SlowQueue } from "./slow_queue.ts";

const SLOTS = 128;
/** Every third packet is ECN-capable. */
const isEcn = (slot: number): boolean => slot % 3 === 0;

type Op =
  | { readonly do: "push" | "express"; readonly bucket: number; readonly bytes: number }
  | { readonly do: "shift"; readonly mayDrop: boolean }
  | { readonly do: "shiftExpress" }
  | { readonly do: "wait"; readonly us: number };

/** A queue and its model; each step is done to both and must have the same effect. */
class Pair {
  readonly pool = new PacketPool(SLOTS);
  readonly model: SlowQueue;
  readonly queue: FlowQueue;
  readonly dropped: string[] = [];
  readonly marked: number[] = [];
  now = 1_000_000;

  constructor(limit: number) {
    this.model = new SlowQueue(limit);
    const onDrop = (slot: number, reason: string): void => {
      this.dropped.push(`${slot} ${reason}`);
      this.pool.release(slot);
    };
    this.queue = new FlowQueue(this.pool, limit, onDrop, (slot) => {
      if (isEcn(slot)) this.marked.push(slot);
      return isEcn(slot);
    });
  }

  run(op: Op): void {
    if (op.do === "wait") this.now += op.us;
    else if (op.do === "push" || op.do === "express") this.#push(op.do, op.bucket, op.bytes);
    else if (op.do === "shift") this.#shift(op.mayDrop);
    else this.#release(this.queue.shiftExpress(), this.model.express.shift()?.slot ?? -1);
  }

  compare(): void {
    const { queue, model } = this;
    const waiting = model.waiting;
    assertEquals(queue.packets, waiting.length);
    assertEquals(queue.bytes, waiting.reduce((sum, { bytes }) => sum + bytes, 0));
    assertEquals(queue.hasExpress, model.express.length > 0);
    assertEquals(queue.hasFlows, model.flows.some((flow) => flow.packets.length > 0));
    const first = model.flows.find((flow) => flow.packets.length > 0);
    assertEquals(queue.headSojournUs(this.now), first ? this.now - first.packets[0]!.at : 0);
    assertEquals(this.dropped, model.dropped);
    assertEquals(this.marked, model.marked);
    assertEquals(this.pool.available, SLOTS - waiting.length, "a slot is lost, or given twice");
  }

  #push(how: "push" | "express", bucket: number, bytes: number): void {
    const slot = this.pool.alloc();
    if (slot < 0) return;
    this.pool.lengths[slot] = bytes;
    const packet: Packet = { slot, bytes, at: this.now, ecn: isEcn(slot) };
    if (how === "push") {
      this.queue.push(this.now, slot, bucket);
      this.model.push(packet, bucket);
    } else {
      this.queue.pushExpress(this.now, slot, bucket);
      this.model.pushExpress(packet, bucket);
    }
  }

  #shift(mayDrop: boolean): void {
    const expected = this.model.shift(this.now, mayDrop);
    this.#release(this.queue.shift(this.now, mayDrop), expected?.slot ?? -1);
    if (expected) assertEquals(this.queue.bucket, expected.bucket);
  }

  #release(slot: number, expected: number): void {
    assertEquals(slot, expected);
    if (slot >= 0) this.pool.release(slot);
  }
}

const bucket = fc.nat(7);
const bytes = fc.constantFrom(40, 100, 757, 1400, 1514, 1900);
const push: fc.Arbitrary<Op> = fc.record({ do: fc.constant("push" as const), bucket, bytes });
const express: fc.Arbitrary<Op> = fc.record({ do: fc.constant("express" as const), bucket, bytes });
const shift: fc.Arbitrary<Op> = fc.record({
  do: fc.constant("shift" as const),
  mayDrop: fc.boolean(),
});
const shiftExpress: fc.Arbitrary<Op> = fc.constant({ do: "shiftExpress" });
const wait: fc.Arbitrary<Op> = fc.record({ do: fc.constant("wait" as const), us: fc.nat(150_000) });

Deno.test("FlowQueue does what the obvious model of RFC 8290 does, and no slot is lost", () => {
  const op = fc.oneof(
    { arbitrary: push, weight: 5 },
    { arbitrary: express, weight: 2 },
    { arbitrary: shift, weight: 4 },
    { arbitrary: shiftExpress, weight: 1 },
    { arbitrary: wait, weight: 1 },
  );
  const ops = fc.array(op, { maxLength: 300, size: "max" });
  const seen = new Set<string>();
  fc.assert(fc.property(fc.integer({ min: 1, max: SLOTS }), ops, (limit, plan) => {
    const pair = new Pair(limit);
    for (const step of plan) {
      pair.run(step);
      pair.compare();
    }
    for (const drop of pair.dropped) seen.add(drop.split(" ")[1]!);
    if (pair.marked.length > 0) seen.add("mark");
    while (pair.queue.hasExpress) pair.run({ do: "shiftExpress" });
    while (pair.queue.hasFlows) pair.run({ do: "shift", mayDrop: false });
    pair.compare();
    assertEquals(pair.pool.available, SLOTS);
  }));
  assertEquals([...seen].sort(), ["codel", "mark", "queue-full"], "the plans are too tame");
});

Deno.test("FlowQueue under a standing queue follows the model through CoDel's drops and marks", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(bucket, bytes), { minLength: 100, maxLength: 400 }), (plan) => {
      const pair = new Pair(SLOTS);
      for (const [bucket, bytes] of plan) {
        pair.run({ do: "push", bucket, bytes });
        pair.run({ do: "wait", us: 4_000 });
        if (pair.queue.packets > 60) pair.run({ do: "shift", mayDrop: true });
      }
      pair.compare();
    }),
    { numRuns: 30 },
  );
});

Deno.test("FlowQueue.shift() never drops or marks when it may not", () => {
  const pair = new Pair(SLOTS);
  for (let i = 0; i < SLOTS; i++) pair.run({ do: "push", bucket: i % 2, bytes: 1400 });
  for (let i = 0; i < SLOTS; i++) {
    pair.run({ do: "wait", us: 50_000 });
    pair.run({ do: "shift", mayDrop: false });
  }
  assertEquals([pair.dropped, pair.marked, pair.queue.packets], [[], [], 0]);
});

Deno.test("FlowQueue.shift() does not hold against a flow the time it waited while drops were forbidden", () => {
  const pair = new Pair(SLOTS);
  for (let i = 0; i < 20; i++) pair.run({ do: "push", bucket: 0, bytes: 1400 });
  pair.run({ do: "wait", us: 20_000 });
  pair.run({ do: "shift", mayDrop: true }); // late for the first time
  pair.run({ do: "wait", us: 200_000 });
  pair.run({ do: "shift", mayDrop: false });
  pair.run({ do: "shift", mayDrop: true });
  assertEquals([pair.dropped, pair.marked], [[], []]);
  pair.run({ do: "wait", us: 100_000 });
  pair.run({ do: "shift", mayDrop: true });
  assertEquals(pair.dropped.length + pair.marked.length, 1);
});

Deno.test("FlowQueue.shift() drops what has waited for seconds when it may", () => {
  const pair = new Pair(SLOTS);
  for (let i = 0; i < SLOTS; i++) pair.run({ do: "push", bucket: 0, bytes: 1400 });
  while (pair.queue.hasFlows) {
    pair.run({ do: "wait", us: 50_000 });
    pair.run({ do: "shift", mayDrop: true });
  }
  assertGreater(pair.dropped.length, 10);
  assertGreater(pair.marked.length, 5);
  assert(pair.dropped.every((drop) => drop.endsWith(" codel")));
  pair.compare();
});
