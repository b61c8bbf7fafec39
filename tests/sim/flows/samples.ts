/**
 * Collects numbers for percentiles at the end.
 *
 * @module
 */

/** A list of samples. */
export class Samples {
  readonly #values: number[] = [];
  #sorted = true;

  get count(): number {
    return this.#values.length;
  }

  add(value: number): void {
    this.#values.push(value);
    this.#sorted = false;
  }

  /** NaN without samples. */
  get mean(): number {
    return this.#values.reduce((sum, value) => sum + value, 0) / this.#values.length;
  }

  /** Returns the `fraction` quantile (nearest rank), NaN without samples. */
  quantile(fraction: number): number {
    const values = this.#values;
    if (!this.#sorted) values.sort((a, b) => a - b);
    this.#sorted = true;
    const rank = Math.max(0, Math.ceil(fraction * values.length) - 1);
    return values[rank] ?? NaN;
  }
}
