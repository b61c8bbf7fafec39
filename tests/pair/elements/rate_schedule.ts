/**
 * A capacity over time: constant, in steps, or as opportunities of a Mahimahi
 * trace. All answer one question: when will this much have been sent?
 *
 * @module
 */

import { carriedBps, Opportunities, periodUs } from "../../../lab/emulator/opportunities.ts";

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

/**
 * A shaper's token bucket, as of many access lines: `peakBps` until `burstBytes` were sent at more
 * than `bps`, which fill again at that rate.
 */
export function burstRate(bps: number, peakBps: number, burstBytes: number): RateSchedule {
  let tokens = burstBytes;
  let leftAt = 0;
  return {
    finish(at, bytes): number {
      tokens = Math.min(burstBytes, tokens + Math.max(0, at - leftAt) * bps / 8e6);
      const sinceUs = bytes * 8e6 / peakBps;
      tokens += sinceUs * bps / 8e6 - bytes;
      const lackUs = tokens < 0 ? -tokens * 8e6 / bps : 0;
      if (tokens < 0) tokens = 0;
      leftAt = at + sinceUs + lackUs;
      return leftAt;
    },
    meanBps: (): number => bps,
    fresh: (): RateSchedule => burstRate(bps, peakBps, burstBytes),
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

/**
 * A capacity given as in Mahimahi's trace files (mm-link(1)): each line is a millisecond at which
 * 1500 bytes may be sent; the last one is the period.
 */
export function traceRate(text: string): RateSchedule {
  return traceOf(text.split("\n").filter((line) => line.trim() !== "").map(Number));
}

/**
 * The same, of the milliseconds in the order of the file, which is not empty.
 * @param beginUs when the file is played from its beginning; until then it plays its end
 */
export function traceOf(ms: readonly number[], beginUs = 0): RateSchedule {
  const turns = Math.ceil(beginUs / periodUs(ms));
  const opportunities = new Opportunities(ms, beginUs - turns * periodUs(ms));
  return {
    finish: (at, bytes): number => opportunities.finish(at, bytes),
    meanBps: (fromUs, toUs): number => carriedBps(ms, fromUs - beginUs, toUs - beginUs),
    fresh: (): RateSchedule => traceOf(ms, beginUs),
  };
}
