/**
 * The tables of a text, in short.
 *
 * @module
 */

import { tableSpans } from "../../src/config/spans.ts";

/** Names of the tables in their order. */
export function spansOf(text: string): string[] {
  return (tableSpans(text) ?? []).map(({ path }) => path.join("."));
}
