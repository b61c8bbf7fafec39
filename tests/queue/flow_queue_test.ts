import { assert, assertEquals } from "@std/assert";
import { BUCKETS, FlowQueue } from "../../src/queue/flow_queue.ts";
import { PacketPool } from "../../src/slab.ts";

const SLOTS = 256;

/** A queue whose packets are told apart by names like "a3": third packet of flow a. */
function setUp(limit = SLOTS): {
  queue: FlowQueue;
  dropped: string[];
  push: (flow: string, bytes?: number, now?: number) => void;
  express: (flow: string) => void;
  shift: (count: number, now?: number) => string;
} {
  const pool = new PacketPool(SLOTS);
  const names: string[] = [];
  const counts: Record<string, number> = {};
  const dropped: string[] = [];
  const onDrop = (slot: number): void => {
    dropped.push(names[slot]!);
    pool.release(slot);
  };
  const queue = new FlowQueue(pool, limit, onDrop, () => false);
  const slotOf = (flow: string, bytes: number): number => {
    const slot = pool.alloc();
    counts[flow] = (counts[flow] ?? 0) + 1;
    names[slot] = `${flow}${counts[flow]}`;
    pool.lengths[slot] = bytes;
    return slot;
  };
  return {
    queue,
    dropped,
    push: (flow, bytes = 1400, now = 0) =>
      queue.push(now, slotOf(flow, bytes), flow.charCodeAt(0) % BUCKETS),
    express: (flow) => queue.pushExpress(0, slotOf(flow, 100), flow.charCodeAt(0) % BUCKETS),
    shift: (count, now = 0) =>
      Array.from({ length: count }, () => names[queue.shift(now, false)] ?? "-").join(" "),
  };
}

Deno.test("FlowQueue.shift() keeps the order within a flow and says which flow it served", () => {
  const { queue, push, shift } = setUp();
  for (let i = 0; i < 3; i++) push("a");
  assertEquals(shift(4), "a1 a2 a3 -");
  assertEquals(queue.bucket, "a".charCodeAt(0));
});

Deno.test("FlowQueue.shift() shares bytes, not packets, between flows", () => {
  const { push, shift } = setUp();
  for (let i = 0; i < 100; i++) push("b", 300);
  for (let i = 0; i < 20; i++) push("a", 1500);
  const served = shift(60).split(" ");
  const bytesOf = (flow: string): number =>
    served.filter((name) => name.startsWith(flow)).length * (flow === "a" ? 1500 : 300);
  assert(Math.abs(bytesOf("a") - bytesOf("b")) <= 3000, `${bytesOf("a")} and ${bytesOf("b")}`);
});

Deno.test("FlowQueue.shift() serves a flow that begins before those that have a backlog", () => {
  const { push, shift } = setUp();
  for (let i = 0; i < 10; i++) push("a");
  for (let i = 0; i < 10; i++) push("b");
  assertEquals(shift(4), "a1 a2 b1 b2"); // a quantum each, the last packet may exceed it
  push("s", 100);
  assertEquals(shift(3), "s1 a3 b3");
});

Deno.test("FlowQueue.shift() does not let a flow that empties and returns starve the others", () => {
  const { push, shift } = setUp();
  for (let i = 0; i < 10; i++) push("a");
  shift(2);
  push("s", 100);
  assertEquals(shift(1), "s1");
  const served: string[] = [];
  for (let i = 0; i < 12; i++) { // a packet of s whenever one was served
    push("s", 1400);
    served.push(shift(1)[0]!);
  }
  assert(served.filter((flow) => flow === "a").length >= 5, served.join(" "));
});

Deno.test("FlowQueue.push() beyond the limit drops the oldest packet of the longest flow", () => {
  const { queue, push, dropped } = setUp(6);
  for (let i = 0; i < 4; i++) push("a", 500);
  for (let i = 0; i < 2; i++) push("b", 1400);
  push("c", 40);
  assertEquals(dropped, ["b1"]);
  push("c", 40);
  assertEquals(dropped, ["b1", "a1"]);
  assertEquals([queue.packets, queue.bytes], [6, 3 * 500 + 1400 + 80]);
});

Deno.test("FlowQueue.pushExpress() keeps 64 packets out of turn, the rest wait in theirs", () => {
  const { queue, express } = setUp();
  for (let i = 0; i < 64; i++) express("e");
  assertEquals([queue.hasExpress, queue.hasFlows], [true, false]);
  express("e");
  assertEquals([queue.packets, queue.hasFlows], [65, true]);
  for (let i = 0; i < 64; i++) assert(queue.shiftExpress() >= 0);
  assertEquals([queue.shiftExpress(), queue.hasExpress, queue.packets], [-1, false, 1]);
});

Deno.test("FlowQueue.headSojournUs() is the age of what is served next", () => {
  const { queue, push, shift } = setUp();
  assertEquals(queue.headSojournUs(5000), 0);
  push("a", 1400, 1000);
  push("a", 1400, 2000);
  push("b", 1400, 3000);
  assertEquals(queue.headSojournUs(5000), 4000);
  shift(1);
  assertEquals(queue.headSojournUs(5000), 3000);
  shift(1); // a has nothing left but is still first on its list
  assertEquals(queue.headSojournUs(5000), 2000);
  shift(1);
  assertEquals(queue.headSojournUs(5000), 0);
});

Deno.test("FlowQueue.headSojournUs() does not count express packets", () => {
  const { queue, express } = setUp();
  express("e");
  assertEquals(queue.headSojournUs(1_000_000), 0);
});

Deno.test("FlowQueue.clear() hands every packet over once and leaves it usable", () => {
  const { queue, push, express, shift } = setUp();
  for (let i = 0; i < 70; i++) express("e");
  for (let i = 0; i < 20; i++) push("abc"[i % 3]!);
  const released: number[] = [];
  queue.clear((slot) => released.push(slot));
  assertEquals([released.length, new Set(released).size], [90, 90]);
  assertEquals([queue.packets, queue.bytes, queue.hasExpress, queue.hasFlows], [
    0,
    0,
    false,
    false,
  ]);
  push("z");
  assertEquals(shift(2), "z1 -");
});
