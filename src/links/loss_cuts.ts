/**
 * Many losses may mean that too much is sent, or that a link loses whatever is sent: a cut tells.
 *
 * @module
 */

import type { RateSample } from "./delivery_rate.ts";

/**
 * More losses than this may mean that too much is sent: then there are fewer when less is sent.
 * Otherwise they are random, like those of bad radio, and no reason to slow down.
 */
const TOO_MANY_LOSSES = 0.05;
const FEWER_LOSSES = 0.5;
/** This long after a cut the loss of a whole second is known, in microseconds. */
const LOSS_JUDGED_US = 2_200_000;

/**
 * A cut that helped shows a limit without a queue, such as a policer. Short samples exceed it, since
 * bursts pass: the rate then grows by this share in a second, until it is so many times what it was.
 */
const GROWTH_PER_S = 0.05;
const FORGOTTEN = 2;

/** What losses make of the rate of one link. Rates in bits per second, instants in microseconds. */
export class LossCuts {
  /** The rate before it was cut; 0: there is no cut to judge. */
  #beforeCut = 0;
  #lossAtCut = 0;
  #judgedAtUs = 0;
  /** Losses that occurred however little was sent. */
  #randomLoss = 0;
  /** What was cut to, when; 0: there is no limit without a queue. */
  #limitBps = 0;
  #limitAtUs = 0;

  /** The most that the rate may rise to at `now`. */
  ceilingBps(now: number): number {
    if (this.#limitBps === 0) return Infinity;
    const growth = 1 + Math.max(0, now - this.#limitAtUs) * GROWTH_PER_S / 1e6;
    if (growth >= FORGOTTEN) this.#limitBps = 0;
    return this.#limitBps === 0 ? Infinity : this.#limitBps * growth;
  }

  /**
   * Returns the rate that follows from `loss`, the fraction lost over the last second: what arrives
   * when losses are many, what it was before when cutting it did not help, else `rateBps`.
   */
  handleSample(now: number, rateBps: number, sample: RateSample, loss: number): number {
    if (now < this.#judgedAtUs) return rateBps;
    const rate = this.#judge(rateBps, loss);
    if (loss < FEWER_LOSSES * this.#randomLoss) this.#randomLoss = loss;
    const isNew = loss > TOO_MANY_LOSSES && loss > this.#randomLoss / FEWER_LOSSES;
    if (!isNew || sample.limited || sample.rateBps === 0) return rate;
    this.#beforeCut = rate;
    this.#lossAtCut = loss;
    this.#judgedAtUs = now + LOSS_JUDGED_US;
    this.#limitBps = Math.min(sample.rateBps, rate * (1 - loss));
    this.#limitAtUs = this.#judgedAtUs;
    return this.#limitBps;
  }

  /** There is other evidence: the last cut is not undone. */
  forget(): void {
    this.#beforeCut = 0;
    this.#limitBps = 0;
  }

  #judge(rateBps: number, loss: number): number {
    const before = this.#beforeCut;
    this.#beforeCut = 0;
    if (before === 0 || loss <= FEWER_LOSSES * this.#lossAtCut) return rateBps;
    this.#randomLoss = loss;
    this.#limitBps = 0;
    return Math.max(rateBps, before);
  }
}
