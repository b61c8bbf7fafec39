/**
 * A text that is kept in a file as it changes: written one after the other, and never twice.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import type { StateFile } from "./state_file.ts";

/** Writes a state file beside the loop. */
export class SavedText {
  /** Resolves when what was to be written is, or cannot be. */
  settled: Promise<void> = Promise.resolve();
  readonly #file: StateFile;
  readonly #consequence: string;
  readonly #log: Logger;
  #text: string | undefined;
  #complained = false;

  /** @param consequence of a file that cannot be written, for the log */
  constructor(file: StateFile, consequence: string, log: Logger, text: string) {
    this.#file = file;
    this.#consequence = consequence;
    this.#log = log;
    this.#text = text;
  }

  /** Whether the file has the text that was last to be written, or will have it. */
  get isSaved(): boolean {
    return this.#text !== undefined;
  }

  /** Starts to write `text`, unless it is there already. */
  write(text: string): void {
    if (text === this.#text) return;
    this.#text = text;
    this.settled = this.settled.then(() => this.#file.write(text)).then(
      () => void (this.#complained = false),
      (error: Error) => {
        this.#text = undefined; // it is tried again with the next text
        if (this.#complained) return;
        this.#complained = true;
        const fields = { path: this.#file.path, reason: error.message };
        this.#log.warning(`Cannot write {path}, ${this.#consequence}: {reason}`, fields);
      },
    );
  }
}
