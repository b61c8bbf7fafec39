/**
 * What is being done, in one line of the terminal that vanishes: on standard error, and only if that
 * is a terminal.
 *
 * @module
 */

/** Narrowest and widest text, and what is used when nobody says how wide it is to be. */
const LEAST_COLUMNS = 40;
const MOST_COLUMNS = 200;
const USUAL_COLUMNS = 80;
/** Erase in Line: ECMA-48 section 8.3.41. */
const CLEAR = "\r\x1b[K";

/** How many columns of standard output to use. */
export function terminalColumns(): number {
  if (!Deno.stdout.isTerminal()) return USUAL_COLUMNS;
  return Math.min(MOST_COLUMNS, Math.max(LEAST_COLUMNS, consoleColumns()));
}

function consoleColumns(): number {
  try {
    return Deno.consoleSize().columns || USUAL_COLUMNS;
  } catch {
    return USUAL_COLUMNS;
  }
}

/** One line, replaced each time. */
export class ProgressLine implements Disposable {
  readonly #isShown = Deno.stderr.isTerminal();
  #text = "";

  /** Shows `text` instead of what was shown. */
  show(text: string): void {
    if (!this.#isShown || text === this.#text) return;
    this.#text = text;
    this.#write(CLEAR + text.slice(0, consoleColumns() - 1));
  }

  /** Leaves nothing behind. */
  clear(): void {
    if (this.#text === "") return;
    this.#text = "";
    this.#write(CLEAR);
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
