/**
 * How much went through in the last second.
 *
 * @module
 */

const BIN_US = 100_000;
const BINS = 10;

/** Bits per second over the last second, in bins of 100 ms. */
export class Meter {
  /** All bytes since the start. */
  totalBytes = 0;
  readonly #bins = new Float64Array(BINS);
  #bin = 0;

  add(now: number, bytes: number): void {
    this.totalBytes += bytes;
    this.#turn(now);
    this.#bins[this.#bin % BINS] = this.#bins[this.#bin % BINS]! + bytes;
  }

  rateBps(now: number): number {
    this.#turn(now);
    let bytes = 0;
    for (let i = 0; i < BINS; i++) bytes += this.#bins[i]!;
    return bytes * 8e6 / (BIN_US * BINS);
  }

  #turn(now: number): void {
    const bin = Math.floor(now / BIN_US);
    if (bin - this.#bin >= BINS) this.#bins.fill(0);
    else for (let i = this.#bin + 1; i <= bin; i++) this.#bins[i % BINS] = 0;
    if (bin > this.#bin) this.#bin = bin;
  }
}
