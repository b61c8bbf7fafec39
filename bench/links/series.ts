/**
 * Goodput over time in steps of 100 ms, and the figures taken from it.
 *
 * @module
 */

import type { Measured } from "./scenario.ts";

/** Length of a step. */
export const STEP_SECONDS = 0.1;
/** Window for finding the time to full speed. */
const RAMP_STEPS = 3;

/** Bits per second of TCP payload of all flows, per step from the beginning. */
export function totalSteps({ flows }: Measured): number[] {
  const length = Math.max(0, ...flows.map(({ samples }) => samples.length));
  return Array.from(
    { length },
    (_, i) => flows.reduce((sum, { samples }) => sum + (samples[i]?.bytes ?? 0), 0) * 80,
  );
}

/** Mean of the steps between two instants in seconds; NaN when there are none. */
export function meanBetween(steps: readonly number[], from: number, to: number): number {
  const slice = steps.slice(Math.round(from / STEP_SECONDS), Math.round(to / STEP_SECONDS));
  return slice.length === 0 ? NaN : slice.reduce((sum, value) => sum + value, 0) / slice.length;
}

/** Steps that {@linkcode smooth} averages: single ones show the bursts of TCP, not the lines. */
export const SMOOTH_STEPS = 5;

/** Moving mean around each step. */
export function smooth(steps: readonly number[]): number[] {
  const half = SMOOTH_STEPS >> 1;
  return steps.map((_, i) => {
    const slice = steps.slice(Math.max(0, i - half), i + half + 1);
    return slice.reduce((sum, value) => sum + value, 0) / slice.length;
  });
}

/** Steps as points in the middle of their time, in Mbit/s. */
export function megabits(steps: readonly number[]): [x: number, y: number][] {
  return steps.map((bps, i) => [(i + 0.5) * STEP_SECONDS, bps / 1e6]);
}

/** TCP payload per second of all flows without the warm-up. */
export function goodputBps(measured: Measured): number {
  return measured.flows.reduce((sum, flow) => sum + flow.bps, 0);
}

/** Seconds until 300 ms together reach 80 % of `bps`; NaN when they never do. */
export function rampSeconds(steps: readonly number[], bps: number): number {
  const enough = 0.8 * bps * RAMP_STEPS;
  for (let end = RAMP_STEPS; end <= steps.length; end++) {
    const sum = steps.slice(end - RAMP_STEPS, end).reduce((a, b) => a + b, 0);
    if (sum >= enough) return end * STEP_SECONDS;
  }
  return NaN;
}

/** Seconds from `after` until 200 ms together reach `bps`; NaN when they never do. */
export function secondsUntil(steps: readonly number[], after: number, bps: number): number {
  const first = Math.round(after / STEP_SECONDS);
  for (let i = first; i + 1 < steps.length; i++) {
    if (((steps[i] ?? 0) + (steps[i + 1] ?? 0)) / 2 >= bps) {
      return (i + 2 - first) * STEP_SECONDS;
    }
  }
  return NaN;
}

/** Jain's fairness index of rates: 1 when all are equal. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0);
  const squares = values.reduce((a, b) => a + b * b, 0);
  return squares === 0 ? NaN : sum * sum / (values.length * squares);
}

/** A reading of a counter of bytes, at a time in seconds. */
export interface Reading {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Bits per second per step from readings at irregular times, from 0 to `seconds`; between readings
 * the counter is assumed to grow evenly.
 */
export function resample(readings: readonly Reading[], seconds: number): number[] {
  const count = Math.round(seconds / STEP_SECONDS);
  const at = Array.from({ length: count + 1 }, (_, i) => bytesAt(readings, i * STEP_SECONDS));
  return at.slice(1).map((bytes, i) => (bytes - (at[i] ?? 0)) * 8 / STEP_SECONDS);
}

function bytesAt(readings: readonly Reading[], time: number): number {
  const next = readings.findIndex(({ at }) => at >= time);
  const after = readings[next];
  if (after === undefined) return readings.at(-1)?.bytes ?? 0;
  const before = readings[next - 1];
  if (before === undefined || after.at === before.at) return after.bytes;
  const share = (time - before.at) / (after.at - before.at);
  return before.bytes + share * (after.bytes - before.bytes);
}
