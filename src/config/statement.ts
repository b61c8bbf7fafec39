/**
 * Finds statements in a TOML text that does not parse, line by line.
 *
 * This is a guess, good enough to continue after an error: a statement begins with
 * a header or `KEY =`, and every line that looks like neither continues it.
 *
 * @module
 */

const HEADER = /^\s*\[/;
const BEGINNING = /^\s*(?:\[|#|$|["'\w.\- ]+=)/;

/**
 * Returns `text` with the statement around `line` (1-based) blanked, a header
 * together with its keys. Returns undefined when that would change nothing, or
 * when multi-line strings make lines a bad guide.
 */
export function blankStatement(text: string, line: number): string | undefined {
  if (/"""|'''/.test(text)) return undefined;
  const lines = text.split("\n");
  let first = line - 1;
  if (!(lines[first] ?? "").trim()) return undefined;
  while (first > 0 && !BEGINNING.test(lines[first]!)) first--;
  const isHeader = HEADER.test(lines[first]!);
  let end = first + 1;
  while (end < lines.length && !(isHeader ? HEADER : BEGINNING).test(lines[end]!)) end++;
  end = Math.max(end, line);
  for (let i = first; i < end; i++) lines[i] = "";
  return lines.join("\n");
}

/** Returns the 1-based line where the statement that `line` repeats was first written. */
export function firstOccurrence(text: string, line: number): number | undefined {
  const lines = text.split("\n", line);
  const repeated = nameOf(lines[line - 1] ?? "");
  const isHeader = HEADER.test(lines[line - 1] ?? "");
  for (let i = isHeader ? 0 : sectionStart(lines, line - 1); i < line - 1; i++) {
    if (HEADER.test(lines[i]!) === isHeader && nameOf(lines[i]!) === repeated) return i + 1;
  }
  return undefined;
}

/** Returns the 1-based line of the header before `line`, when its bracket is not closed. */
export function openHeader(text: string, line: number): number | undefined {
  const lines = text.split("\n", line);
  const header = lines.findLastIndex((line) => HEADER.test(line));
  return /^\s*\[\[?[^\]#]*(?:#.*)?$/.test(lines[header] ?? "]") ? header + 1 : undefined;
}

/** Returns the 1-based line of a `KEY =` without a value, in `line` or the last one before it. */
export function emptyValue(text: string, line: number): number | undefined {
  const lines = text.split("\n", line);
  const before = lines.findLastIndex((text, i) => i < line - 1 && !/^\s*(?:#|$)/.test(text));
  const found = [line - 1, before].find((i) =>
    /^\s*["'\w.-]+\s*=\s*(?:#.*)?$/.test(lines[i] ?? "")
  );
  return found === undefined ? undefined : found + 1;
}

function sectionStart(lines: readonly string[], before: number): number {
  for (let i = before; i > 0; i--) if (HEADER.test(lines[i]!)) return i + 1;
  return 0;
}

/** The header or key of a line, without the quotes and spaces that TOML allows in it. */
export function nameOf(line: string): string {
  const end = HEADER.test(line) ? line.indexOf("]") : line.indexOf("=");
  return line.slice(0, end < 0 ? line.length : end).replace(/[\s"'[\]]/g, "");
}
