/**
 * The messages of a source file, so that a guide can be required to explain each of them.
 *
 * @module
 */

import { readDocument } from "./markdown.ts";

/** Messages nobody sees: the file's checks come first, and getsockname(2) does not fail. */
export const IMPOSSIBLE: readonly string[] = [
  "Cannot tell a socket's address",
  'Cannot bind to "em0": not an IP address',
];

/** Where messages begin: of findings, of errors, and of what errors are put together from. */
const BEGINNINGS =
  /(?:\bmessage(?::| =)|\bwhat =|systemError\(\s*libc,|new AggvpnError\()\s*(?:(`[^`]*`)|("[^"]*"))/g;
/** Shorter templates say too little to be looked for: they contain another error's message. */
const LEAST_WORDS = 3;

/** Returns a pattern for each message of the source files, `${...}` standing for anything. */
export function messagePatterns(paths: readonly string[]): RegExp[] {
  const literals = paths.flatMap((path) =>
    [...readDocument(path).matchAll(BEGINNINGS)].map(([, template, text]) => template ?? text!)
  );
  return literals.map((literal) => literal.slice(1, -1)).filter(saysEnough).map(patternOf);
}

function saysEnough(template: string): boolean {
  return (template.replaceAll(/\$\{[^}]*\}/g, "").match(/[A-Za-z]+/g) ?? []).length >= LEAST_WORDS;
}

function patternOf(template: string): RegExp {
  const parts = template.split(/\$\{[^}]*\}/);
  return new RegExp(parts.map((part) => RegExp.escape(part)).join(".+"));
}
