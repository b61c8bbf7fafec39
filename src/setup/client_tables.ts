/**
 * Adds `[client.NAME]` tables to the text of a server's file and removes them, and leaves everything
 * else as it is.
 *
 * @module
 */

import { type TableSpan, tableSpans } from "../config/spans.ts";
import type { InvitedFamily } from "./invitation.ts";
import { TomlText } from "./toml_text.ts";

/** A client as its table says. */
export interface NewClient {
  readonly name: string;
  /** As `aggvpn genkey` prints it. */
  readonly password: string;
  readonly families: readonly InvitedFamily[];
}

/** Returns the table of a client, without a line end. */
export function clientTable({ name, password, families }: NewClient): string {
  const out = new TomlText().raw(`[client.${name}]`).pair("password", password);
  for (const { address } of families) {
    out.pair(address.family === 4 ? "address" : "address6", `${address.toAddress()}`);
  }
  return `${out}`.trimEnd();
}

/** Returns the text with one more client behind the others; undefined when it cannot be parsed. */
export function addClient(text: string, client: NewClient): string | undefined {
  const spans = tableSpans(text);
  if (!spans) return undefined;
  const lines = text.trimEnd().split("\n");
  const last = Math.max(...spans.filter(isOfClient).map(({ last }) => last), 0);
  const at = last === 0 ? lines.length : endOf(lines, last);
  lines.splice(at, 0, "", ...clientTable(client).split("\n"));
  return lines.join("\n") + "\n";
}

/**
 * Returns the text without the tables of a client and the comments right at them; undefined when
 * there is no such table in it.
 */
export function removeClient(text: string, name: string): string | undefined {
  const own = tableSpans(text)?.filter((span) => isOfClient(span) && span.path[1] === name) ?? [];
  if (own.length === 0) return undefined;
  const lines = text.split("\n");
  for (const span of own.toReversed()) {
    let first = span.first - 1;
    let end = endOf(lines, span.last);
    while (isComment(lines[first - 1])) first--;
    // One of the empty lines around it is enough.
    while (first > 0 && lines[end] === "") end++;
    if (end >= lines.length) { while (first > 0 && lines[first - 1] === "") first--; }
    lines.splice(first, end - first);
  }
  return lines.join("\n").trimEnd() + "\n";
}

function isOfClient({ path }: TableSpan): boolean {
  return path[0] === "client";
}

/** Returns the number of lines to the end of a table that ends in line `last`, with its comments. */
function endOf(lines: readonly string[], last: number): number {
  let end = last;
  while (isComment(lines[end])) end++;
  return end;
}

function isComment(line: string | undefined): boolean {
  return line !== undefined && /^\s*#/.test(line);
}
