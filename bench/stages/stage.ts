/**
 * One stage of a packet's way through the core, and what it costs: time and
 * memory per packet, in batches as large as the driver's.
 *
 * @module
 */

import { median } from "../median.ts";

/** Packets that a stage handles at a time: one batch. */
export const BATCH = 64;
/** Where the virtual clock begins, in microseconds: an hour, too large for V8's small integers. */
export const START_US = 3_600_000_000;

const WARM_UP_MS = 500;
const ROUNDS = 21;
const ROUND_MS = 10;
/** Batches between two looks at the heap: what they allocate must fit the young generation. */
const HEAP_BATCHES = 2;
const HEAP_ROUNDS = 101;

/** A stage; both functions handle {@linkcode BATCH} packets. */
export interface Stage {
  readonly name: string;
  /** Readies a batch. Not measured, and allocates nothing. */
  prepare(): void;
  run(): void;
}

/** What a packet costs. */
export interface Cost {
  /** Median of the rounds, without the collection of garbage. */
  readonly nsPerPacket: number;
  /** Of the JavaScript heap, median. */
  readonly bytesPerPacket: number;
}

/** Runs a stage until it has been compiled, then measures. */
export function measureStage(stage: Stage): Cost {
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end;) {
    stage.prepare();
    stage.run();
  }
  const times = Array.from({ length: ROUNDS }, () => round(stage));
  return { nsPerPacket: median(times), bytesPerPacket: bytesPerPacket(stage) };
}

/** Nanoseconds per packet, over the batches that take {@linkcode ROUND_MS}. */
function round(stage: Stage): number {
  let spentMs = 0;
  let batches = 0;
  while (spentMs < ROUND_MS) {
    stage.prepare();
    const start = performance.now();
    stage.run();
    spentMs += performance.now() - start;
    batches++;
  }
  return spentMs * 1e6 / (batches * BATCH);
}

/** A round in which garbage was collected seems to give memory back; the median is none of those. */
function bytesPerPacket(stage: Stage): number {
  const growths = Array.from({ length: HEAP_ROUNDS }, () => {
    const before = heapBytes();
    for (let i = 0; i < HEAP_BATCHES; i++) {
      stage.prepare();
      stage.run();
    }
    return heapBytes() - before - HEAP_LOOK_BYTES;
  });
  return Math.max(0, median(growths)) / (HEAP_BATCHES * BATCH);
}

/** Bytes in use on the JavaScript heap. */
export function heapBytes(): number {
  return Deno.memoryUsage().heapUsed;
}

/** What a call of {@linkcode heapBytes} itself leaves behind. */
export const HEAP_LOOK_BYTES: number = median(
  Array.from({ length: 101 }, () => -heapBytes() + heapBytes()),
);
