/**
 * How much queue a bulk flow may keep in front of the links.
 *
 * A loss-based sender (CUBIC, RFC 9438) that has filled a path reduces its window to 0.7 after a
 * drop: with less than 0.43 round trips of queue the path then runs dry. And when the links
 * together carry less than they did a moment ago, the window that was needed then is worth keeping
 * as a queue: a link that returns is full at once only if there is something to send, and growing a
 * window takes CUBIC many seconds.
 *
 * The queue delays only the flow that causes it (RFC 8290).
 *
 * @module
 */

/** Sojourn time that is accepted on the shortest links, in microseconds. */
export const LEAST_TARGET_US = 15_000;
/** ... and the most that is ever accepted, whatever the links are like. */
export const MOST_TARGET_US = 60_000;
/** The same where links vary: what is needed when they carry most, and more than they carry now. */
export const VARIABLE_TARGET_US = 400_000;
/** Round trips of queue that keep the links busy after a drop: 1 / 0.7 - 1. */
const REDUCTION = 0.43;
/** On slow links the queue may hold the few full packets by which a small window is reduced. */
const LEAST_PACKETS_BYTES = 4 * 1500;
/** What the links have carried is remembered for one to two windows of this many microseconds. */
const WINDOW_US = 30_000_000;

/** The target of one queue. */
export class QueueTarget {
  #mostBps = 0;
  #lastMostBps = 0;
  #windowEndsAtUs = 0;

  /**
   * Returns the target in microseconds.
   *
   * @param rttUs least round trip of the slowest link in use
   * @param capacityBps what the links in use carry together
   * @param varies whether one of them varies all the time
   */
  update(now: number, rttUs: number, capacityBps: number, varies = false): number {
    if (now >= this.#windowEndsAtUs) {
      this.#lastMostBps = now < this.#windowEndsAtUs + WINDOW_US ? this.#mostBps : 0;
      this.#mostBps = 0;
      this.#windowEndsAtUs = now + WINDOW_US;
    }
    this.#mostBps = Math.max(this.#mostBps, capacityBps);
    const most = Math.max(this.#mostBps, this.#lastMostBps);
    const missing = capacityBps > 0 ? most / capacityBps - 1 : 0;
    const packetsUs = capacityBps > 0 ? LEAST_PACKETS_BYTES * 8e6 / capacityBps : 0;
    const targetUs = Math.max(rttUs * (REDUCTION + missing), packetsUs, LEAST_TARGET_US);
    return varies ? VARIABLE_TARGET_US : Math.min(targetUs, MOST_TARGET_US);
  }
}
