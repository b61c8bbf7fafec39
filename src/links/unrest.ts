/**
 * Does the capacity of a link change all the time?
 *
 * What changes is added up as natural logarithms, so that halving counts as much as doubling, and
 * forgotten within seconds of traffic: while a link is idle nothing is learned about it.
 *
 * @module
 */

/** Half of what has changed is forgotten in this time, in microseconds. */
const HALF_LIFE_US = 5_000_000;
/** Of a longer time without a sample only this much counts. */
const MOST_FORGOTTEN_US = 500_000;
/** A link varies when this much has changed: to nearly half, or a few smaller changes in a while. */
const VARIES = 0.6;
/** ... until there is less than this left. */
const RESTS = 0.2;

/** How often the rate of a link that varies is looked at, in microseconds; a logarithm is noise. */
const EVERY_US = 100_000;
const NOISE = 0.1;
/** The same while its rate is searched, which gives steadier estimates. */
const SEARCH_EVERY_US = 500_000;
const SEARCH_NOISE = 0.03;
/** How much a rise counts, since there may just be more to send than before. */
const RISE_SHARE = 1 / 3;
/** What a second of much jitter counts as. */
const JITTER = 0.6;
/** What a cut for a standing queue counts as at least: that there is one is a sign. */
const CUT = 0.25;
/** What silence under load counts as. */
const SILENCE = 0.3;

/** Adds up the changes of one link. Instants in microseconds, rates in bits per second. */
export class Unrest {
  /** Whether it varies. */
  varies = false;
  #sum = 0;
  #notedAtUs = 0;
  #lookedAtUs = 0;
  /** The rate at the last look; 0: there is nothing to compare with. */
  #rateBps = 0;

  /** The rate is now `rateBps`, by samples that what there was to send did not limit. */
  handleRate(now: number, rateBps: number, hasMuchJitter: boolean): void {
    const sinceUs = now - this.#lookedAtUs;
    if (sinceUs < (this.varies ? EVERY_US : SEARCH_EVERY_US)) return;
    this.#lookedAtUs = now;
    const change = this.#rateBps === 0 ? 0 : changeOf(this.#rateBps, rateBps);
    const isNoise = change <= (this.varies ? NOISE : SEARCH_NOISE);
    const jitter = hasMuchJitter ? JITTER * Math.min(sinceUs / 1e6, 1) : 0;
    this.#rateBps = rateBps;
    this.#add(now, (isNoise ? 0 : change) + jitter);
  }

  /** The rate means nothing, since it is being found: it is not compared with the next one. */
  handleStart(now: number): void {
    this.#lookedAtUs = now;
    this.#rateBps = 0;
  }

  /** The rate was cut to `rateBps` for a standing queue. */
  handleCut(now: number, rateBps: number): void {
    const change = this.#rateBps === 0 ? 0 : changeOf(this.#rateBps, rateBps);
    this.#lookedAtUs = now;
    this.#rateBps = rateBps;
    this.#add(now, Math.max(change, CUT));
  }

  /** Nothing was heard for a while although something was under way. */
  handleSilence(now: number): void {
    this.#add(now, SILENCE);
  }

  /** Forgets everything: the changes had another cause. */
  reset(): void {
    this.#sum = 0;
    this.varies = false;
  }

  #add(now: number, change: number): void {
    const forgottenUs = Math.min(now - this.#notedAtUs, MOST_FORGOTTEN_US);
    this.#sum = this.#sum * 0.5 ** (forgottenUs / HALF_LIFE_US) + change;
    this.#notedAtUs = now;
    if (this.#sum > VARIES) this.varies = true;
    else if (this.#sum < RESTS) this.varies = false;
  }
}

function changeOf(beforeBps: number, nowBps: number): number {
  const change = Math.log(nowBps / beforeBps);
  return change < 0 ? -change : RISE_SHARE * change;
}
