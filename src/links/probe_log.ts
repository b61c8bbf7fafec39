/**
 * The probes that have left on one path: which one an answer is to.
 *
 * @module
 */

import { wireTime } from "../wire/time.ts";

/** Probes remembered: a power of two. */
const PROBES = 64;

/** Numbers probes from 1 and remembers the last ones. */
export class ProbeLog {
  /** Number of the newest. */
  newest = 0;
  readonly #token = new Uint32Array(PROBES);
  readonly #sentAtUs = new Float64Array(PROBES);
  readonly #size = new Uint16Array(PROBES);

  /** One leaves at `now`, to prove a size unless that is 0, with a token that its answer repeats. */
  note(now: number, size: number, token: number): void {
    const place = ++this.newest % PROBES;
    this.#token[place] = token;
    this.#sentAtUs[place] = now;
    this.#size[place] = size;
  }

  /**
   * Returns the number of a probe by what its answer repeats, of which `sentAt` is a wire time if it
   * is known; 0: there was none, or long ago.
   */
  find(token: number, sentAt: number | undefined): number {
    const oldest = Math.max(0, this.newest - PROBES);
    for (let number = this.newest; number > oldest; number--) {
      const place = number % PROBES;
      if (this.#token[place] !== token) continue;
      if (sentAt === undefined || wireTime(this.#sentAtUs[place]!) === sentAt) return number;
    }
    return 0;
  }

  /** The size that a found probe was to prove; 0: none. */
  sizeOf(number: number): number {
    return this.#size[number % PROBES]!;
  }

  /** When a found probe left, in microseconds. */
  sentAtUs(number: number): number {
    return this.#sentAtUs[number % PROBES]!;
  }
}
