/**
 * Round-trip time of one path: SRTT and RTTVAR of RFC 6298 section 2, and the recent least sample.
 *
 * @module
 */

/** SRTT before the first sample, in microseconds. */
export const INITIAL_RTT_US = 100_000;
/** The minimum covers the last one to two windows of this many microseconds. */
const WINDOW_US = 10_000_000;

/** Smoothed and least round-trip time. */
export class Rtt {
  srttUs: number = INITIAL_RTT_US;
  rttvarUs: number = INITIAL_RTT_US / 2;
  sampled = false;
  #minUs = Infinity;
  #lastMinUs = Infinity;
  #windowEndsAtUs = 0;

  /** Recent least round-trip time. */
  get minUs(): number {
    const least = Math.min(this.#minUs, this.#lastMinUs);
    return least === Infinity ? this.srttUs : least;
  }

  /** A round trip longer than this is unusual. */
  get patienceUs(): number {
    return this.srttUs + Math.max(4 * this.rttvarUs, 5_000);
  }

  /** One that is longer than this is worth a doubt. */
  get doubtfulUs(): number {
    return this.srttUs + Math.min(Math.max(2 * this.rttvarUs, 5_000), 10_000);
  }

  /** Takes into account one more round trip of `sampleUs`. */
  sample(now: number, sampleUs: number): void {
    if (now >= this.#windowEndsAtUs) {
      this.#lastMinUs = this.#minUs;
      this.#minUs = Infinity;
      this.#windowEndsAtUs = now + WINDOW_US;
    }
    this.#minUs = Math.min(this.#minUs, sampleUs);
    if (!this.sampled) {
      this.sampled = true;
      this.srttUs = sampleUs;
      this.rttvarUs = sampleUs / 2;
      return;
    }
    this.rttvarUs += (Math.abs(this.srttUs - sampleUs) - this.rttvarUs) / 4;
    this.srttUs += (sampleUs - this.srttUs) / 8;
  }
}
