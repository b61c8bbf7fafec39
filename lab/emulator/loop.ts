/**
 * The emulator's loop: wait until a packet comes, one is due or an order waits; then move
 * everything that can be moved. It blocks in the kernel on purpose: the process does nothing else,
 * and JavaScript timers are too coarse.
 *
 * Rounds begin at least {@linkcode ROUND_US} apart, so that under load one
 * wake-up moves several packets. The kernel wakes a thread some time after it
 * should, more so when the processor was idle; the loop measures that and acts earlier by twice
 * that time: once for the packet's arrival, which was noticed late, and once for its departure.
 *
 * @module
 */

import { HostClock, openLibc, writeTimespec } from "../libc.ts";
import type { Lane, Line } from "./line.ts";

/** Shortest time between two rounds, in microseconds. */
const ROUND_US = 80;
/** Bounds of the assumed lateness, in microseconds. */
const LEAST_LATE_US = 30;
const MOST_LATE_US = 200;
/** Longest wait, in microseconds: orders wake it anyway. */
const LONGEST_WAIT_US = 1_000_000;
const POLLIN = 1;

/** Runs until `onInput` returns false; `input` is a descriptor that orders come from. */
export function runLoop(lines: readonly Line[], input: number, onInput: () => boolean): void {
  const libc = openLibc();
  const clock = new HostClock();
  clock.sharpen();
  clock.goFirst();
  const lanes = lines.flatMap((line) => [line.up, line.down]);
  const fds = pollSet(lanes, input);
  const revents = new Uint16Array(fds.buffer);
  const count = BigInt(lanes.length + 1);
  const timeout = new Uint32Array(4);
  let lastRound = 0;
  let lateUs = LEAST_LATE_US;
  for (;;) {
    const before = clock.now();
    const wait = Math.min(LONGEST_WAIT_US, Math.max(0, nextEvent(lanes) - 2 * lateUs - before));
    writeTimespec(timeout, wait);
    const ready = libc.ppoll(fds, count, timeout, null);
    if (ready === 0 && wait > 0) lateUs = follow(lateUs, clock.now() - before - wait);
    clock.sleep(lastRound + ROUND_US - clock.now());
    lastRound = clock.now();
    for (let i = 0; ready > 0 && i < lanes.length; i++) {
      if ((revents[i * 4 + 3] ?? 0) !== 0) readAll(lanes[i] as Lane, lastRound);
    }
    const due = clock.now() + 2 * lateUs;
    for (let i = 0; i < lanes.length; i++) (lanes[i] as Lane).deliver(due);
    if ((revents[lanes.length * 4 + 3] ?? 0) !== 0 && !onInput()) return;
  }
}

/** The smoothed lateness after one more measurement. */
function follow(lateUs: number, measuredUs: number): number {
  const bounded = Math.min(MOST_LATE_US, Math.max(LEAST_LATE_US, measuredUs));
  return lateUs + (bounded - lateUs) / 16;
}

function readAll(lane: Lane, now: number): void {
  for (let i = 0; i < 8 && !lane.read(now); i++);
}

/** An array of `struct pollfd`: fd 0:4, events 4:2, revents 6:2. */
function pollSet(lanes: readonly Lane[], input: number): Int32Array<ArrayBuffer> {
  const fds = new Int32Array((lanes.length + 1) * 2);
  [...lanes.map((lane) => lane.from), input].forEach((fd, i) => {
    fds[i * 2] = fd;
    fds[i * 2 + 1] = POLLIN;
  });
  return fds;
}

function nextEvent(lanes: readonly Lane[]): number {
  let next = Infinity;
  for (let i = 0; i < lanes.length; i++) {
    const at = (lanes[i] as Lane).direction.nextEvent();
    if (at < next) next = at;
  }
  return next;
}
