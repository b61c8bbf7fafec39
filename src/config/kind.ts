/**
 * Kinds of values: what each is called in a synopsis, and how it is read.
 *
 * A kind either returns the value or tells the report what it expected and what
 * it found. It never throws.
 *
 * @module
 */

import { closest } from "../suggest.ts";
import type { Report } from "./report.ts";
import { describeKind, describeValue, quote, type Value } from "./tree.ts";

/** Where a kind reports what is wrong: the report, and the key's path such as `link.dsl1.port`. */
export interface Field {
  readonly report: Report;
  readonly path: string;
}

/** A kind of value. */
export interface Kind<T> {
  /** Such as `RATE`; for the synopsis. */
  readonly metavar: string;
  readonly read: (value: Value, field: Field) => T | undefined;
}

/** Reports that `expected` was expected instead of `value`. */
export function expected(value: Value, field: Field, what: string, hint?: string): undefined {
  const message = `${field.path}: expected ${what}, found ${describeValue(value)}`;
  field.report.error(value.at, message, hint);
}

/** Reports likewise, without showing the value. */
export function expectedSecretly(
  value: Value,
  field: Field,
  what: string,
  hint?: string,
): undefined {
  const message = `${field.path}: expected ${what}, found ${describeKind(value)}`;
  field.report.error(value.at, message, hint);
}

/** A text that `parse` understands; `suggest` may return what was probably meant. */
export function text<T>(
  metavar: string,
  what: string,
  parse: (text: string) => T | undefined,
  suggest?: (text: string) => string | undefined,
): Kind<T> {
  return {
    metavar,
    read: (value, field) => {
      const parsed = value.kind === "string" ? parse(value.value) : undefined;
      if (parsed !== undefined) return parsed;
      const meant = value.kind === "string" ? suggest?.(value.value) : undefined;
      return expected(value, field, what, meant && `did you mean ${quote(meant)}?`);
    },
  };
}

/** A whole number from `min` to `max`. */
export function integer(metavar: string, min: number, max: number): Kind<number> {
  return {
    metavar,
    read: (value, field) => {
      if (value.kind === "integer" && value.value >= min && value.value <= max) return value.value;
      const isQuoted = value.kind === "string" && /^\d+$/.test(value.value);
      const hint = isQuoted ? "write the number without quotes" : undefined;
      return expected(value, field, `a whole number from ${min} to ${max}`, hint);
    },
  };
}

/** True or false. */
export const flag: Kind<boolean> = {
  metavar: "true|false",
  read: (value, field) =>
    value.kind === "boolean"
      ? value.value
      : expected(value, field, "true or false", hintOfFlag(value)),
};

/** Recognizes what other programs take for true and false. */
function hintOfFlag(value: Value): string | undefined {
  const written = value.kind === "integer" || value.kind === "string" ? `${value.value}` : "";
  if (/^(?:true|yes|on|1)$/i.test(written)) return "write true, without quotes";
  return /^(?:false|no|off|0)$/i.test(written) ? "write false, without quotes" : undefined;
}

/** One of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): Kind<T> {
  const list = words.map(quote);
  const what = [list.slice(0, -1).join(", "), list.at(-1)].filter(Boolean).join(" or ");
  const isWord = (text: string): text is T => (words as readonly string[]).includes(text);
  return text(
    words.join("|"),
    what,
    (text) => isWord(text) ? text : undefined,
    (text) => closest(text, words),
  );
}

/** A list of values; one value alone is a list of one. */
export function listOf<T>(kind: Kind<T>): Kind<readonly T[]> {
  return {
    metavar: `[${kind.metavar}, ...]`,
    read: (value, field) => {
      const items = value.kind === "array" ? value.items : [value];
      const read = items.map((item) => kind.read(item, field));
      return read.every((item) => item !== undefined) ? read as T[] : undefined;
    },
  };
}

/** What was read, and where it was written. */
export interface Located<T> {
  readonly value: T;
  readonly at: Value["at"];
}

/** The same kind, remembering where the value was written. */
export function located<T>(kind: Kind<T>): Kind<Located<T>> {
  return {
    metavar: kind.metavar,
    read: (value, field) => {
      const read = kind.read(value, field);
      return read === undefined ? undefined : { value: read, at: value.at };
    },
  };
}
