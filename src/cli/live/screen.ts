/**
 * A terminal that a command has for itself: the alternate screen, without cursor and echo. However
 * the command ends, the terminal is then as it was before.
 *
 * @module
 */

import type { TerminalSize } from "../terminal.ts";

/** Control sequences of xterm, which every terminal of today knows, tmux and screen too. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** What a screen is shown on. */
export interface Terminal {
  readonly write: (text: string) => void;
  /** Keys come one by one and are not shown. Does nothing where stdin is no terminal. */
  readonly setRaw: (raw: boolean) => void;
}

/** The screen, from its creation until it is disposed. */
export class Screen implements Disposable {
  readonly #terminal: Terminal;
  #isShown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.enter();
  }

  /** Takes the terminal, again. */
  enter(): void {
    if (this.#isShown) return;
    this.#isShown = true;
    this.#terminal.setRaw(true);
    this.#terminal.write(ENTER);
  }

  /** Gives the terminal back, for a while. */
  leave(): void {
    if (!this.#isShown) return;
    this.#isShown = false;
    this.#terminal.write(LEAVE);
    this.#terminal.setRaw(false);
  }

  /** Shows `lines`, of which there are at most as many as rows, in place of what was shown. */
  draw(lines: readonly string[], { rows }: TerminalSize): void {
    if (!this.#isShown) return;
    const shown = lines.slice(0, rows).map((line) => line + CLEAR_LINE).join("\r\n");
    // In one write, so that nobody sees half of it.
    this.#terminal.write(HOME + shown + (lines.length < rows ? CLEAR_BELOW : ""));
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}
