/**
 * The table of `make bench-links` for people, and the same for programs.
 *
 * @module
 */

import { rawSumBps } from "./capacity.ts";
import type { Machine } from "./machine.ts";
import type { Measured, Scenario } from "./scenario.ts";
import { goodputBps, rampSeconds, totalSteps } from "./series.ts";

/** Percentages of lab and simulator that differ by more points than this are marked. */
const MAX_DIFFERENCE = 10;

/** A measurement during which others used more of the machine than this is marked. */
const MAX_OTHERS = 0.05;

/** One row: one expectation of one case, over all runs. */
export interface Result {
  readonly case: string;
  readonly title: string;
  readonly label: string;
  readonly unit: string;
  /** Of every run, in order. */
  readonly values: readonly number[];
  readonly median: number;
  /** The simulator's median; null where it was not asked. */
  readonly simulated: number | null;
  /** Whether both are percentages and far from each other. */
  readonly differs: boolean;
  /** Goodput divided by the raw sum of the lines, where both are known. */
  readonly ofSum: number | null;
  /** Seconds from the beginning until 80 % of the final goodput; null without traffic. */
  readonly rampSeconds: number | null;
  /** Such as `>= 85`; empty for a reference. */
  readonly target: string;
  /** Null for a reference. */
  readonly pass: boolean | null;
  /** Shares of a CPU: client, server, link emulator. Of the last run. */
  readonly cpu: readonly number[];
  /** Of every run. */
  readonly machine: readonly Machine[];
}

/** Rows of one case from its runs, and from those of the simulator. */
export function resultsOf(
  scenario: Scenario,
  runs: readonly Measured[],
  simulated: readonly Measured[] = [],
): Result[] {
  const last = runs.at(-1);
  const common = {
    case: scenario.name,
    title: scenario.title,
    ofSum: ofSum(scenario, runs),
    rampSeconds: scenario.action.kind === "traffic" ? middle(runs.map(rampOf)) : null,
    cpu: [...last?.cpu ?? [], last?.emulatorCpu ?? 0],
    machine: runs.flatMap(({ machine }) => machine ?? []),
  };
  return scenario.expect.map((expectation): Result => {
    const { target, label, unit, value } = expectation;
    const values = runs.map((run) => value(run, scenario));
    const median = middle(values);
    const other = simulated.length === 0
      ? null
      : middle(simulated.map((run) => value(run, scenario)));
    return {
      ...common,
      label,
      unit,
      values,
      median,
      simulated: other,
      differs: unit === "%" && other !== null && Math.abs(median - other) > MAX_DIFFERENCE,
      target: target ? `${target.sense} ${target.value}` : "",
      pass: target ? holds(median, target.sense, target.value) : null,
    };
  });
}

function rampOf(measured: Measured): number {
  return rampSeconds(totalSteps(measured), goodputBps(measured));
}

/** The median; NaN without values, and NaN counts as the largest. */
function middle(values: readonly number[]): number {
  const sorted = values.map((value) => Number.isNaN(value) ? Infinity : value)
    .sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1
    ? sorted[half] ?? NaN
    : ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2;
  return median === Infinity ? NaN : median;
}

function ofSum(scenario: Scenario, runs: readonly Measured[]): number | null {
  const sum = rawSumBps(scenario);
  return sum === 0 ? null : middle(runs.map(goodputBps)) / sum;
}

function holds(value: number, sense: ">=" | "<" | "<=", target: number): boolean {
  if (sense === ">=") return value >= target;
  return sense === "<" ? value < target : value <= target;
}

/** Columns of a row before its figures. */
const LABEL_COLUMNS = 33;

/** The headings of the rows. */
export const HEADING = `${"case".padEnd(LABEL_COLUMNS)}measured       simulated ramp s  target`;

/** A row as text of 80 columns; the title, and how busy the machine was, only once per case. */
export function rowText(result: Result, isFirst: boolean): string {
  const verdict = result.pass === null ? "" : result.pass ? "pass" : "FAIL";
  const ramp = isFirst && result.rampSeconds !== null ? figure(result.rampSeconds) : "";
  const mark = result.differs ? " <>" : "   ";
  const simulated = result.simulated === null ? "" : figure(result.simulated);
  const row = `  ${result.label.padEnd(LABEL_COLUMNS - 2)}${figure(result.median).padStart(8)} ` +
    `${result.unit.padEnd(7)}${simulated.padStart(8)}${mark}${ramp.padStart(4)}  ` +
    `${result.target.padEnd(8)}${verdict}`;
  return (isFirst ? `${headText(result)}\n` : "") + row.trimEnd();
}

function headText({ title, machine }: Result): string {
  if (machine.length === 0) return title;
  const most = (value: (machine: Machine) => number): number => Math.max(...machine.map(value));
  const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
  const others = most((it) => it.others);
  const stolen = most((it) => it.stolen);
  const state = `load ${most((it) => it.load).toFixed(1)}, ` +
    `CPU idle ${percent(Math.min(...machine.map(({ idle }) => idle)))}` +
    (others < MAX_OTHERS ? "" : `, others ${percent(others)} (!)`) +
    (stolen < 0.005 ? "" : `, stolen ${percent(stolen)}`);
  return `${title}\n    (${state})`;
}

/** What the columns mean. */
export const EXPLANATION: readonly string[] = [
  "Medians of all runs. %: TCP payload of the raw sum of the lines over the",
  "measured part, after the warm-up (first cases: 7 s after 3 s; targets: 15 s",
  "after 5 s; varying: 23 s after 2 s; blackhole: 30 s after 5 s). ramp s: from the",
  "first byte through a fresh tunnel until 300 ms reach 80 % of that goodput.",
  "simulated: the same case, the same figures, in tests/sim; <> marks those that",
  "differ by more than 10 points. load: over the minute before, this bench",
  "included. (!): other programs used the machine meanwhile, so the figures are",
  "worse than they should be. Of several runs the busiest is told.",
];

function figure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  return value.toFixed(size >= 1000 ? 0 : size < 2 && value !== 0 ? 2 : 1);
}
