/**
 * Earliest departure times: a link sends a datagram when the one before has had
 * time to leave at the link's rate, so that no queue forms behind it.
 *
 * @module
 */

/** A sender that woke late may catch up this much, in microseconds of the link's rate. */
export const MAX_BURST_US = 3_000;
/** A datagram may leave this early, in microseconds: a wake-up costs about as much. */
export const SLACK_US = 150;

/** The pacer of one link. */
export class Pacer {
  /** Rate of IP packets in bits per second; greater than zero. */
  rateBps: number;
  #nextAt = 0;

  constructor(rateBps: number) {
    this.rateBps = rateBps;
  }

  /** When the next datagram may leave, in microseconds. */
  get dueAt(): number {
    return this.#nextAt - SLACK_US;
  }

  /** Accounts for a datagram of `sizeBytes` that leaves at `now`. */
  charge(now: number, sizeBytes: number): void {
    const from = Math.max(this.#nextAt, now - MAX_BURST_US);
    this.#nextAt = from + sizeBytes * 8e6 / this.rateBps;
  }

  /** Forgets what is owed: the link begins anew. */
  reset(now: number): void {
    this.#nextAt = now;
  }
}
