/**
 * What an examination says to people: one finding for each thing that was looked at.
 *
 * @module
 */

/** How good it is: a fault needs to be repaired, a note explains, the rest was not looked at. */
export type Verdict = "ok" | "note" | "fault" | "skipped";

/** One thing that was looked at. */
export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  /** What was found, in words. */
  readonly text: string;
  /** One line: what to do about it. */
  readonly advice?: string;
}

/** All is well. */
export function ok(check: string, text: string): Finding {
  return { check, verdict: "ok", text };
}

/** Something worth knowing. */
export function note(check: string, text: string, advice?: string): Finding {
  return { check, verdict: "note", text, ...advice !== undefined && { advice } };
}

/** Something to be repaired. */
export function fault(check: string, text: string, advice: string): Finding {
  return { check, verdict: "fault", text, advice };
}

/** Something that was not looked at. */
export function skipped(check: string, text: string): Finding {
  return { check, verdict: "skipped", text };
}

/** A time as milliseconds. */
export function milliseconds(us: number): string {
  const ms = us / 1000;
  return `${ms.toFixed(ms < 9.95 ? 1 : 0)} ms`;
}

/** A rate with three digits. */
export function megabits(bps: number): string {
  const mbps = bps / 1e6;
  return `${mbps.toFixed(mbps < 9.995 ? 2 : mbps < 99.95 ? 1 : 0)} Mbit/s`;
}

/** A fraction as percent. */
export function percent(fraction: number): string {
  const value = fraction * 100;
  return `${value.toFixed(value === 0 || value >= 9.95 ? 0 : 1)} %`;
}
