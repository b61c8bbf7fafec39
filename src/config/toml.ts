/**
 * From strict TOML 1.0 text to a {@linkcode Table} with the place of every key and
 * value, by toml-eslint-parser.
 *
 * The parser stops at its first error. To report all of them, the faulty
 * statement is blanked ({@linkcode blankStatement}) and the rest parsed again.
 *
 * @module
 */

import { type AST, ParseError, parseTOML } from "toml-eslint-parser";
import type { Problem } from "./config.ts";
import { blankStatement } from "./statement.ts";
import { explainSyntaxError } from "./syntax_error.ts";
import type { Entry, Position, Table, Value } from "./tree.ts";

/** Parsing again costs as much as the first time: this many characters in total ... */
const MAX_PARSED_CHARACTERS = 400_000;
/** ... and this many syntax errors in one file. */
const MAX_SYNTAX_ERRORS = 20;

/** What could be read from a text. */
export interface Document {
  readonly root: Table;
  readonly problems: readonly Problem[];
  /** False when a statement could not be read, so that something may seem to be missing. */
  readonly complete: boolean;
}

/** Parses `text`. Never throws. */
export function parseDocument(text: string): Document {
  const problems: Problem[] = [];
  let complete = true;
  let rest = text;
  for (let parsed = 0; problems.length < MAX_SYNTAX_ERRORS; parsed += text.length) {
    const result = tryParse(rest);
    if ("root" in result) return { root: result.root, problems, complete };
    const { problem, isDuplicate } = explainSyntaxError(rest, result.error);
    problems.push(problem);
    complete &&= isDuplicate;
    const next = blankStatement(rest, problem.line);
    if (next === undefined || parsed + text.length > MAX_PARSED_CHARACTERS) break;
    rest = next;
  }
  return { root: { kind: "table", entries: new Map(), at: START }, problems, complete: false };
}

const START: Position = { line: 1, column: 1 };

function tryParse(text: string): { root: Table } | { error: ParseError | undefined } {
  try {
    return { root: treeOf(parseTOML(text, { tomlVersion: "1.0" })) };
  } catch (error) {
    if (error instanceof ParseError) return { error };
    // A value too long or too deeply nested for the stack.
    if (error instanceof RangeError) return { error: undefined };
    throw error;
  }
}

/** A table under construction. */
interface OpenTable extends Table {
  readonly entries: Map<string, Entry>;
}

function treeOf(program: AST.TOMLProgram): Table {
  const root = openTable(START);
  for (const node of program.body[0].body) {
    if (node.type === "TOMLKeyValue") addKeyValue(root, node);
    else addSection(root, node);
  }
  return root;
}

function openTable(at: Position): OpenTable {
  return { kind: "table", entries: new Map(), at };
}

/** Adds `[a.b]` or `[[a.b]]`; the numbers in the resolved key are positions in arrays. */
function addSection(root: OpenTable, node: AST.TOMLTable): void {
  const path = node.resolvedKey;
  let table = root;
  let keys = 0;
  for (const [i, step] of path.entries()) {
    if (typeof step === "number") continue;
    const at = positionOf(node.key.keys[keys++] ?? node);
    const index = path[i + 1];
    table = typeof index === "number"
      ? openElement(table, step, index, at)
      : openChild(table, step, at);
  }
  for (const child of node.body) addKeyValue(table, child);
}

function openChild(table: OpenTable, name: string, at: Position): OpenTable {
  const known = table.entries.get(name)?.value;
  if (known?.kind === "table") return known as OpenTable;
  const child = openTable(at);
  table.entries.set(name, { at, value: child });
  return child;
}

function openElement(table: OpenTable, name: string, index: number, at: Position): OpenTable {
  const known = table.entries.get(name)?.value;
  const items = known?.kind === "array" ? known.items as Value[] : [];
  if (known?.kind !== "array") {
    table.entries.set(name, { at, value: { kind: "array", items, at } });
  }
  const element = items[index];
  if (element?.kind === "table") return element as OpenTable;
  const opened = openTable(at);
  items[index] = opened;
  return opened;
}

function addKeyValue(table: OpenTable, node: AST.TOMLKeyValue): void {
  const names = node.key.keys.map((key) => ({
    name: key.type === "TOMLBare" ? key.name : key.value,
    at: positionOf(key),
  }));
  const { name, at } = names.pop()!;
  for (const step of names) table = openChild(table, step.name, step.at);
  table.entries.set(name, { at, value: valueOf(node.value) });
}

function valueOf(node: AST.TOMLContentNode): Value {
  const at = positionOf(node);
  if (node.type === "TOMLArray") return { kind: "array", items: node.elements.map(valueOf), at };
  if (node.type === "TOMLInlineTable") {
    const table = openTable(at);
    for (const child of node.body) addKeyValue(table, child);
    return table;
  }
  switch (node.kind) {
    case "string":
      return { kind: "string", value: node.value, at };
    case "integer":
    case "float":
      return { kind: node.kind, value: node.value, text: node.number, at };
    case "boolean":
      return { kind: "boolean", value: node.value, at };
    default:
      return { kind: "date", text: node.datetime, at };
  }
}

function positionOf(node: { readonly loc: AST.SourceLocation }): Position {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 };
}
