/**
 * Rates, sizes and times as people write them: a decimal number and a unit.
 *
 * Units are spelled as in IEC 80000: `k` and `M` are decimal, `Ki` and `Mi`
 * binary, `B` is a byte. Case counts, because `Mb` and `MB` differ by eight.
 *
 * @module
 */

import { closest } from "../suggest.ts";

/** Names of units, each with its size in the base unit. */
export type Units = Readonly<Record<string, number>>;

/** Base: bits per second. */
export const RATE_UNITS: Units = {
  "bit/s": 1,
  "kbit/s": 1e3,
  "Mbit/s": 1e6,
  "Gbit/s": 1e9,
  "B/s": 8,
  "kB/s": 8e3,
  "MB/s": 8e6,
  "KiB/s": 8 * 1024,
  "MiB/s": 8 * 1024 ** 2,
};

/** Base: bytes. */
export const SIZE_UNITS: Units = {
  "B": 1,
  "kB": 1e3,
  "MB": 1e6,
  "GB": 1e9,
  "TB": 1e12,
  "KiB": 1024,
  "MiB": 1024 ** 2,
  "GiB": 1024 ** 3,
  "TiB": 1024 ** 4,
};

/** Base: microseconds. */
export const DURATION_UNITS: Units = { "ms": 1e3, "s": 1e6, "min": 60e6, "h": 3600e6 };

/** Other spellings that people use, and what they mean by them. */
const OTHER_SPELLINGS: Readonly<Record<string, string>> = {
  "bps": "bit/s",
  "kbps": "kbit/s",
  "Kbps": "kbit/s",
  "Kbit/s": "kbit/s",
  "kb/s": "kbit/s",
  "Mbps": "Mbit/s",
  "Mb/s": "Mbit/s",
  "mbit": "Mbit/s",
  "Mbit": "Mbit/s",
  "M": "Mbit/s",
  "Gbps": "Gbit/s",
  "Gb/s": "Gbit/s",
  "Gbit": "Gbit/s",
  "MBps": "MB/s",
  "KB/s": "kB/s",
  "KB": "kB",
  "sec": "s",
  "seconds": "s",
  "m": "min",
  "minutes": "min",
  "hours": "h",
};

/**
 * Reads a number with a unit of `units`, such as `50 Mbit/s` or `1.5h`, in the
 * base unit and rounded to a whole number. Returns undefined for anything else.
 */
export function parseQuantity(text: string, units: Units): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?) ?([A-Za-z/]+)$/.exec(text);
  if (!match || !Object.hasOwn(units, match[2]!)) return undefined;
  const value = Math.round(Number(match[1]) * units[match[2]!]!);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Returns what was probably meant by a quantity that {@linkcode parseQuantity} refuses. */
export function suggestQuantity(text: string, units: Units): string | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z/]+)\s*$/.exec(text);
  if (!match) return undefined;
  const [, number, unit] = match;
  if (Object.hasOwn(units, unit!)) return `${number} ${unit}`;
  const other = OTHER_SPELLINGS[unit!];
  const meant = other !== undefined && Object.hasOwn(units, other)
    ? other
    : closest(unit!, Object.keys(units));
  return meant && `${number} ${meant}`;
}

/**
 * Returns a number of bytes as people write it: in the largest unit that gives a whole number
 * of at most four digits, else in a decimal one with two digits after the point.
 */
export function formatSize(bytes: number): string {
  if (bytes === 0) return "0 B";
  const units = Object.entries(SIZE_UNITS);
  const whole = units.filter(([, size]) => bytes % size === 0 && bytes / size < 10_000)
    .reduce<[string, number] | undefined>((a, b) => a && a[1] > b[1] ? a : b, undefined);
  if (whole) return `${bytes / whole[1]} ${whole[0]}`;
  const [unit, size] = units.findLast(([unit, size]) => !unit.includes("i") && bytes >= size)!;
  return `${Number((bytes / size).toFixed(2))} ${unit}`;
}
