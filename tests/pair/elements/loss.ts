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

/** A size that a line carries from an instant on. */
export interface MtuStep {
  readonly atUs: number;
  /** Largest IP packet, with its headers. */
  readonly mtuBytes: number;
}

/**
 * Silently drops IP packets that are larger than the line carries: nobody says "fragmentation
 * needed". What has entered before a change passes.
 */
export class Mtu implements Element {
  readonly name = "mtu";
  drops = 0;
  readonly #steps: readonly MtuStep[];
  #next = 0;

  /**
   * @param maxBytes at first; assign another to change it now
   * @param schedule when it changes by itself
   */
  constructor(public maxBytes: number, schedule: readonly MtuStep[] = []) {
    this.#steps = schedule.toSorted((a, b) => a.atUs - b.atUs);
  }

  pass(at: number, bytes: number): number {
    while (this.#next < this.#steps.length && this.#steps[this.#next]!.atUs <= at) {
      this.maxBytes = this.#steps[this.#next++]!.mtuBytes;
    }
    return bytes > this.maxBytes ? DROPPED : at;
  }
}
