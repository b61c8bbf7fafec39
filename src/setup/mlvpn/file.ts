/**
 * Reads a file of mlvpn as mlvpn itself does, with everything that its parser does and nobody
 * expects (src/configlib.c of mlvpn 2.3.5 and later): spaces outside quotes are deleted, tabs are
 * not, brackets anywhere in a line begin a section, and the last line needs its end.
 *
 * @module
 */

/** An option as mlvpn sees it. */
export interface Option {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
  /** What stands behind the `=`, without the comment: spaces are still there. */
  readonly written: string;
}

/** A line of which mlvpn takes no notice. */
export interface Ignored {
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

/** What mlvpn makes of a text. */
export interface MlvpnFile {
  readonly options: readonly Option[];
  readonly ignored: readonly Ignored[];
}

/** The section of what concerns the tunnel as a whole. */
export const GENERAL = "general";

/**
 * Reads `text`, with bytes as characters where it is no UTF-8. Never throws.
 *
 * @param asMeant mends what makes mlvpn ignore lines: tabs, a last line without end, options
 *   before the first section
 */
export function readMlvpn(text: string, asMeant = false): MlvpnFile {
  const options: Option[] = [];
  const ignored: Ignored[] = [];
  const lines = text.replaceAll("\r", "").split("\n");
  const last = lines.pop()!;
  const ignore = (line: number, text: string, why: string): void => {
    ignored.push({ line, text: text.trim(), why });
  };
  let section = asMeant ? GENERAL : undefined;
  for (const [i, raw] of [...lines, ...asMeant ? [last] : []].entries()) {
    const line = i + 1;
    const bare = stripComment(asMeant ? raw.replaceAll("\t", " ") : raw);
    const name = sectionOf(bare);
    if (name !== undefined) {
      section = name;
      if (!/^\s*\[[^\]]*\]\s*$/.test(bare)) {
        ignore(line, bare, `the brackets begin a section "${name}" for mlvpn`);
      }
      continue;
    }
    const read = readLine(bare);
    if ("why" in read) {
      if (read.why !== "") ignore(line, bare, read.why);
    } else if (section === undefined) {
      ignore(line, bare, "it stands before the first section");
    } else options.push({ section, line, ...read });
  }
  if (!asMeant && stripComment(last).trim() !== "") {
    ignore(lines.length + 1, last, "it has no newline at its end");
  }
  return { options, ignored };
}

/** Returns the line without its comment: a `#` counts outside quotes. */
function stripComment(line: string): string {
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"') isQuoted = !isQuoted;
    else if (line[i] === "#" && !isQuoted) return line.slice(0, i);
  }
  return line;
}

/** Returns the section that a line begins, wherever its brackets are. */
function sectionOf(line: string): string | undefined {
  return /^[^[\]]*\[([^[\]]*)\]/.exec(line)?.[1]?.split("\0")[0];
}

/** Returns what an option's line says, or why it says nothing; no reason when nothing is meant. */
function readLine(
  line: string,
): Pick<Option, "key" | "value" | "written"> | { readonly why: string } {
  let isQuoted = false;
  let key: string | undefined;
  let buffer = "";
  let written = "";
  for (const letter of line.split("\0")[0]!) {
    if (letter === '"') isQuoted = !isQuoted;
    else if (letter === "=" && !isQuoted) {
      if (buffer === "") return { why: 'it begins with "="' };
      if (key !== undefined) return { why: 'it has two "=" outside quotes' };
      key = stripEnd(buffer);
      buffer = written = "";
    } else {
      written += letter;
      // Spaces count in quotes only, and not before anything else.
      if (letter === " " && (!isQuoted || buffer === "")) continue;
      if (letter > "\x7f") return { why: "it has letters besides ASCII" };
      buffer += letter;
    }
  }
  if (key === undefined) return { why: line.trim() === "" ? "" : 'it has no "="' };
  if (buffer === "") return { why: "" };
  return { key, value: stripEnd(buffer), written: written.trim() };
}

/** Spaces at the end go, but not the first letter. */
function stripEnd(text: string): string {
  return text.slice(0, 1) + text.slice(1).replace(/ +$/, "");
}
