/**
 * Seeded random numbers, so that a run of the emulator can be repeated:
 * xorshift32 (Marsaglia, "Xorshift RNGs", 2003), which allocates nothing.
 *
 * @module
 */

/** A stream of uniform numbers that depends on its seed alone. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed >>> 0) || 0x9e3779b9;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / 4294967296;
  }

  /** Exponentially distributed with this mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Of the standard normal distribution (Box and Muller). */
  normal(): number {
    return Math.sqrt(this.exponential(2)) * Math.cos(2 * Math.PI * this.next());
  }
}
