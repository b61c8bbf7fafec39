/**
 * Anti-replay window, one per session and link.
 *
 * A ring of 32-bit words, cleared word by word as the window slides (RFC 6479). The same bits tell
 * which counters arrived, for acknowledgements. Only the low half of a counter is transmitted; the
 * window supplies the rest (RFC 4303 appendix A, simplified: nearest to the newest counter).
 *
 * @module
 */

const WORD_BITS = 32;
const RING_WORDS = 512; // a power of two

/** Counters at least this far behind the newest are always refused. */
export const WINDOW_SIZE = (RING_WORDS - 1) * WORD_BITS;

/** Remembers which counters were accepted. Counters are integers from 0 to 2^53 - 1. */
export class ReplayWindow {
  #newest = -1;
  readonly #ring = new Uint32Array(RING_WORDS);

  /** The largest counter accepted, -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /**
   * Returns the counter nearest to {@linkcode newest} whose low 32 bits are
   * `low32`, or -1 when it would exceed 2^53 - 1. Only a guess: authentication
   * fails when more than 2^31 datagrams in a row were lost.
   */
  infer(low32: number): number {
    const distance = (low32 - this.#newest) | 0;
    const counter = this.#newest + distance;
    if (counter < 0) return counter + 0x1_0000_0000;
    return counter <= Number.MAX_SAFE_INTEGER ? counter : -1;
  }

  /** Tells whether `counter` would be accepted. For use before authentication: changes nothing. */
  check(counter: number): boolean {
    if (counter > this.#newest) return counter <= Number.MAX_SAFE_INTEGER;
    return counter >= 0 && this.#newest - counter < WINDOW_SIZE && !this.#bit(counter);
  }

  /** Accepts `counter` at most once; returns whether it did. Only for authenticated counters. */
  accept(counter: number): boolean {
    if (!this.check(counter)) return false;
    if (counter > this.#newest) this.#slideTo(counter);
    this.#ring[(counter >>> 5) & (RING_WORDS - 1)]! |= 1 << (counter & 31);
    return true;
  }

  /** Tells whether `counter` was accepted; false for one outside the window. */
  received(counter: number): boolean {
    return counter >= 0 && counter <= this.#newest && this.#newest - counter < WINDOW_SIZE &&
      this.#bit(counter);
  }

  /** `>>>` and `&` keep the low 32 bits of any safe integer, and the ring needs 14 of them. */
  #bit(counter: number): boolean {
    return (this.#ring[(counter >>> 5) & (RING_WORDS - 1)]! & 1 << (counter & 31)) !== 0;
  }

  #slideTo(counter: number): void {
    const from = Math.floor(this.#newest / WORD_BITS);
    const stale = Math.min(Math.floor(counter / WORD_BITS) - from, RING_WORDS);
    for (let i = 1; i <= stale; i++) this.#ring[(from + i) & (RING_WORDS - 1)] = 0;
    this.#newest = counter;
  }
}
