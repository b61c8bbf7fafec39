/**
 * Percentiles of times without keeping the times.
 *
 * @module
 */

const BINS = 128;
/** Bins per factor of two: 9 % wide. */
const PER_OCTAVE = 8;
/** Times up to this fall into the first bin, in microseconds. */
const FIRST_US = 16;
/** When it holds this many, all counts are halved: the past fades. */
const FADE_AT = 100_000;

/** A histogram with bins that grow geometrically, from 16 us to about 1 s. */
export class Histogram {
  readonly #bins = new Float64Array(BINS);
  #total = 0;

  add(valueUs: number): void {
    const octaves = Math.log2(Math.max(valueUs, FIRST_US) / FIRST_US);
    const bin = Math.min(BINS - 1, Math.floor(octaves * PER_OCTAVE));
    this.#bins[bin] = this.#bins[bin]! + 1;
    if (++this.#total >= FADE_AT) this.#fade();
  }

  /** The value that a fraction `p` (0 to 1) of the times does not exceed, in microseconds; 0 if empty. */
  percentileUs(p: number): number {
    let left = p * this.#total;
    if (left === 0) return 0;
    for (let bin = 0; bin < BINS; bin++) {
      left -= this.#bins[bin]!;
      if (left <= 0) return FIRST_US * 2 ** ((bin + 1) / PER_OCTAVE);
    }
    return FIRST_US * 2 ** (BINS / PER_OCTAVE);
  }

  #fade(): void {
    this.#total = 0;
    for (let bin = 0; bin < BINS; bin++) {
      this.#bins[bin] = Math.floor(this.#bins[bin]! / 2);
      this.#total += this.#bins[bin]!;
    }
  }
}
