/**
 * Problems of a configuration as text for people and editors: `FILE:LINE:COLUMN: SEVERITY:
 * MESSAGE`, and below it what to do about it.
 *
 * @module
 */

import type { Problem } from "../config/config.ts";
import type { HostFinding } from "../platform/platform.ts";
import { paint } from "./color.ts";

const COLORS = { error: "red", warning: "yellow", info: "bold" } as const;

/** Writes one problem, ending in a newline. */
export function problemText(file: string, problem: Problem, color: boolean): string {
  const place = problem.line === 0 ? file : `${file}:${problem.line}:${problem.column}`;
  return findingText(place, problem, color);
}

/** Writes one finding about this host, ending in a newline. */
export function hostText(finding: HostFinding, color: boolean): string {
  return findingText("host", finding, color);
}

function findingText(place: string, finding: HostFinding, color: boolean): string {
  const severity = paint(COLORS[finding.severity], finding.severity, color);
  const hint = finding.hint === undefined ? "" : `  hint: ${finding.hint}\n`;
  return `${place}: ${severity}: ${finding.message}\n${hint}`;
}

/** A count, such as `1 error` or `3 errors`. */
export function countOf(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
