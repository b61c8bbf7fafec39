/**
 * Wraps text into lines that fit a terminal.
 *
 * @module
 */

/** Width that everything fits. */
export const COLUMNS = 80;

/** Breaks paragraphs (separated by an empty line) into lines of at most `width` columns. */
export function wrap(text: string, width: number = COLUMNS): string {
  return text.trim().split(/\n\s*\n/).map((paragraph) => fill(paragraph, width)).join("\n\n");
}

function fill(paragraph: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.trim().split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

/** Lines of two columns: terms on the left, their explanations wrapped on the right. */
export function twoColumns(rows: readonly (readonly [string, string])[]): string {
  const left = Math.max(...rows.map(([what]) => what.length)) + 4;
  return rows.map(([what, doc]) => {
    const lines = fill(doc, COLUMNS - left).split("\n");
    return lines.map((line, i) => (i === 0 ? `  ${what}` : "").padEnd(left) + line + "\n").join("");
  }).join("");
}
