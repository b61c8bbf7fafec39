/**
 * When to say something again that is still so: less and less often.
 *
 * @module
 */

/** Least time between two complaints at first, and at last, in microseconds. */
const FIRST_US = 10_000_000;
const LONGEST_US = 300_000_000;

/** Doubles the time between complaints from 10 s to 5 min. */
export class BackOff {
  #nextAtUs = -Infinity;
  #waitUs = FIRST_US;

  /** Whether to complain now; then not again for a while. */
  isDue(now: number): boolean {
    if (now < this.#nextAtUs) return false;
    this.#nextAtUs = now + this.#waitUs;
    this.#waitUs = Math.min(2 * this.#waitUs, LONGEST_US);
    return true;
  }

  /** All is well, or not yet bad: the next complaint is a first one, at `atUs` or later. */
  reset(atUs = -Infinity): void {
    this.#nextAtUs = atUs;
    this.#waitUs = FIRST_US;
  }
}
