/**
 * Says what a TOML syntax error means to someone who does not know TOML by heart.
 *
 * @module
 */

import type { ParseError } from "toml-eslint-parser";
import type { Problem } from "./config.ts";
import { emptyValue, firstOccurrence, nameOf, openHeader } from "./statement.ts";
import { quote } from "./tree.ts";

/** A syntax error as a problem. */
export interface SyntaxProblem {
  readonly problem: Problem;
  /** Whether the statement repeats a name: nothing is missing without it. */
  readonly isDuplicate: boolean;
}

const DUPLICATE = "Defining a key multiple times is invalid";

/** Matches keys whose values must not be shown. */
const SECRET_KEY = /passw|psk|secret/i;

/** A statement as JSON would end it. */
const STRAY_COMMA = /^\s*[\w.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"',[{#]+)\s*,\s*(?:#.*)?$/;

/** The parser's words, and what they mean. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  "Empty bare keys are not allowed": "expected a key",
  "Must be a newline": "expected the end of the line",
  "Expected equal (=) token": 'expected "=" after the key',
  "Unspecified values are invalid": "expected a value",
  "Expected comma (,) token": 'expected "," between the values of a list',
  "Unexpected character": "unexpected character",
  "Unexpected token": "unexpected character",
  "Unterminated array": 'expected "]" at the end of the list',
  "Unterminated string constant": "expected a quote at the end of the text",
  "Unterminated table-key": 'expected "]" at the end of the table\'s name',
  "Unterminated inline-table": 'expected "}" at the end of the table',
};

/** Explains `error`, which the parser found in `text`; undefined: it gave up without one. */
export function explainSyntaxError(text: string, error: ParseError | undefined): SyntaxProblem {
  if (!error) {
    const message = "a value is too long or nested too deeply";
    return { problem: { severity: "error", line: 0, column: 0, message }, isDuplicate: false };
  }
  const earlier = explainEarlierLine(text, error.lineNumber);
  if (earlier) return { problem: earlier, isDuplicate: false };
  const line = lineOf(text, error.lineNumber);
  const at = { severity: "error", line: error.lineNumber, column: error.column + 1 } as const;
  if (error.message === DUPLICATE) {
    return { problem: { ...at, ...explainDuplicate(text, error.lineNumber) }, isDuplicate: true };
  }
  // A line may hold a secret; messages end up in logs that others read.
  const found = SECRET_KEY.test(line) ? "" : foundAt(line, error.column);
  const message = `${PLAIN_WORDS[error.message] ?? lowerFirst(error.message)}${found}`;
  const hint = explainLine(line);
  return { problem: { ...at, message, ...hint && { hint } }, isDuplicate: false };
}

/** A header or a key that ends too early, at which the parser fails only in the next line. */
function explainEarlierLine(text: string, from: number): Problem | undefined {
  const header = openHeader(text, from);
  const line = header ?? emptyValue(text, from);
  if (line === undefined) return undefined;
  const expected = header === undefined ? "a value" : '"]" at the end of the table\'s name';
  const column = lineOf(text, line).trimEnd().length + 1;
  const message = `expected ${expected}, found the end of the line`;
  return { severity: "error", line, column, message };
}

function lineOf(text: string, line: number): string {
  return text.split("\n", line)[line - 1] ?? "";
}

function explainDuplicate(text: string, line: number): { message: string; hint: string } {
  const first = firstOccurrence(text, line);
  const written = lineOf(text, line);
  const isHeader = written.trimStart().startsWith("[");
  const name = isHeader ? `[${nameOf(written)}]` : nameOf(written);
  const where = first === undefined ? "" : `, first in line ${first}`;
  const hint = isHeader
    ? "give each its own name, or put all keys into one table"
    : "remove one of the two";
  return { message: `${name} is defined twice${where}`, hint };
}

function foundAt(line: string, column: number): string {
  const rest = line.slice(column).trim();
  if (rest === "") return ", found the end of the line";
  const word = /^[^\s,\]}]+/.exec(rest)?.[0] ?? rest[0]!;
  return `, found ${quote(word)}`;
}

/** Guesses what was meant by a line that is not TOML. */
function explainLine(line: string): string | undefined {
  if (/[\u201c\u201d\u2018\u2019]/.test(line)) return 'use straight quotes: "..."';
  if (STRAY_COMMA.test(line)) return "remove the comma at the end of the line";
  const match = /^\s*([\w.-]+)\s*=\s*([^"'[{#=\s][^#"'=]*?)\s*(?:#.*)?$/.exec(line);
  if (match) return explainBareValue(match[1]!, match[2]!);
  const isStatement = /^\s*(?:\[|#|$)|=/.test(line);
  return isStatement ? undefined : 'a line is KEY = VALUE, [TABLE], or begins with "#"';
}

function explainBareValue(key: string, value: string): string | undefined {
  if (/^(?:[+-]?\d[\d_]*|true|false)$/.test(value)) return undefined;
  if (/^(true|yes|on)$/i.test(value)) return `write ${key} = true`;
  if (/^(false|no|off)$/i.test(value)) return `write ${key} = false`;
  if (SECRET_KEY.test(key)) return `write the value of ${key} in double quotes`;
  return `write ${key} = ${quote(value)}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
