/**
 * Reads a table by its keys.
 *
 * @module
 */

import { closest } from "../suggest.ts";
import type { Report } from "./report.ts";
import {
  type Fields,
  type Keys,
  MLVPN_KEYS,
  type Mode,
  type OptionKey,
  SECTIONS,
  TOP_KEYS,
  type Values,
} from "./schema.ts";
import { describeValue, type Entry, type Position, quote, type Table, type Value } from "./tree.ts";

/** A table that was read. */
export interface Reading<K extends Keys> {
  /** Its name in messages, such as `link.dsl1`; empty for the top of the file. */
  readonly path: string;
  readonly at: Position;
  readonly values: Values<K>;
  /** Whether the key was written, right or wrong. */
  readonly has: (key: keyof K & string) => boolean;
  /** Where the key was written, else where the table begins. */
  readonly placeOf: (key: keyof K & string) => Position;
}

/** What reading a table depends on. */
export interface Context {
  readonly report: Report;
  /** Undefined while unknown: then no key is of the wrong mode. */
  readonly mode: Mode | undefined;
  /** Names of the tables beside the keys. */
  readonly sections?: readonly string[];
}

/** Reads the keys of `table`; reports what is wrong with each, and which are unknown. */
export function readTable<const K extends Keys>(
  table: Table,
  keys: K,
  path: string,
  context: Context,
): Reading<K> {
  const values: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(keys)) values[name] = key.default;
  for (const [name, entry] of table.entries) {
    if (context.sections?.includes(name)) continue;
    const value = readEntry(name, entry, keys, path, context);
    if (value !== undefined) values[name] = value;
  }
  return {
    path,
    at: table.at,
    values: values as Values<K>,
    has: (key) => table.entries.has(key),
    placeOf: (key) => table.entries.get(key)?.at ?? table.at,
  };
}

/** Returns the values that were read by the fields of their keys. */
export function fieldsOf<const K extends Readonly<Record<string, OptionKey>>>(
  keys: K,
  values: Values<K>,
): Fields<K> {
  const fields = Object.entries(keys).map(([name, { field }]) => [field, values[name]]);
  return Object.fromEntries(fields) as Fields<K>;
}

/** Returns `value` as a table, or reports that it is not one. */
export function asTable(
  value: Value,
  path: string,
  header: string,
  report: Report,
): Table | undefined {
  if (value.kind === "table") return value;
  report.error(value.at, `${path}: expected a table ${header}, found ${describeValue(value)}`);
  return undefined;
}

function readEntry(
  name: string,
  entry: Entry,
  keys: Keys,
  path: string,
  context: Context,
): unknown {
  const { report, mode } = context;
  const dotted = path === "" ? name : `${path}.${name}`;
  const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (!key) {
    report.error(entry.at, unknown(name, entry, path), suggest(name, entry, keys, path, context));
    return undefined;
  }
  if (key.mode !== undefined && mode !== undefined && key.mode !== mode) {
    report.error(entry.at, `${dotted}: belongs to mode = "${key.mode}", this is a ${mode}`);
  }
  return key.kind.read(entry.value, { report, path: dotted });
}

function unknown(name: string, entry: Entry, path: string): string {
  const where = path === "" ? "" : ` in [${path}]`;
  return entry.value.kind === "table" && path === ""
    ? `unknown table [${printable(name)}]`
    : `unknown key ${quote(name)}${where}`;
}

/** A name as people read it: bare where TOML allows it. */
function printable(name: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name) ? name : quote(name);
}

function suggest(name: string, entry: Entry, keys: Keys, path: string, context: Context): string {
  const known = [...Object.keys(keys), ...context.sections ?? []];
  const meant = MLVPN_KEYS[name];
  if (meant !== undefined && known.includes(meant)) return `aggvpn calls it "${meant}"`;
  const near = closest(name, known);
  if (near !== undefined && entry.value.kind === "table") return `did you mean "${near}"?`;
  // A correctly spelled key of another table is more likely misplaced than mistyped.
  const home = homeOf(meant ?? name, path);
  if (home !== undefined) return `"${meant ?? name}" belongs ${home}`;
  if (near !== undefined) return `did you mean "${near}"?`;
  return `known here: ${known.join(", ")}`;
}

function homeOf(name: string, path: string): string | undefined {
  if (path !== "" && Object.hasOwn(TOP_KEYS, name)) return "at the top, before the first table";
  for (const section of Object.values(SECTIONS)) {
    if (Object.hasOwn(section.keys, name)) return `in ${section.header}`;
  }
  return undefined;
}
