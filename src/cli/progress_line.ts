/**
 * What is being done, in one line of the terminal that vanishes: on standard error, and only if that
 * is a terminal.
 *
 * @module
 */

import { terminalColumns } from "./terminal.ts";

/** Erase in Line: ECMA-48 section 8.3.41. */
const CLEAR = "\r\x1b[K";

/** One line, replaced each time. */
export class ProgressLine implements Disposable {
  readonly #isShown = Deno.stderr.isTerminal();
  #text = "";

  /** Shows `text` instead of what was shown. */
  show(text: string): void {
    if (!this.#isShown || text === this.#text) return;
    this.#text = text;
    this.#write(CLEAR + text.slice(0, terminalColumns() - 1));
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
