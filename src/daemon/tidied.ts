/**
 * Numbers for people and programs that read them: no more digits than they are worth.
 *
 * @module
 */

/** Digits after the point of a fraction, such as a loss: 1 in 100,000. */
const FRACTION_DIGITS = 5;

/**
 * Returns a copy of `value` whose numbers are whole, except fractions between -1 and 1, and 0 where
 * there is no number.
 */
export function tidied<T>(value: T): T {
  if (typeof value === "number") return tidyNumber(value) as T;
  if (Array.isArray(value)) return value.map(tidied) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tidied(item)])) as T;
}

function tidyNumber(value: number): number {
  if (!Number.isFinite(value)) return 0;
  return Math.abs(value) < 1 ? Number(value.toFixed(FRACTION_DIGITS)) : Math.round(value);
}
