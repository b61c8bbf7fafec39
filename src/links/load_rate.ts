/**
 * How fast to send so that a link is full: faster and faster until no more arrives, and then a
 * little faster than it arrives, so that the queue of the link fills too.
 *
 * This is what the pacer and the rate estimator avoid at all costs. A test wants to know what a link
 * carries and what becomes of its delay when somebody does it. The search is the Startup of BBR
 * (draft-ietf-ccwg-bbr section 5.3.1), whose end is when three rounds bring less than a quarter more.
 *
 * @module
 */

/** Where the search begins, and ends in any case, in bits per second. */
export const LEAST_LOAD_BPS = 1_000_000;
export const MOST_LOAD_BPS = 1_000_000_000;
/** A round takes at least this long, in microseconds, and no less than a round trip. */
const ROUND_US = 100_000;
const SEARCH_GAIN = 2.5;
const GROWTH = 1.25;
const FLAT_ROUNDS = 3;
/** What is sent of what arrives once the link is full, ... */
const HOLD_GAIN = 1.25;
/** ... and when its queue has just overflowed: it stays long, but others find room in it. */
const OVERFLOW_GAIN = 0.98;
/** So much is lost in a round when a queue overflows, and not by chance. */
const OVERFLOW_LOSS = 0.05;
/** After so many rounds without that it is filled up again. */
const CALM_ROUNDS = 10;
/** What arrived in the last rounds counts: a link may have become slower. */
const ROUNDS = 10;
/** A queue that is longer is shortened, in microseconds: enough to be graded, not to do harm. */
const MOST_QUEUE_US = 1_000_000;
const DRAIN_GAIN = 0.5;
/** Without a report for so much longer than a round trip nothing is sent: the link may be dead. */
const SILENCE_US = 500_000;
/** A sender that woke late may catch up this much, in microseconds: a burst does no more harm. */
const MAX_LATENESS_US = 30_000;

/** The rate of one load. Times in microseconds. */
export class LoadRate {
  rateBps: number;
  #dueAtUs: number;
  #heardAtUs: number;
  #roundTripUs: number;
  #queueUs = 0;
  /** Where the round began: at the receiver's clock, with so many bytes received. */
  #roundAtUs = -1;
  #roundBytes = 0;
  #roundDatagrams = 0;
  #roundNewest = 0;
  #calm = CALM_ROUNDS;
  /** How long the queue was when it overflowed. */
  #fullUs = 0;
  readonly #delivered: number[] = [];
  #best = 0;
  #flat = 0;

  /** @param roundTripUs of the link without load */
  constructor(now: number, startBps: number, roundTripUs: number) {
    this.rateBps = Math.min(MOST_LOAD_BPS, Math.max(LEAST_LOAD_BPS, startBps));
    this.#dueAtUs = this.#heardAtUs = now;
    this.#roundTripUs = roundTripUs;
  }

  /** Whether no more arrives, however much is sent. */
  get isFull(): boolean {
    return this.#flat >= FLAT_ROUNDS;
  }

  /** When the next datagram is to leave; Infinity while nothing is heard of the last ones. */
  dueAtUs(now: number): number {
    const isSilent = now - this.#heardAtUs > SILENCE_US + this.#roundTripUs;
    return isSilent ? Infinity : this.#dueAtUs;
  }

  /** A datagram of `bytes` as an IP packet leaves. */
  charge(now: number, bytes: number): void {
    const from = Math.max(this.#dueAtUs, now - MAX_LATENESS_US);
    this.#dueAtUs = from + bytes * 8e6 / this.rateBps;
  }

  /**
   * By the receiver's clock, so many datagrams had arrived at `atUs`, in all `bytes` of IP packets,
   * the newest with counter `newest`.
   */
  handleArrival(
    now: number,
    atUs: number,
    bytes: number,
    datagrams: number,
    newest: number,
  ): void {
    this.#heardAtUs = now;
    const elapsedUs = atUs - this.#roundAtUs;
    const isNew = this.#roundAtUs < 0 || bytes < this.#roundBytes;
    if (!isNew && elapsedUs < Math.max(ROUND_US, this.#roundTripUs)) return;
    if (!isNew) {
      const loss = 1 - (datagrams - this.#roundDatagrams) / (newest - this.#roundNewest);
      this.#noteLoss(loss);
      this.#endRound((bytes - this.#roundBytes) * 8e6 / elapsedUs);
    }
    this.#roundAtUs = atUs;
    this.#roundBytes = bytes;
    this.#roundDatagrams = datagrams;
    this.#roundNewest = newest;
  }

  /** A round trip took `us`, of which the link without load needs `leastUs`. */
  handleRoundTrip(us: number, leastUs: number): void {
    this.#queueUs = us - leastUs;
  }

  #noteLoss(loss: number): void {
    if (loss > OVERFLOW_LOSS) {
      this.#calm = 0;
      this.#fullUs = this.#queueUs;
    } else if (this.#queueUs < this.#fullUs / 2) this.#calm = CALM_ROUNDS;
    else this.#calm++;
  }

  #endRound(bps: number): void {
    this.#delivered.push(bps);
    if (this.#delivered.length > ROUNDS) this.#delivered.shift();
    if (!this.isFull) {
      const grows = bps > this.#best * GROWTH;
      this.#flat = grows ? 0 : this.#flat + 1;
      if (grows) this.#best = bps;
    }
    const most = Math.max(...this.#delivered);
    this.rateBps = Math.min(MOST_LOAD_BPS, Math.max(LEAST_LOAD_BPS / 10, this.#gain * most));
  }

  get #gain(): number {
    if (this.#queueUs > MOST_QUEUE_US) return DRAIN_GAIN;
    if (!this.isFull) return SEARCH_GAIN;
    return this.#calm < CALM_ROUNDS ? OVERFLOW_GAIN : HOLD_GAIN;
  }
}
