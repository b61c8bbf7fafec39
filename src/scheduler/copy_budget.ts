/**
 * How much may be copied: a share of what is sent, and what the link that carries the copies
 * hardly notices, which is earned by waiting.
 *
 * @module
 */

/** What a budget allows. */
export interface CopyLimits {
  /** Share of what is sent. */
  readonly share: number;
  /** Without other traffic: bits per second, up to a share of the link's rate. */
  readonly bps: number;
  readonly linkShare: number;
  /** At once, in bytes: this much in time of the link, in microseconds, and at least so many. */
  readonly burstUs: number;
  readonly leastBurst: number;
}

/** Most bytes at once on any link. */
const BURST_BYTES = 6_000;

/** The credit for copies of one kind. Instants in microseconds. */
export class CopyBudget {
  readonly #limits: CopyLimits;
  #creditBytes = BURST_BYTES;
  #earnedAtUs = 0;

  constructor(limits: CopyLimits) {
    this.#limits = limits;
  }

  /** So many bytes were sent for the first time. */
  noteSent(bytes: number): void {
    const credit = this.#creditBytes + bytes * this.#limits.share;
    this.#creditBytes = Math.min(BURST_BYTES, credit);
  }

  /** Spends credit on a copy of `bytes` for a link of `rateBps`; false: there is not enough. */
  take(now: number, rateBps: number, bytes: number): boolean {
    const { bps, linkShare, burstUs, leastBurst } = this.#limits;
    const earned = Math.min(bps, linkShare * rateBps) * (now - this.#earnedAtUs) / 8e6;
    this.#earnedAtUs = now;
    const most = Math.min(BURST_BYTES, Math.max(leastBurst, rateBps * burstUs / 8e6));
    this.#creditBytes = Math.min(most, this.#creditBytes + earned);
    if (this.#creditBytes < bytes) return false;
    this.#creditBytes -= bytes;
    return true;
  }
}
