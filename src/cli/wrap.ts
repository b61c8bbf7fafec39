/**
 * Wraps text into lines that fit a terminal.
 *
 * @module
 */

/** Width of what no terminal shows. */
export const COLUMNS = 80;

/** Narrowest and widest lines: below the first words are cut, beyond the second eyes get lost. */
const BOUNDS = { min: 40, max: 100 } as const;

/** A second column that would be narrower than this begins below its term. */
const LEAST_COLUMN = 24;
/** How far it is then indented. */
const BELOW = 6;

/** Returns how wide text is to be on a terminal of `columns`. */
export function textColumns(columns: number): number {
  return Math.min(Math.max(columns, BOUNDS.min), BOUNDS.max);
}

/** Breaks paragraphs (separated by an empty line) into lines of at most `width` columns. */
export function wrap(text: string, width: number): string {
  return text.trim().split(/\n\s*\n/).map((paragraph) => fill(paragraph, width)).join("\n\n");
}

/** The same for one paragraph whose further lines are indented by `indent`. */
export function wrapHanging(text: string, width: number, indent: number): string {
  const [first = "", ...rest] = fill(text, width, indent).split("\n");
  return [first, ...rest.map((line) => " ".repeat(indent) + line)].join("\n");
}

function fill(paragraph: string, width: number, indent = 0): string {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.trim().split(/\s+/).flatMap((word) => pieces(word, width))) {
    const room = lines.length === 0 ? width : width - indent;
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

/** Alternatives such as `a|b|c` that are too long for a line, cut behind a bar. */
function pieces(word: string, width: number): string[] {
  if (word.length <= width - BELOW) return [word];
  const alternatives = word.split(/(?<=\|)/);
  const cut: string[] = [];
  for (const part of alternatives) {
    const last = cut.at(-1);
    if (last !== undefined && last.length + part.length <= width - BELOW) {
      cut[cut.length - 1] = last + part;
    } else cut.push(part);
  }
  return cut;
}

/** Lines of two columns: terms on the left, their explanations wrapped on the right, or below. */
export function twoColumns(rows: readonly (readonly [string, string])[], width: number): string {
  const left = Math.max(...rows.map(([what]) => what.length)) + 4;
  if (width - left < LEAST_COLUMN) return rows.map((row) => stacked(row, width)).join("");
  return rows.map(([what, doc]) => {
    const lines = fill(doc, width - left).split("\n");
    return lines.map((line, i) => (i === 0 ? `  ${what}` : "").padEnd(left) + line + "\n").join("");
  }).join("");
}

function stacked([what, doc]: readonly [string, string], width: number): string {
  const margin = " ".repeat(BELOW);
  const lines = fill(doc, width - BELOW).split("\n").map((line) => `${margin}${line}\n`);
  return `  ${wrapHanging(what, width - 2, BELOW)}\n${lines.join("")}`;
}
