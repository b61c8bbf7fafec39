/**
 * Where the tables of a file are, for whoever changes its text and leaves the rest as it is.
 *
 * @module
 */

import { ParseError, parseTOML } from "toml-eslint-parser";

/** A table with a header of its own. */
export interface TableSpan {
  /** Such as `["client", "home"]`; elements of arrays have their number. */
  readonly path: readonly (string | number)[];
  /** Lines of the header and of the last key, 1-based. */
  readonly first: number;
  readonly last: number;
}

/** Returns the tables in the order of the text; undefined when it does not parse. */
export function tableSpans(text: string): readonly TableSpan[] | undefined {
  try {
    return parseTOML(text, { tomlVersion: "1.0" }).body[0].body.flatMap((node) =>
      node.type === "TOMLTable"
        ? [{ path: node.resolvedKey, first: node.loc.start.line, last: node.loc.end.line }]
        : []
    );
  } catch (error) {
    if (error instanceof ParseError || error instanceof RangeError) return undefined;
    throw error;
  }
}
