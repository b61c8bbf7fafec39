/**
 * The greatest value of the last rounds: a queue of falling values.
 *
 * @module
 */

/** A maximum that forgets. */
export class WindowedMax {
  readonly #rounds: number[] = [];
  readonly #values: number[] = [];

  /** @param window rounds that count, the current one included */
  constructor(readonly window: number) {}

  /** 0 before the first value. */
  get value(): number {
    return this.#values[0] ?? 0;
  }

  /** Adds a value of `round`, which does not decrease from call to call. */
  add(round: number, value: number): void {
    while (this.#values.length > 0 && this.#values.at(-1)! <= value) {
      this.#values.pop();
      this.#rounds.pop();
    }
    this.#values.push(value);
    this.#rounds.push(round);
    while (this.#rounds[0]! <= round - this.window) {
      this.#values.shift();
      this.#rounds.shift();
    }
  }
}
