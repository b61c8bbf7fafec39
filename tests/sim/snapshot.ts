/**
 * The matrix as a text that is kept with the source, so that a regression shows as a diff. Figures
 * are rounded so that insignificant changes do not show.
 *
 * @module
 */

import { explaining } from "../pair/invariants.ts";
import { medianResult } from "./format.ts";
import { type Result, runScenario, type Scenario } from "./scenario.ts";
import type { TunnelFactory } from "./tunnel.ts";

/** The first of the seeds that a row is the median of. */
export const SNAPSHOT_SEED = 1;
/** How to renew the table. */
export const RENEW_COMMAND = "deno run -A tests/sim/table.ts --snapshot";
const NAME_WIDTH = 30;
/** How much worse a row may get. */
const MAX_POINTS = 3;
const MAX_TIME_FACTOR = 1.2;
const MAX_TIME_MS = 5;

/** `share`: more is better; `ms`: less is better; `note`: shown, not judged. */
type Kind = "share" | "ms" | "note";

const COLUMNS: readonly (readonly [string, Kind, (result: Result) => number])[] = [
  ["%sum", "share", (r) => r.goodputMbps === 0 ? NaN : round(r.percentOfSum, 0.5)],
  ["rtt50", "ms", (r) => round(r.loadedRttMs, 1)],
  ["rtt95", "ms", (r) => round(r.loadedRtt95Ms, 1)],
  ["hold99", "note", (r) => round(r.p99HoldUs / 1000, 5)],
  ["drops", "note", (r) => firstDigit(r.queueDrops + r.tunDrops)],
  ["lost", "note", (r) => firstDigit(r.lost)],
  ["gap", "ms", (r) => round(r.longestGapMs, 1)],
  ["slost", "note", (r) => r.streamLost],
  ["owd99", "ms", (r) => round(r.delay99Ms, 1)],
  ["req50", "ms", (r) => round(r.requestMs, 1)],
  ["req95", "ms", (r) => round(r.request95Ms, 1)],
  ["outside", "note", (r) => round(r.outsideMbps, 1)],
  ["jain", "note", (r) => round(r.fairness, 0.05)],
];

/** Runs a scenario as often as its row needs; rethrows what a run throws, with how to replay it. */
export function runForSnapshot(
  scenario: Scenario,
  factory: (scenario: Scenario) => TunnelFactory,
): Result {
  const { seeds = 1 } = scenario;
  const results = Array.from({ length: seeds }, (_, i) => {
    const seed = SNAPSHOT_SEED + i;
    const hint = (): string => `\nReplay: ${replayCommand(scenario, seed)}`;
    return explaining(hint, () => runScenario(scenario, factory, { seed }));
  });
  return medianResult(results);
}

/** The command that shows a run step by step. */
export function replayCommand({ name }: Scenario, seed: number): string {
  return `deno run -A tests/sim/table.ts --only "=${name}" --seed ${seed} --trace`;
}

/** The titles, above the rows. Times are milliseconds. */
export function snapshotHeader(): string {
  return formatRow("scenario", COLUMNS.map(([title]) => title));
}

/** The row of a scenario. */
export function snapshotRow(name: string, result: Result): string {
  return formatRow(name, COLUMNS.map(([, , value]) => textOf(value(result))));
}

/** Returns the rows of a table by name. */
export function parseSnapshot(text: string): Map<string, string> {
  const rows = text.split("\n").slice(1).filter((row) => row.trim() !== "");
  return new Map(rows.map((row) => [row.split(" | ")[0]!.trimEnd(), row]));
}

/** What in a row has got worse than the tolerance allows, in words; empty when nothing has. */
export function regressions(before: string, after: string): string[] {
  const old = cellsOf(before);
  const fresh = cellsOf(after);
  return COLUMNS.flatMap(([title, kind], i) => {
    const [from, to] = [old[i] ?? NaN, fresh[i] ?? NaN];
    if (kind === "note" || Number.isNaN(from)) return [];
    const limit = kind === "share" ? from - MAX_POINTS : from * MAX_TIME_FACTOR + MAX_TIME_MS;
    const well = kind === "share" ? to >= limit : to <= limit;
    return well ? [] : [`${title}: ${from} -> ${to}, limit ${limit.toFixed(1)}`];
  });
}

function cellsOf(row: string): number[] {
  return row.split(" | ").slice(1).map(Number);
}

function formatRow(name: string, cells: readonly string[]): string {
  return [name.padEnd(NAME_WIDTH), ...cells.map((cell) => cell.padStart(6))].join(" | ");
}

function textOf(value: number): string {
  return Number.isNaN(value) ? "-" : String(value);
}

/** Rounds to a multiple of `step`. */
function round(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toFixed(2));
}

/** 0, 7, 40, 300: counts of rare things are no more precise than that. */
function firstDigit(value: number): number {
  if (value < 10) return value;
  const unit = 10 ** Math.floor(Math.log10(value));
  return Math.round(value / unit) * unit;
}
