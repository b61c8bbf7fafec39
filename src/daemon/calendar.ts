/**
 * Months as people are billed by them: each begins on the same day, in this host's local time.
 *
 * @module
 */

/** A month by where it begins, as `2026-11`; later ones compare greater. */
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

/**
 * Returns the month of an instant, in milliseconds since 1970. Months begin on `day`, or on the last
 * day of a calendar month that is shorter.
 */
export function monthOf(ms: number, day = 1): Month {
  const date = new Date(ms);
  const [year, month] = [date.getFullYear(), date.getMonth()];
  if (date.getDate() >= firstDay(year, month, day)) return nameOf(year, month);
  return month === 0 ? nameOf(year - 1, 11) : nameOf(year, month - 1);
}

/** Returns the date on which the month after `month` begins, such as `2026-12-15`. */
export function endOf(month: Month, day = 1): string {
  const [year, next] = [Number(month.slice(0, 4)), Number(month.slice(5))];
  const [endYear, endMonth] = next === 12 ? [year + 1, 0] : [year, next];
  const first = String(firstDay(endYear, endMonth, day)).padStart(2, "0");
  return `${nameOf(endYear, endMonth)}-${first}`;
}

/** A date in words, such as `15 December`. */
export function dateWords(date: string): string {
  return `${Number(date.slice(8))} ${NAMES[Number(date.slice(5, 7)) - 1]}`;
}

/** The day on which months begin in a calendar month, counted from 0. */
function firstDay(year: number, month: number, day: number): number {
  return Math.min(day, new Date(year, month + 1, 0).getDate());
}

function nameOf(year: number, month: number): Month {
  return `${String(year).padStart(4, "0")}-${String(month + 1).padStart(2, "0")}`;
}
