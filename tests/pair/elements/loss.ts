/**
 * Loss that has nothing to do with load: radio, bad wires, dead lines.
 *
 * @module
 */

import type { Rng } from "../rng.ts";
import { DROPPED, type Element } from "./element.ts";

/** Loses each packet with the same probability. */
export class RandomLoss implements Element {
  readonly name = "loss";
  drops = 0;

  constructor(readonly fraction: number, readonly rng: Rng) {}

  pass(at: number): number {
    return this.rng.next() < this.fraction ? DROPPED : at;
  }
}

/** The two-state model of Gilbert and Elliott; the probabilities are per packet. */
export interface GilbertElliottOptions {
  /** From the good to the bad state, and back. */
  readonly toBad: number;
  readonly toGood: number;
  /** Loss in either state. */
  readonly lossGood: number;
  readonly lossBad: number;
}

/** Loses packets in bursts. */
export class GilbertElliott implements Element {
  readonly name = "burst-loss";
  drops = 0;
  #bad = false;

  constructor(readonly options: GilbertElliottOptions, readonly rng: Rng) {}

  pass(at: number): number {
    const { toBad, toGood, lossGood, lossBad } = this.options;
    const turn = this.rng.next() < (this.#bad ? toGood : toBad);
    if (turn) this.#bad = !this.#bad;
    return this.rng.next() < (this.#bad ? lossBad : lossGood) ? DROPPED : at;
  }
}

/** A span of virtual time in microseconds, without `toUs`. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

/** Silently drops everything that enters during the given spans. */
export class Blackhole implements Element {
  readonly name = "blackhole";
  drops = 0;

  constructor(readonly spans: readonly Span[]) {}

  pass(at: number): number {
    for (const { fromUs, toUs } of this.spans) if (at >= fromUs && at < toUs) return DROPPED;
    return at;
  }
}

/** Silently drops IP packets that are larger than the line carries. */
export class Mtu implements Element {
  readonly name = "mtu";
  drops = 0;

  constructor(readonly maxBytes: number) {}

  pass(at: number, bytes: number): number {
    return bytes > this.maxBytes ? DROPPED : at;
  }
}
