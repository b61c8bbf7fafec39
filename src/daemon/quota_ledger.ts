/**
 * How much each link has carried in each month: the contents of the state file.
 *
 * More than one month is kept because clocks get set: a host without a battery-backed clock starts
 * in the past, and must still have its earlier counts once its time is right again.
 *
 * ```json
 * {"version":1,"months":{"2026-11":{"lte":12345678}}}
 * ```
 *
 * @module
 */

import { isMonth, type Month } from "./calendar.ts";

const VERSION = 1;
/** Months that are kept, including the current one. */
const MONTHS = 3;

/** Bytes by month and by name of the link. */
export class QuotaLedger {
  readonly #months = new Map<Month, Map<string, number>>();

  /** Reads what {@linkcode toText} wrote; undefined for anything else. */
  static parse(text: string): QuotaLedger | undefined {
    const months = monthsOf(text);
    if (!months) return undefined;
    const ledger = new QuotaLedger();
    for (const [month, links] of Object.entries(months)) {
      if (!isMonth(month) || !isObject(links)) return undefined;
      for (const [link, bytes] of Object.entries(links)) {
        if (!Number.isSafeInteger(bytes) || bytes as number < 0) return undefined;
        ledger.#linksOf(month).set(link, bytes as number);
      }
    }
    return ledger;
  }

  /** The latest month with a count. */
  get latest(): Month | undefined {
    return [...this.#months.keys()].sort().at(-1);
  }

  /** Bytes that `link` has carried in `month`. */
  used(month: Month, link: string): number {
    return this.#months.get(month)?.get(link) ?? 0;
  }

  /** Counts bytes of `link` in `month`, the current one, and forgets months long ago. */
  add(month: Month, link: string, bytes: number): void {
    const links = this.#linksOf(month);
    links.set(link, (links.get(link) ?? 0) + bytes);
    if (this.#months.size <= MONTHS) return;
    const others = [...this.#months.keys()].filter((other) => other !== month).sort();
    for (const old of others.slice(0, 1 - MONTHS)) this.#months.delete(old);
  }

  /** Corrects what `link` has carried in `month`. */
  set(month: Month, link: string, bytes: number): void {
    this.add(month, link, bytes - this.used(month, link));
  }

  /** One line of JSON. */
  toText(): string {
    const months = [...this.#months].map(([month, links]) => [month, Object.fromEntries(links)]);
    return JSON.stringify({ version: VERSION, months: Object.fromEntries(months) }) + "\n";
  }

  #linksOf(month: Month): Map<string, number> {
    const links = this.#months.get(month) ?? new Map<string, number>();
    this.#months.set(month, links);
    return links;
  }
}

function monthsOf(text: string): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.version !== VERSION || !isObject(value.months)) return undefined;
  return value.months;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
