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
/** Who sends so much of the rate has lost it there, whatever bursts of it pass. */
const USED = 0.4;
/** Losses that are so many times those before the cut had only begun then. */
const ROSE = 1.25;
/** That more than this is random is not believed for ever: first so long, then twice that. */
const DOUBTFUL = 0.15;
const DOUBT_US = 5_000_000;
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
  #doubtAtUs = 0;
  #doubtUs = DOUBT_US;
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
   * @param bareBps what was sent meanwhile; 0 when a queue or silence explains losses by itself
   */
  handleSample(
    now: number,
    rateBps: number,
    sample: RateSample,
    loss: number,
    bareBps: number,
  ): number {
    if (now < this.#judgedAtUs) return rateBps;
    const rate = this.#judge(now, rateBps, loss);
    if (loss < FEWER_LOSSES * this.#randomLoss) this.#randomLoss = loss;
    if (this.#randomLoss > DOUBTFUL && now > this.#doubtAtUs) this.#randomLoss = 0;
    const isNew = loss > TOO_MANY_LOSSES && loss > this.#randomLoss / FEWER_LOSSES;
    if (!isNew || sample.rateBps === 0) return rate;
    const sampleBps = sample.limited ? Infinity : sample.rateBps;
    const isBare = bareBps > (sample.limited ? USED * rate : 0);
    const arrivesBps = Math.min(sampleBps, isBare ? rate * (1 - loss) : Infinity);
    if (arrivesBps >= rate) return rate;
    this.#beforeCut = Math.max(rate, this.#beforeCut);
    this.#lossAtCut = loss;
    this.#judgedAtUs = now + LOSS_JUDGED_US;
    this.#limitBps = isBare ? arrivesBps : 0;
    this.#limitAtUs = this.#judgedAtUs;
    return arrivesBps;
  }

  /** There is other evidence: the last cut is not undone. */
  forget(): void {
    this.#beforeCut = 0;
    this.#limitBps = 0;
  }

  #judge(now: number, rateBps: number, loss: number): number {
    const before = this.#beforeCut;
    if (before === 0) return rateBps;
    if (loss > ROSE * this.#lossAtCut) return rateBps; // that was not yet all: cut again
    this.#beforeCut = 0;
    if (loss <= FEWER_LOSSES * this.#lossAtCut) return rateBps;
    this.#randomLoss = loss;
    this.#doubtAtUs = now + this.#doubtUs;
    this.#doubtUs *= 2;
    this.#limitBps = 0;
    return Math.max(rateBps, before);
  }
}
