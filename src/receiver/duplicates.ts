/**
 * Which global sequence numbers have arrived: a packet that was sent on two links, or sent again,
 * is delivered once.
 *
 * @module
 */

/** Numbers remembered behind the newest: a power of two. */
export const REMEMBERED = 65_536;
const WORDS = REMEMBERED / 32;

/** A sliding bitmap over 32-bit sequence numbers that wrap. */
export class Duplicates {
  readonly #bits = new Uint32Array(WORDS);
  #newest = 0;
  #started = false;

  /** Forgets everything: the peer has restarted. */
  reset(): void {
    this.#started = false;
    this.#bits.fill(0);
  }

  /** Accepts `sequence` at most once. One older than the bitmap counts as a duplicate. */
  accept(sequence: number): boolean {
    if (!this.#started) {
      this.#started = true;
      this.#newest = sequence;
    }
    const ahead = sequence - this.#newest | 0;
    if (ahead > 0) this.#slide(ahead, sequence);
    else if (-ahead >= REMEMBERED - 32) return false;
    const word = sequence >>> 5 & WORDS - 1;
    const bit = 1 << (sequence & 31);
    if ((this.#bits[word]! & bit) !== 0) return false;
    this.#bits[word] = this.#bits[word]! | bit;
    return true;
  }

  #slide(ahead: number, sequence: number): void {
    const from = this.#newest >>> 5;
    const steps = Math.min((sequence >>> 5) - from & 0x7ff_ffff, WORDS);
    if (ahead >= REMEMBERED) this.#bits.fill(0);
    else for (let i = 1; i <= steps; i++) this.#bits[from + i & WORDS - 1] = 0;
    this.#newest = sequence;
  }
}
