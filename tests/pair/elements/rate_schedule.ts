/**
 * A capacity over time: constant, in steps, or as opportunities of a Mahimahi
 * trace. All answer one question: when will this much have been sent?
 *
 * @module
 */

/** A capacity that is known for all time. */
export interface RateSchedule {
  /** Returns when `bytes` that start at `at` will have been sent; calls are in order of time. */
  finish(at: number, bytes: number): number;
  /** Mean capacity between two instants in bit/s. */
  meanBps(fromUs: number, toUs: number): number;
  /** A fresh copy, if {@linkcode finish} keeps track of what was sent. */
  fresh?(): RateSchedule;
}

/** One level of a {@linkcode steppedRate}: how fast, and for how long. */
export interface RateStep {
  readonly bps: number;
  /** How long it lasts, in microseconds. */
  readonly forUs: number;
}

/** A constant capacity of `bps`. */
export function constantRate(bps: number): RateSchedule {
  const usPerByte = 8e6 / bps;
  return {
    finish: (at, bytes): number => at + bytes * usPerByte,
    meanBps: (): number => bps,
  };
}

/** A capacity that repeats `steps`. A step of 0 bit/s holds everything. */
export function steppedRate(steps: readonly RateStep[]): RateSchedule {
  const periodUs = steps.reduce((sum, step) => sum + step.forUs, 0);
  const ends = steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, s) => sum + s.forUs, 0));
  const indexAt = (phase: number): number => {
    const found = ends.findIndex((end) => phase < end);
    return found < 0 ? steps.length : found;
  };
  const walk = (at: number, visit: (bps: number, spanUs: number) => number): number => {
    let base = Math.floor(at / periodUs) * periodUs;
    let time = at;
    for (let i = indexAt(at - base);; i++) {
      if (i === steps.length) {
        i = 0;
        base += periodUs;
      }
      const end = base + ends[i]!;
      const usedUs = visit(steps[i]!.bps, end - time);
      if (usedUs < end - time) return time + usedUs;
      time = end;
    }
  };
  return {
    finish(at, bytes): number {
      let bits = bytes * 8;
      return walk(at, (bps, spanUs) => {
        const neededUs = bps > 0 ? bits * 1e6 / bps : Infinity;
        bits -= bps * spanUs / 1e6;
        return neededUs;
      });
    },
    meanBps(fromUs, toUs): number {
      let bits = 0;
      let leftUs = toUs - fromUs;
      walk(fromUs, (bps, spanUs) => {
        const usedUs = Math.min(spanUs, leftUs);
        bits += bps * usedUs / 1e6;
        leftUs -= usedUs;
        return leftUs > 0 ? Infinity : -1;
      });
      return bits * 1e6 / (toUs - fromUs);
    },
  };
}

/** Bytes that one opportunity of a Mahimahi trace carries. */
export const OPPORTUNITY_BYTES = 1504;

/**
 * A capacity given as in Mahimahi's trace files (mm-link(1)): each line is a
 * millisecond at which one packet of 1504 bytes may be sent; the file repeats.
 */
export function traceRate(text: string): RateSchedule {
  return traceOf(text.split("\n").filter((line) => line.trim() !== "").map(Number));
}

/** The same, of the milliseconds in the order of the file, which is not empty. */
export function traceOf(lines: readonly number[]): RateSchedule {
  const periodUs = lines.at(-1)! * 1000;
  let next = 0;
  let spare = 0;
  const timeOf = (n: number): number =>
    Math.floor(n / lines.length) * periodUs + lines[n % lines.length]! * 1000;
  return {
    finish(at, bytes): number {
      let needed = bytes;
      if (spare > 0 && timeOf(next - 1) >= at) {
        const used = Math.min(spare, needed);
        spare -= used;
        needed -= used;
        if (needed === 0) return timeOf(next - 1);
      }
      while (timeOf(next) < at) next++;
      while (needed > 0) {
        spare = OPPORTUNITY_BYTES - Math.min(needed, OPPORTUNITY_BYTES);
        needed -= Math.min(needed, OPPORTUNITY_BYTES);
        next++;
      }
      return timeOf(next - 1);
    },
    meanBps: (fromUs, toUs): number => {
      const before = (us: number): number =>
        Math.floor(us / periodUs) * lines.length +
        lines.filter((ms) => ms * 1000 < us % periodUs).length;
      const count = before(toUs) - before(fromUs);
      return count * OPPORTUNITY_BYTES * 8e6 / (toUs - fromUs);
    },
    fresh: (): RateSchedule => traceOf(lines),
  };
}
