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
  urgent: (flow: string, bytes?: number) => void;
  shiftExpress: (count: number) => string;
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
    urgent: (flow, bytes = 200) =>
      queue.push(0, slotOf(flow, bytes), flow.charCodeAt(0) % BUCKETS, true),
    shiftExpress: (count) =>
      Array.from({ length: count }, () => names[queue.shiftExpress()] ?? "-").join(" "),
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

/** A queue with two groups; flow `b` is in group 1. */
function twoGroups(): {
  queue: FlowQueue;
  push: (bucket: number, count?: number) => void;
  shift: (group: number) => number;
} {
  const pool = new PacketPool(SLOTS);
  const noDrop = (): void => {};
  const enqueuedAtUs = new Float64Array(SLOTS);
  const queue = new FlowQueue(pool, SLOTS, noDrop, () => false, enqueuedAtUs, 2);
  const bucketOf = new Map<number, number>();
  return {
    queue,
    push(bucket, count = 1): void {
      for (let i = 0; i < count; i++) {
        const slot = pool.alloc();
        pool.lengths[slot] = 1000;
        bucketOf.set(slot, bucket);
        queue.push(0, slot, bucket);
      }
    },
    shift: (group): number => bucketOf.get(queue.shift(0, false, group)) ?? -1,
  };
}

Deno.test("FlowQueue.shift() takes from the flows of one group only", () => {
  const { queue, push, shift } = twoGroups();
  queue.assign(2, 1);
  push(1, 2);
  push(2, 2);
  assertEquals([queue.flowsOf(0), queue.flowsOf(1)], [1, 1]);
  assertEquals([shift(1), shift(1), shift(1)], [2, 2, -1]);
  assert(!queue.hasFlowsOf(1) && queue.hasFlowsOf(0) && queue.hasFlows);
  assertEquals([shift(0), shift(0), shift(0)], [1, 1, -1]);
});

Deno.test("FlowQueue.assign() takes along what waits, wherever the flow stands in its group", () => {
  for (const moved of [1, 2, 3]) {
    for (const served of [0, 1, 2, 3]) {
      const { queue, push, shift } = twoGroups();
      for (const bucket of [1, 2, 3]) push(bucket, 3);
      for (let i = 0; i < served; i++) shift(0);
      const left = queue.bytesOf(0);
      queue.assign(moved, 1);
      assertEquals(queue.bytesOf(0) + queue.bytesOf(1), left);
      assertEquals([queue.flowsOf(0), queue.flowsOf(1)], [2, 1]);
      push(moved);
      const other = Array.from({ length: 12 }, () => shift(1)).filter((bucket) => bucket >= 0);
      assertEquals(new Set(other), new Set([moved]));
      const rest = Array.from({ length: 12 }, () => shift(0)).filter((bucket) => bucket >= 0);
      assertEquals(other.length + rest.length, 10 - served);
      assert(!rest.includes(moved));
      assertEquals([queue.packets, queue.flowsOf(0), queue.flowsOf(1)], [0, 0, 0]);
      push(1);
      push(2);
      assertEquals(queue.headSojournUs(7, moved === 1 ? 1 : 0), 7);
    }
  }
});

Deno.test("FlowQueue.assign() puts a flow that has nothing to send where it will wait", () => {
  const { queue, push, shift } = twoGroups();
  queue.assign(5, 1);
  assertEquals([queue.flowsOf(0), queue.flowsOf(1), queue.firstOf(1)], [0, 0, -1]);
  push(5);
  assertEquals([shift(0), queue.firstOf(1), shift(1)], [-1, 5, 5]);
});

Deno.test("FlowQueue.clear() empties every group", () => {
  const { queue, push } = twoGroups();
  queue.assign(2, 1);
  push(1, 3);
  push(2, 3);
  let released = 0;
  queue.clear(() => released++);
  assertEquals([released, queue.packets, queue.bytesOf(0), queue.bytesOf(1)], [6, 0, 0, 0]);
});

Deno.test("FlowQueue.shiftExpress() takes urgent packets out of their flow, in its order", () => {
  const { queue, push, urgent, shiftExpress, shift } = setUp();
  push("b");
  urgent("a");
  urgent("a");
  push("a");
  urgent("a");
  assert(queue.hasExpress);
  assertEquals(shiftExpress(3), "a1 a2 -"); // what follows a packet that may wait waits too
  assertEquals(queue.hasExpress, false);
  assertEquals(shift(4), "b1 a3 a4 -");
});

Deno.test("FlowQueue.shiftExpress() serves urgent flows in turn, after what needs no order", () => {
  const { queue, express, urgent, shiftExpress, shift } = setUp();
  urgent("a");
  urgent("c");
  express("x");
  assertEquals(shiftExpress(1), "x1");
  assertEquals(shift(1), "a1"); // a turn that comes first is as good
  assertEquals(shiftExpress(2), "c1 -");
  assertEquals(queue.packets, 0);
  urgent("a");
  assertEquals(shiftExpress(2), "a2 -");
});

Deno.test("FlowQueue.shiftExpress() leaves a flow to its turn when much of it waits", () => {
  const { urgent, shiftExpress, shift } = setUp();
  for (let i = 0; i < 6; i++) urgent("a", 3000);
  assertEquals(shiftExpress(5), "a1 a2 a3 a4 -");
  assertEquals(shift(3), "a5 a6 -");
});

Deno.test("FlowQueue.shiftExpress() leaves no turn to a flow that has nothing left", () => {
  const { queue, push, urgent, shiftExpress, shift } = setUp();
  for (const flow of "abc") urgent(flow);
  assertEquals(shiftExpress(3), "a1 b1 c1");
  assertEquals(queue.flowsOf(0), 0);
  urgent("a");
  push("a");
  push("b");
  assertEquals(shiftExpress(1), "a2");
  assertEquals(queue.flowsOf(0), 2, "a has something left");
  assertEquals(shift(3), "a3 b2 -");
});
