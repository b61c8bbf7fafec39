/**
 * The time stamps of a client's handshakes: each is later than every one before, also that of a
 * process before this one, whatever the wall clock does.
 *
 * A server takes an INIT that is not later for a replay. A host without a battery for its clock, or
 * one whose clock was wrong for a while, would not be answered until it has caught up. So the last
 * stamp is kept in a file, and the next one is at least a microsecond later.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../io/clock.ts";
import type { StateFile } from "./state_file.ts";

const log = getLogger(["aggvpn", "handshake"]);

/** Least time between writes of the file, in microseconds: what a crash may forget. */
const SAVE_EVERY_US = 10_000_000;

/** What {@linkcode HandshakeClock} needs. */
export interface HandshakeClockOptions {
  readonly clock: Clock;
  /** The wall clock: milliseconds since 1970. It may be set at any time, even backwards. */
  readonly wallMs: () => number;
  readonly file: StateFile;
}

/** Dates the handshakes of one client. */
export class HandshakeClock {
  readonly #options: HandshakeClockOptions;
  /** Microseconds since 1970, as all that follow. */
  #last: number;
  #saved: number;
  #savedAtUs = -Infinity;
  #saving: Promise<void> = Promise.resolve();
  #complained = false;

  constructor(options: HandshakeClockOptions) {
    this.#options = options;
    this.#saved = load(options.file);
    const wallUs = options.wallMs() * 1000;
    this.#last = this.#saved;
    if (this.#saved <= wallUs) return;
    // The stamps that the file does not have were counted up from it, or it was behind by little.
    this.#last += SAVE_EVERY_US;
    log.warning(
      "The clock of this host says {now}, its last handshake was at {last}: is it right?",
      {
        now: textOf(wallUs),
        last: textOf(this.#saved),
      },
    );
  }

  /** Returns the time stamp for a handshake that begins now, in microseconds since 1970. */
  next(): number {
    this.#last = Math.max(this.#options.wallMs() * 1000, this.#last + 1);
    const now = this.#options.clock();
    if (now - this.#savedAtUs >= SAVE_EVERY_US) {
      this.#savedAtUs = now;
      this.#save();
    }
    return this.#last;
  }

  /** Resolves when the file has the last stamp, or cannot have it. */
  async close(): Promise<void> {
    if (this.#saved !== this.#last && this.#savedAtUs !== -Infinity) this.#save();
    await this.#saving;
  }

  /** Starts to write the file, after any write in progress. */
  #save(): void {
    const { file } = this.#options;
    const last = this.#saved = this.#last;
    this.#saving = this.#saving.then(() => file.write(`${last}\n`)).catch((error: Error) => {
      if (this.#complained) return;
      this.#complained = true;
      const fields = { path: file.path, reason: error.message };
      log.warning(
        "Cannot write {path}: if the clock goes back the server may not answer after a restart: {reason}",
        fields,
      );
    });
  }
}

/** Whatever is wrong with the file, the tunnel runs: most clocks do not go back. */
function load(file: StateFile): number {
  const { text, problem } = file.read();
  if (problem === undefined && text === undefined) return 0;
  const stamp = /^\d{1,16}\n$/.test(text ?? "") ? Number(text) : NaN;
  if (Number.isSafeInteger(stamp)) return stamp;
  const fields = { path: file.path, problem: problem ?? "is damaged" };
  log.warning("The time of the last handshake is not known: {path} {problem}", fields);
  return 0;
}

function textOf(us: number): string {
  const date = new Date(us / 1000);
  return Number.isNaN(date.getTime()) ? `${us} us` : date.toISOString();
}
