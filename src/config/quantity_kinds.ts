/**
 * Kinds of rates, sizes, times and fractions.
 *
 * @module
 */

import { expected, type Kind } from "./kind.ts";
import type { Value } from "./tree.ts";
import {
  DURATION_UNITS,
  parseQuantity,
  RATE_UNITS,
  SIZE_UNITS,
  suggestQuantity,
  type Units,
} from "./units.ts";

/** What a number without a unit means. */
interface Bare {
  /** Its size in base units. */
  readonly size: number;
  /** Its unit in words; a warning says so unless it is undefined. */
  readonly note?: string;
}

function quantity(
  metavar: string,
  units: Units,
  bare: Bare,
  range: { readonly min: number; readonly max: number; readonly what: string },
): Kind<number> {
  const parse = (value: Value): number | undefined => {
    if (value.kind === "string") return parseQuantity(value.value, units);
    return value.kind === "integer" ? value.value * bare.size : undefined;
  };
  return {
    metavar,
    read: (value, field) => {
      const parsed = parse(value);
      if (parsed === undefined || !(parsed >= range.min && parsed <= range.max)) {
        const hint = parsed === undefined && value.kind === "string"
          ? hintOf(value.value, units)
          : undefined;
        return expected(value, field, range.what, hint);
      }
      if (value.kind === "integer" && bare.note) {
        field.report.warn(
          value.at,
          `${field.path}: ${value.text} has no unit and is taken as ${bare.note}`,
          `write ${unitsText(units)}`,
        );
      }
      return parsed;
    },
  };
}

/** What was probably meant by a text that is no quantity. */
function hintOf(text: string, units: Units): string | undefined {
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return `write ${unitsText(units)} behind the number`;
  const meant = suggestQuantity(text, units);
  return meant && `did you mean "${meant}"?`;
}

function unitsText(units: Units): string {
  return `a unit, one of ${Object.keys(units).join(", ")}`;
}

/** Bits per second; a bare number is bytes per second, as in mlvpn. */
export const rate: Kind<number> = quantity(
  "RATE",
  RATE_UNITS,
  { size: 8, note: "bytes per second" },
  { min: 8_000, max: 1e12, what: 'a rate from 8 kbit/s to 1000 Gbit/s, such as "50 Mbit/s"' },
);

/** Bytes. */
export const size: Kind<number> = quantity(
  "SIZE",
  SIZE_UNITS,
  { size: 1 },
  { min: 1, max: 1e15, what: 'a size from 1 B to 1000 TB, such as "20 GB"' },
);

/** Microseconds; a bare number is seconds, as in mlvpn. */
export function duration(min: string, max: string, example: string): Kind<number> {
  const range = {
    min: parseQuantity(min, DURATION_UNITS)!,
    max: parseQuantity(max, DURATION_UNITS)!,
    what: `a time from ${min} to ${max}, such as "${example}"`,
  };
  return quantity("TIME", DURATION_UNITS, { size: 1e6, note: "seconds" }, range);
}

/** A fraction from 0 to 1, written as a percentage. */
export const percentage: Kind<number> = {
  metavar: "PERCENTAGE",
  read: (value, field) => {
    const text = value.kind === "string" ? value.value : "";
    const match = /^(\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text);
    const percent = match ? Number(match[1]) : NaN;
    if (percent <= 100) return percent / 100;
    const number = value.kind === "integer" || value.kind === "float" ? value.text : text.trim();
    const isNumber = /^\d{1,3}(?:\.\d{1,6})?$/.test(number) && Number(number) <= 100;
    const hint = isNumber ? `did you mean "${number} %"?` : undefined;
    return expected(value, field, 'a percentage from 0 % to 100 %, such as "5 %"', hint);
  },
};
