/**
 * A document as plain values, to be written again: without its secrets.
 *
 * @module
 */

import type { Table, Value } from "./tree.ts";

/** Values as `@std/toml` writes them. */
export type PlainTable = { [key: string]: PlainValue };
/** What a key may have. */
export type PlainValue = string | number | boolean | PlainValue[] | PlainTable;

/** In place of every secret: no key or pass phrase is so short. */
export const SECRET_MARK = "secret";
const SECRET_KEY = "password";

/** Returns the values of a table. */
export function plainTable({ entries }: Table): PlainTable {
  return Object.fromEntries(
    [...entries].map(([key, { value }]) => [
      key,
      key === SECRET_KEY ? SECRET_MARK : plainValue(value),
    ]),
  );
}

function plainValue(value: Value): PlainValue {
  switch (value.kind) {
    case "table":
      return plainTable(value);
    case "array":
      return value.items.map(plainValue);
    case "date":
      return value.text;
    default:
      return value.value;
  }
}
