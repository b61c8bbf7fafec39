/**
 * Calendar months in this host's local time, since providers bill by them.
 *
 * @module
 */

/** A month as `2026-11`; later ones compare greater. */
export type Month = string;

const NAMES = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

/** Tells whether `text` is a month. */
export function isMonth(text: string): boolean {
  return /^\d{4}-(?:0[1-9]|1[0-2])$/.test(text);
}

/** Returns the month of an instant, in milliseconds since 1970. */
export function monthOf(ms: number): Month {
  const date = new Date(ms);
  const year = String(date.getFullYear()).padStart(4, "0");
  return `${year}-${String(date.getMonth() + 1).padStart(2, "0")}`;
}

/** Returns the day on which `month` is over, such as `1 December`. */
export function dayAfter(month: Month): string {
  return `1 ${NAMES[Number(month.slice(5)) % NAMES.length]}`;
}
