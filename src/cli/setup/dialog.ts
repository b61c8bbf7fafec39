/**
 * Questions on a terminal. Where there is none, every answer is the default.
 *
 * @module
 */

import { AggvpnError, UsageError } from "../../errors.ts";

/** Longest text that is read. */
const MAX_BYTES = 64 * 1024;

/** Where answers come from, so that tests can give them. */
export interface AnswerSource {
  /** Whether somebody can answer. */
  readonly isTerminal: boolean;
  /** The next line without its end; undefined when there is none. */
  readonly readLine: () => string | undefined;
}

/** Asks somebody. */
export class Dialog {
  /** Whether there is somebody to ask. */
  readonly isInteractive: boolean;
  readonly #source: AnswerSource;
  readonly #say: (text: string) => void;

  /** @param say writes questions; `false` for `mayAsk` takes every default */
  constructor(source: AnswerSource, say: (text: string) => void, mayAsk = true) {
    this.#source = source;
    this.#say = say;
    this.isInteractive = source.isTerminal && mayAsk;
  }

  /**
   * Returns the answer, checked by `parse`; without somebody to ask the default.
   *
   * @param flag what gives the answer on the command line; for when there is no default
   */
  ask<T>(
    question: string,
    fallback: string | undefined,
    parse: (text: string) => T | { readonly wrong: string },
    flag: string,
  ): T {
    if (!this.isInteractive && fallback === undefined) {
      throw new UsageError(`Nobody can be asked: ${question}`, { hint: `Give ${flag}` });
    }
    for (;;) {
      const text = this.isInteractive ? this.#answer(question, fallback) : fallback!;
      const result = parse(text);
      if (!isWrong(result)) return result;
      if (!this.isInteractive) throw new UsageError(result.wrong, { hint: `Give ${flag}` });
      this.#say(`  ${result.wrong}\n`);
    }
  }

  /** Returns whether the answer is yes; without somebody to ask the default. */
  confirm(question: string, fallback: boolean): boolean {
    if (!this.isInteractive) return fallback;
    for (;;) {
      this.#say(`${question} [${fallback ? "Y/n" : "y/N"}] `);
      const text = this.#line().toLowerCase();
      if (text === "") return fallback;
      if (/^y(es)?$/.test(text)) return true;
      if (/^no?$/.test(text)) return false;
      this.#say("  yes or no?\n");
    }
  }

  /** Reads lines until `isEnough` or the end, after saying what is wanted on a terminal. */
  read(wanted: string, isEnough: (text: string) => boolean): string {
    if (this.#source.isTerminal) this.#say(`${wanted}\n`);
    let text = "";
    while (text.length < MAX_BYTES) {
      const line = this.#source.readLine();
      if (line === undefined) break;
      text += line + "\n";
      if (isEnough(text)) break;
    }
    return text;
  }

  #answer(question: string, fallback: string | undefined): string {
    for (;;) {
      this.#say(fallback === undefined ? `${question}: ` : `${question} [${fallback}]: `);
      const text = this.#line() || fallback;
      if (text !== undefined) return text;
    }
  }

  #line(): string {
    const line = this.#source.readLine();
    if (line !== undefined) return line.trim();
    this.#say("\n");
    throw new AggvpnError("The questions were not answered: nothing was changed");
  }
}

function isWrong<T>(result: T | { readonly wrong: string }): result is { readonly wrong: string } {
  return typeof result === "object" && result !== null && "wrong" in result;
}

/** Returns the standard input of this process. */
export function standardInput(): AnswerSource {
  return { isTerminal: Deno.stdin.isTerminal(), readLine: () => readLine(Deno.stdin) };
}

/** Byte by byte: what follows the line is for the next question, or for another program. */
function readLine(stream: { readSync(bytes: Uint8Array): number | null }): string | undefined {
  const byte = new Uint8Array(1);
  const line: number[] = [];
  while (line.length < MAX_BYTES) {
    const count = stream.readSync(byte);
    if (!count && line.length === 0) return undefined;
    if (!count || byte[0] === 0x0a) break;
    line.push(byte[0]!);
  }
  return new TextDecoder().decode(Uint8Array.from(line)).replace(/\r$/, "");
}
