/**
 * The goodput table as text.
 *
 * @module
 */

import type { Result } from "./scenario.ts";

const NAME_WIDTH = 27;

/** A column: title, width, and content. */
const COLUMNS: readonly (readonly [string, number, (result: Result) => string])[] = [
  ["Mbit/s", 7, (r) => r.goodputMbps.toFixed(1)],
  ["%sum", 5, (r) => r.percentOfSum.toFixed(1)],
  ["ramp s", 6, (r) => number(r.rampS, 1)],
  ["rtt50", 6, (r) => number(r.loadedRttMs, 1)],
  ["rtt95", 6, (r) => number(r.loadedRtt95Ms, 1)],
  ["hold99", 6, (r) => number(r.p99HoldUs / 1000, 1)],
  ["qdrop", 6, (r) => r.queueDrops.toFixed(0)],
  ["lineloss", 8, (r) => r.lineLosses.toFixed(0)],
  ["toobig", 6, (r) => r.tooBig.toFixed(0)],
  ["tundrop", 7, (r) => r.tunDrops.toFixed(0)],
  ["lost", 6, (r) => r.lost.toFixed(0)],
  ["late", 6, (r) => r.late.toFixed(0)],
  ["resent", 6, (r) => r.resent.toFixed(0)],
  ["gap ms", 6, (r) => number(r.longestGapMs, 0)],
  ["slost", 5, (r) => number(r.streamLost, 0)],
  ["owd99", 6, (r) => number(r.delay99Ms, 1)],
  ["req50", 6, (r) => number(r.requestMs, 0)],
  ["req95", 6, (r) => number(r.request95Ms, 0)],
  ["outside", 7, (r) => number(r.outsideMbps, 1)],
  ["jain", 5, (r) => number(r.fairness, 2)],
];

function number(value: number, digits: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(digits);
}

/** The titles. Times without a unit are milliseconds. */
export function formatHeader(): string {
  const titles = COLUMNS.map(([title, width]) => title.padStart(width));
  return ["scenario".padEnd(NAME_WIDTH), ...titles, " wall s"].join(" ");
}

/** One row; a text instead of a result says why there is none. */
export function formatResult(name: string, result: Result | string, wallMs: number): string {
  const wall = (wallMs / 1000).toFixed(1).padStart(7);
  if (typeof result === "string") return `${name.padEnd(NAME_WIDTH)} ${result}`;
  const cells = COLUMNS.map(([, width, cell]) => cell(result).padStart(width));
  return [name.padEnd(NAME_WIDTH), ...cells, wall].join(" ");
}

/** Takes the median of each number. */
export function medianResult(results: readonly Result[]): Result {
  const keys = Object.keys(results[0]!) as (keyof Result)[];
  const median = (key: keyof Result): number => {
    const values = results.map((result) => result[key]).sort((a, b) => a - b);
    return values[values.length >> 1]!;
  };
  return Object.fromEntries(keys.map((key) => [key, median(key)])) as unknown as Result;
}
