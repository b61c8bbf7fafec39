/**
 * Propagation delay, and its variation with and without reordering.
 *
 * @module
 */

import type { Rng } from "../rng.ts";
import type { Element } from "./element.ts";

/** Time that an entry of recorded delays is for. */
const RECORDED_STEP_US = 10_000;

/** A delay that changes only when told to. */
export class Delay implements Element {
  readonly name = "delay";
  drops = 0;

  constructor(public us: number) {}

  pass(at: number): number {
    return at + this.us;
  }
}

/** Delays that were recorded: milliseconds, each for 10 ms from `beginUs` on, again and again. */
export class RecordedDelay implements Element {
  readonly name = "recorded-delay";
  drops = 0;

  constructor(readonly ms: readonly number[], readonly beginUs = 0) {}

  pass(at: number): number {
    const steps = this.ms.length;
    const step = Math.floor((at - this.beginUs) / RECORDED_STEP_US) % steps;
    return at + this.ms[(step + steps) % steps]! * 1000;
  }
}

/** Puts what would overtake right behind what went before. */
export class Order implements Element {
  readonly name = "order";
  drops = 0;
  #last = 0;

  pass(at: number): number {
    this.#last = Math.max(this.#last, at);
    return this.#last;
  }
}

/** How a {@linkcode Jitter} is drawn. */
export interface JitterOptions {
  /** Whether a packet may overtake an earlier one, as over parallel hops. */
  readonly reorders?: boolean;
  /**
   * Whether it is normal with a standard deviation of `us` and takes away from a delay of this
   * many microseconds as often as it adds, as netem's does, instead of uniform in [0, `us`).
   */
  readonly normalAroundUs?: number;
}

/** Additional delay, drawn per packet. */
export class Jitter implements Element {
  readonly name = "jitter";
  drops = 0;
  #last = 0;

  constructor(readonly us: number, readonly options: JitterOptions, readonly rng: Rng) {}

  pass(at: number): number {
    const { reorders, normalAroundUs } = this.options;
    const leaves = at +
      (normalAroundUs === undefined
        ? this.us * this.rng.next()
        : Math.max(-normalAroundUs, this.us * this.rng.normal()));
    if (reorders) return leaves;
    this.#last = Math.max(this.#last, leaves);
    return this.#last;
  }
}
