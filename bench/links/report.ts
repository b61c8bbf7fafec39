/**
 * The table of `make bench-links` for people, and the same for programs.
 *
 * @module
 */

import { goodputBps, type Measured, rawSumBps, type Scenario } from "./scenario.ts";

/** One row: one expectation of one case, over all runs. */
export interface Result {
  readonly case: string;
  readonly title: string;
  readonly label: string;
  readonly unit: string;
  /** Of every run, in order. */
  readonly values: readonly number[];
  readonly median: number;
  /** Goodput over the raw sum of the lines, where both are known. */
  readonly ofSum: number | null;
  /** Such as `>= 85`; empty for a reference. */
  readonly target: string;
  /** Null for a reference. */
  readonly pass: boolean | null;
  /** Shares of a CPU: client, server, link emulator. Median run's. */
  readonly cpu: readonly number[];
}

/** Rows of one case from its runs. */
export function resultsOf(scenario: Scenario, runs: readonly Measured[]): Result[] {
  return scenario.expect.map((expectation): Result => {
    const values = runs.map((run) => expectation.value(run, scenario));
    const median = middle(values);
    const { target } = expectation;
    const last = runs.at(-1);
    return {
      case: scenario.name,
      title: scenario.title,
      label: expectation.label,
      unit: expectation.unit,
      values,
      median,
      ofSum: ofSum(scenario, runs),
      target: target ? `${target.sense} ${target.value}` : "",
      pass: target ? holds(median, target.sense, target.value) : null,
      cpu: [...last?.cpu ?? [], last?.emulatorCpu ?? 0],
    };
  });
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[half] ?? NaN
    : ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2;
}

function ofSum(scenario: Scenario, runs: readonly Measured[]): number | null {
  if (scenario.action.kind !== "traffic") return null;
  const sum = rawSumBps(scenario, scenario.action.traffic.way);
  return sum === 0 ? null : middle(runs.map(goodputBps)) / sum;
}

function holds(value: number, sense: ">=" | "<" | "<=", target: number): boolean {
  if (sense === ">=") return value >= target;
  return sense === "<" ? value < target : value <= target;
}

/** A row as text; the title only once per case. */
export function rowText(result: Result, isFirst: boolean): string {
  const value = Number.isFinite(result.median) ? figure(result.median) : "-";
  const verdict = result.pass === null ? "" : result.pass ? "pass" : "FAIL";
  const ratio = result.ofSum === null || result.label !== "goodput" ? "" : result.ofSum.toFixed(3);
  const target = result.target === "" ? "" : `${result.target} ${result.unit}`;
  const head = isFirst ? `${result.title}\n` : "";
  return head +
    `  ${result.label.padEnd(30)}${value.padStart(8)} ${result.unit.padEnd(7)}` +
    `${ratio.padStart(6)}  ${target.padEnd(15)}${verdict}`.trimEnd();
}

/** The headings of the rows. */
export const HEADING = `${"case".padEnd(32)}measured${" ".repeat(8)}of sum  target`;

function figure(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value.toFixed(1);
}
