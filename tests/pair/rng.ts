/**
 * A small seeded generator of pseudo-random numbers: the same seed gives the
 * same network. It is Chris Doty-Humphrey's sfc32, chosen because it is only four
 * additions long; nothing here needs to be secret.
 *
 * @module
 */

/** Pseudo-random numbers that depend only on the seed. */
export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed 32 bits of it are used */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = seed ^ 0x9e3779b9;
    this.#c = Math.imul(seed, 0x85ebca6b) ^ 0x243f6a88;
    for (let i = 0; i < 16; i++) this.uint32();
  }

  /** Returns an integer in [0, 2^32). */
  uint32(): number {
    const out = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21 | this.#c >>> 11) + out) | 0;
    return out >>> 0;
  }

  /** Returns a number in [0, 1). */
  next(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** Returns an exponentially distributed number with this mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Returns a number of the standard normal distribution (Box and Muller). */
  normal(): number {
    return Math.sqrt(this.exponential(2)) * Math.cos(2 * Math.PI * this.next());
  }

  /** Fills `out` with bytes. */
  fill(out: Uint8Array): void {
    for (let i = 0; i < out.length; i++) out[i] = this.uint32();
  }

  /** Returns an independent generator, so that another consumer does not affect the others. */
  fork(label: number): Rng {
    return new Rng(Math.imul(this.uint32(), 0x9e3779b1) ^ label);
  }
}
