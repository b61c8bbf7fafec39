/**
 * Propagation delay, and its variation with and without reordering.
 *
 * @module
 */

import type { Rng } from "../rng.ts";
import type { Element } from "./element.ts";

/** A delay that changes only when told to. */
export class Delay implements Element {
  readonly name = "delay";
  drops = 0;

  constructor(public us: number) {}

  pass(at: number): number {
    return at + this.us;
  }
}

/** Additional delay, uniform in [0, `us`), drawn per packet. */
export class Jitter implements Element {
  readonly name = "jitter";
  drops = 0;
  #last = 0;

  /** @param reorders whether a packet may overtake an earlier one, as over parallel hops */
  constructor(readonly us: number, readonly reorders: boolean, readonly rng: Rng) {}

  pass(at: number): number {
    const leaves = at + this.us * this.rng.next();
    if (this.reorders) return leaves;
    this.#last = Math.max(this.#last, leaves);
    return this.#last;
  }
}
