/**
 * A TOML document as tables of entries, each with its place in the text.
 *
 * @module
 */

/** A place in the text, 1-based; columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A value and where it begins. */
export type Value =
  | { readonly kind: "string"; readonly value: string; readonly at: Position }
  | {
    readonly kind: "integer" | "float";
    readonly value: number;
    /** As it was written. */
    readonly text: string;
    readonly at: Position;
  }
  | { readonly kind: "boolean"; readonly value: boolean; readonly at: Position }
  | { readonly kind: "date"; readonly text: string; readonly at: Position }
  | { readonly kind: "array"; readonly items: readonly Value[]; readonly at: Position }
  | Table;

/** A table; `at` is its header, or the brace of an inline table. */
export interface Table {
  readonly kind: "table";
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: Position;
}

/** A key of a table; `at` is where the key is written. */
export interface Entry {
  readonly at: Position;
  readonly value: Value;
}

/** Longest part of a value that a message repeats. */
const MAX_SHOWN_LENGTH = 40;

/** Describes a value for `found ...`. */
export function describeValue(value: Value): string {
  switch (value.kind) {
    case "string":
      return quote(value.value);
    case "integer":
    case "float":
      return clip(value.text);
    case "boolean":
      return String(value.value);
    case "date":
      return `the date ${clip(value.text)}`;
    case "array":
      return "a list";
    case "table":
      return "a table";
  }
}

/** Describes only the type of a value, for what must not be shown. */
export function describeKind(value: Value): string {
  switch (value.kind) {
    case "string":
      return "a text";
    case "integer":
    case "float":
      return "a number";
    case "date":
      return "a date";
    case "array":
      return "a list";
    default:
      return `a ${value.kind}`;
  }
}

/** Writes text in double quotes on one line, clipped, without terminal control characters. */
export function quote(text: string): string {
  const escaped = JSON.stringify(clip(text));
  return escaped.replace(/[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function clip(text: string): string {
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH - 3)}...` : text;
}
