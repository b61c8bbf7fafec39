/**
 * What figures of a link mean: thresholds, and where they come from.
 *
 * @module
 */

/** How much a load adds to the round trip: `A` is good, `F` is unusable for calls. */
export type Grade = "A" | "B" | "C" | "D" | "F";

/**
 * A grade is given when a load adds less than this, in microseconds. They are those of the
 * DSLReports and Waveform speed tests: 30, 60, 200 and 400 ms.
 */
const GRADES: readonly (readonly [Grade, number])[] = [
  ["A", 30_000],
  ["B", 60_000],
  ["C", 200_000],
  ["D", 400_000],
];

/**
 * From this on a queue is a fault. ITU-T G.114: a call is impaired from 150 ms one way, all things
 * together; up to C there is room for the rest of the way.
 */
export const BAD_GRADES: readonly Grade[] = ["D", "F"];

/** Lost by chance on a good line is 1 in 10,000; a TCP of one line at 20 ms suffers from this on. */
export const BAD_LOSS = 0.005;
/** ... if it was no single datagram. */
const LEAST_LOST = 2;
/** RFC 8200 section 5: every path carries packets of 1280 bytes; a tunnel has its headers too. */
export const LEAST_MTU_BYTES = 1280;
/** What Ethernet carries. */
export const FULL_MTU_BYTES = 1500;
/** Mappings of UDP last 5 minutes (RFC 4787 REQ-5); a heartbeat leaves at least every 5 s. */
export const SHORT_MAPPING_S = 15;

/** Grades what a load has added to the round trip, in microseconds. */
export function gradeOf(addedUs: number): Grade {
  return GRADES.find(([, limit]) => addedUs < limit)?.[0] ?? "F";
}

/** Whether a loss of so many probes is one to tell of. */
export function isLossy(loss: number, probes: number): boolean {
  return loss >= BAD_LOSS && Math.round(probes * loss) >= LEAST_LOST;
}

/** The value that the share `share` of all is below; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** Mean difference between one value and the next, as RFC 3550 section 6.4.1 means jitter. */
export function jitter(values: readonly number[]): number {
  if (values.length < 2) return 0;
  let sum = 0;
  for (let i = 1; i < values.length; i++) sum += Math.abs(values[i]! - values[i - 1]!);
  return sum / (values.length - 1);
}
