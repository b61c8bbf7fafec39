/**
 * Earliest departure times: a link sends a datagram when the previous one has had time to leave at
 * the link's rate, so that no queue forms on the link.
 *
 * @module
 */

/** After a pause this much may leave at once, in microseconds of the link's rate. */
export const MAX_BURST_US = 1_000;
/** A sender that had packets but woke late may catch up this much. */
export const MAX_LATENESS_US = 10_000;
/** A datagram may leave this early, in microseconds: a wake-up costs about as much. */
export const SLACK_US = 150;

/** The pacer of one link. */
export class Pacer {
  /** Rate of IP packets in bits per second; greater than zero. */
  rateBps: number;
  #nextAtUs = 0;
  #paused = true;

  constructor(rateBps: number) {
    this.rateBps = rateBps;
  }

  /** When the next datagram may leave, in microseconds. */
  get dueAtUs(): number {
    return this.#nextAtUs - SLACK_US;
  }

  /** Accounts for a datagram of `sizeBytes` that leaves at `now`. */
  charge(now: number, sizeBytes: number): void {
    const lenienceUs = this.#paused ? MAX_BURST_US : MAX_LATENESS_US;
    const from = Math.max(this.#nextAtUs, now - lenienceUs);
    this.#paused = false;
    this.#nextAtUs = from + sizeBytes * 8e6 / this.rateBps;
  }

  /** There was nothing to send although it was due: unused time is lost. */
  pause(): void {
    this.#paused = true;
  }

  /** Forgets what is owed: the link starts from scratch. */
  reset(now: number): void {
    this.#nextAtUs = now;
    this.#paused = true;
  }
}
