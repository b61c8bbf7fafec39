/**
 * Writes configurations for people: keys in the order they are told, and comments that fit a
 * terminal.
 *
 * @module
 */

/** What a key of a written configuration can be. */
export type Writable = string | number | boolean | readonly string[];

/** Columns of a comment; those of the keys are up to their values. */
const COLUMNS = 80;

/** Writes a value of TOML on one line. */
export function formatValue(value: Writable): string {
  if (typeof value === "string") return formatString(value);
  if (typeof value === "object") return `[${value.map(formatString).join(", ")}]`;
  return String(value);
}

/** JSON's escapes are those of TOML's basic strings, apart from DEL and halves of pairs. */
function formatString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll("\x7f", "\\u007F");
}

/** Breaks a comment into lines; a text without letters is an empty one. */
export function commentLines(text: string): string[] {
  const lines: string[] = [];
  let line = "#";
  // deno-lint-ignore no-control-regex
  for (const word of text.replaceAll(/[\0-\x1f\x7f-\x9f]/g, " ").split(" ").filter(Boolean)) {
    if (line !== "#" && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** A configuration that is being written. */
export class TomlText {
  readonly #lines: string[] = [];

  /** Adds a comment. */
  comment(text: string): this {
    this.#lines.push(...commentLines(text));
    return this;
  }

  /** Adds a key with its value; nothing when that is undefined. */
  pair(key: string, value: Writable | undefined): this {
    if (value !== undefined) this.#lines.push(`${key} = ${formatValue(value)}`);
    return this;
  }

  /** Begins a table, such as `[tunnel]`, after an empty line. */
  header(header: string): this {
    return this.gap().raw(header);
  }

  /** Adds an empty line, unless there is one already. */
  gap(): this {
    const last = this.#lines.at(-1);
    if (last !== undefined && last !== "") this.#lines.push("");
    return this;
  }

  /** Adds a line as it is. */
  raw(line: string): this {
    this.#lines.push(line);
    return this;
  }

  toString(): string {
    return this.#lines.join("\n").trimEnd() + "\n";
  }
}
