/**
 * Text in columns of a terminal.
 *
 * @module
 */

/** How many columns a text takes. */
export function textWidth(text: string): number {
  return [...text].length;
}

/** Fills a text up to `columns` with blanks, behind it or before it. */
export function pad(text: string, columns: number, left: boolean): string {
  const blanks = " ".repeat(Math.max(0, columns - textWidth(text)));
  return left ? text + blanks : blanks + text;
}

/**
 * Breaks `text` between words into lines of at most `columns`, unless a word is longer. `head` goes
 * before the first line, and `indent` blanks before the others: as many as it is wide when absent.
 */
export function wrapWords(
  head: string,
  text: string,
  columns: number,
  indent: number = textWidth(head),
): string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && textWidth(line) + 1 + textWidth(word) > columns) {
      lines.push(line);
      line = " ".repeat(indent) + word;
    } else line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
