/**
 * The queue on a link: how long a delay is one, whether it stands, and whether it can be ours.
 *
 * @module
 */

import { STANDING_US as FOLLOWED_US } from "./variable_rate.ts";

/** A queue counts beyond this delay, in microseconds; or an eighth of the least RTT ... */
const QUEUE_US = 10_000;
/** ... or the time that these bytes take, up to a limit; or what jitter explains. */
const QUEUE_BYTES = 3_000;
const MAX_QUEUE_US = 60_000;
const JITTERS = 3;
const MAX_JITTER_US = 15_000;
/** More than this, in microseconds, or than two packets take, is much jitter. */
const MUCH_JITTER_US = 8_000;
/** It is a standing queue after at least this long, or an RTT. */
const STANDING_US = 25_000;
/** It takes longer to believe that the link has become much slower. */
const DEEP_STANDING_US = 60_000;
/** One that changes by less than this share of the time stays as it is. */
const STEADY = 0.125;
/**
 * On a link that is followed, a queue of so many times what is meant to stand there is not ours,
 * after so many round trips, and this time, in microseconds.
 */
const FOLLOWED_QUEUES = 2;
const FOREIGN_ROUND_TRIPS = 5;
const FOREIGN_US = 500_000;

/** A one-way delay of more than this above the least means that there is a queue on the link. */
export function queueLimitUs(rateBps: number, minRttUs: number, jitterUs: number): number {
  const bytesUs = Math.min(QUEUE_BYTES * 8e6 / rateBps, MAX_QUEUE_US);
  return Math.max(QUEUE_US, minRttUs / 8, bytesUs, Math.min(JITTERS * jitterUs, MAX_JITTER_US));
}

/** Whether round trips differ by more than queues explain, on a link of `rateBps`. */
export function hasMuchJitter(rateBps: number, jitterUs: number): boolean {
  return jitterUs > Math.max(MUCH_JITTER_US, QUEUE_BYTES * 8e6 / rateBps);
}

/** Watches one queue. Instants and times in microseconds. */
export class StandingQueue {
  /** Since when there is one; Infinity when there is none. */
  #since = Infinity;
  /** How long it was then. */
  #thenUs = 0;

  /** There is none. */
  end(): void {
    this.#since = Infinity;
  }

  /** There is one of `queueUs`. */
  note(now: number, queueUs: number): void {
    if (this.#since === Infinity) this.restart(now, queueUs);
  }

  /** It counts from now on. */
  restart(now: number, queueUs: number): void {
    this.#since = now;
    this.#thenUs = queueUs;
  }

  /** Whether it stands; `deep`: that would mean that the link has become much slower. */
  stands(now: number, srttUs: number, deep: boolean): boolean {
    return now - this.#since >= Math.max(srttUs, deep ? DEEP_STANDING_US : STANDING_US);
  }

  /** Whether it has neither grown nor shrunk. */
  isSteady(now: number, queueUs: number): boolean {
    return Math.abs(queueUs - this.#thenUs) < STEADY * (now - this.#since);
  }

  /**
   * Whether there is more than what is in flight on a link that is followed explains, for so long
   * that it would have shrunk.
   */
  isForeign(now: number, queueUs: number, srttUs: number): boolean {
    if (queueUs <= FOLLOWED_QUEUES * FOLLOWED_US) this.end();
    else this.note(now, queueUs);
    return now >= this.#since + Math.max(FOREIGN_ROUND_TRIPS * srttUs, FOREIGN_US);
  }
}
