/**
 * A bound on how often something may happen.
 *
 * @module
 */

/** Lets `burst` through at once and `perSecond` in the long run. */
export class TokenBucket {
  #tokens: number;
  #filledAtUs = 0;

  constructor(readonly perSecond: number, readonly burst: number) {
    this.#tokens = burst;
  }

  /** Whether it may happen once more, which it then has. */
  take(now: number): boolean {
    const earned = (now - this.#filledAtUs) * this.perSecond / 1e6;
    this.#tokens = Math.min(this.burst, this.#tokens + earned);
    this.#filledAtUs = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
