/**
 * `max_latency` and `max_loss`: links that are too slow or lossy are backups until they improve.
 *
 * The round trip is always known, since idle links are probed too. Loss is known only while there
 * is traffic: a link that was put aside for it gets another chance after a while, each time after
 * twice as long.
 *
 * @module
 */

import type { LinkOptions } from "../link_options.ts";

/** The round trip must fall to this share of the limit for the link to come back. */
const BETTER = 0.9;
/** The loss of a second is judged only with at least this many datagrams. */
const LEAST_DATAGRAMS = 100;
const JUDGED_EVERY_US = 1_000_000;
/** How long a lossy link is left alone, in microseconds; doubled each time. */
const LEAST_PAUSE_US = 30_000_000;
const MOST_PAUSE_US = 600_000_000;
/** A link that was good for this long begins with the shortest pause again. */
const FORGET_US = 600_000_000;

/** Limits of one link; absent: none. */
type Limits = Pick<LinkOptions, "maxLatencyUs" | "maxLoss">;

/** What is measured about a link. */
export interface Quality {
  /** Least round trip of the last seconds, in microseconds. */
  readonly minRttUs: number;
  /** Fraction lost in the last second, the worse of both directions. */
  readonly loss: number;
  /** Datagrams sent and received since the start. */
  readonly datagrams: number;
}

/** Judges one link. Instants in microseconds. */
export class LinkLimits {
  /** Why the link is put aside, in words. */
  reason: string | undefined;
  readonly #limits: Limits;
  #slow = false;
  #lossyUntil = 0;
  #pauseUs = LEAST_PAUSE_US;
  #judgedAtUs = -Infinity;
  #datagrams = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether there is a limit at all. */
  get limited(): boolean {
    return this.#limits.maxLatencyUs !== undefined || this.#limits.maxLoss !== undefined;
  }

  /** Looks at the link, once a second at most; returns whether {@linkcode reason} has changed. */
  update(now: number, quality: Quality): boolean {
    if (!this.limited || now < this.#judgedAtUs + JUDGED_EVERY_US) return false;
    const seconds = (now - this.#judgedAtUs) / JUDGED_EVERY_US;
    this.#judgedAtUs = now;
    const before = this.reason;
    const lossy = this.#judgeLoss(now, seconds, quality);
    this.reason = this.#judgeLatency(quality.minRttUs) ?? lossy;
    return this.reason !== before;
  }

  #judgeLatency(minRttUs: number): string | undefined {
    const { maxLatencyUs } = this.#limits;
    if (maxLatencyUs === undefined) return undefined;
    this.#slow = minRttUs > maxLatencyUs * (this.#slow ? BETTER : 1);
    return this.#slow
      ? `backup: its round trip is above max_latency, ${Math.round(maxLatencyUs / 1000)} ms`
      : undefined;
  }

  #judgeLoss(now: number, seconds: number, { loss, datagrams }: Quality): string | undefined {
    const { maxLoss } = this.#limits;
    if (maxLoss === undefined) return undefined;
    const enough = datagrams - this.#datagrams >= LEAST_DATAGRAMS * Math.min(seconds, 2);
    this.#datagrams = datagrams;
    if (now >= this.#lossyUntil && enough && loss > maxLoss) {
      if (now > this.#lossyUntil + FORGET_US) this.#pauseUs = LEAST_PAUSE_US;
      this.#lossyUntil = now + this.#pauseUs;
      this.#pauseUs = Math.min(2 * this.#pauseUs, MOST_PAUSE_US);
    }
    if (now >= this.#lossyUntil) return undefined;
    return `backup: it lost more than max_loss, ${Math.round(maxLoss * 1000) / 10} %`;
  }
}
