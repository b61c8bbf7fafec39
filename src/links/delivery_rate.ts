/**
 * Delivery rate of one path: what arrived, over the longer of the time it took to
 * send and the time it took to arrive (Cheng and others, "Delivery Rate
 * Estimation", draft-cheng-iccrg-delivery-rate-estimation). The arrival times are
 * the receiver's, so a burst of acknowledgements distorts nothing.
 *
 * @module
 */

/** A report per 2 ms over a second of round trip. */
const RECORDS = 512;
/** A busy period is a sample from this time and these bytes on; after the last it restarts. */
const BUSY_US = 20_000;
const BUSY_BYTES = 6_000;
const BUSY_MAX_US = 500_000;

/** One rate sample. Reused. */
export class RateSample {
  /** Bits per second of IP packets; 0: not enough was seen. */
  rateBps = 0;
  /** Whether the path ran out of data meanwhile: the link may carry more. */
  limited = false;
  /** The rate while there was always a queue on the link: its capacity; 0: unknown. */
  busyBps = 0;
}

/** History of reports, and the samples made from it. */
export class DeliveryRate {
  readonly #receivedAtUs = new Float64Array(RECORDS);
  readonly #sentAtUs = new Float64Array(RECORDS);
  readonly #bytes = new Float64Array(RECORDS);
  readonly #idleCount = new Float64Array(RECORDS);
  #count = 0;
  /** Since when there has been a queue, and what had arrived then. */
  #busySince = -1;
  #busyBytes = 0;
  #lastWire = 0;
  #clock = 0;

  /** Forgets the past: a new session counts from zero. */
  reset(): void {
    this.#count = 0;
    this.#busySince = -1;
  }

  /**
   * Takes a report into account.
   *
   * @param receivedWire receive time of its newest datagram, modulo 2^32 microseconds
   * @param sentAtUs when that datagram left
   * @param bytes total bytes received then
   * @param idleCount how often the path had run out of data when it left @param queued whether
   * there is a standing queue on the link @param spanUs least time a sample spans @param spanBytes
   * least bytes that it spans, unless they take ten times as long
   */
  sample(
    receivedWire: number,
    sentAtUs: number,
    bytes: number,
    idleCount: number,
    queued: boolean,
    spanUs: number,
    spanBytes: number,
    out: RateSample,
  ): void {
    out.rateBps = 0;
    const receivedAtUs = this.#unwrap(receivedWire);
    for (let back = 1; back <= Math.min(this.#count, RECORDS); back++) {
      const at = (this.#count - back) % RECORDS;
      const elapsedUs = Math.max(
        receivedAtUs - this.#receivedAtUs[at]!,
        sentAtUs - this.#sentAtUs[at]!,
      );
      const delivered = bytes - this.#bytes[at]!;
      if (elapsedUs < spanUs || delivered < spanBytes && elapsedUs < 10 * spanUs) continue;
      out.rateBps = Math.max(delivered, 0) * 8e6 / elapsedUs;
      out.limited = idleCount !== this.#idleCount[at];
      break;
    }
    out.busyBps = this.#busyRate(receivedAtUs, bytes, queued);
    const at = this.#count++ % RECORDS;
    this.#receivedAtUs[at] = receivedAtUs;
    this.#sentAtUs[at] = sentAtUs;
    this.#bytes[at] = bytes;
    this.#idleCount[at] = idleCount;
  }

  #busyRate(receivedAtUs: number, bytes: number, queued: boolean): number {
    const standing = queued && this.#busySince >= 0;
    const elapsedUs = receivedAtUs - this.#busySince;
    const delivered = bytes - this.#busyBytes;
    if (!standing || elapsedUs > BUSY_MAX_US) {
      this.#busySince = queued ? receivedAtUs : -1;
      this.#busyBytes = bytes;
    }
    const known = standing && elapsedUs >= BUSY_US && delivered >= BUSY_BYTES;
    return known && elapsedUs <= 2 * BUSY_MAX_US ? delivered * 8e6 / elapsedUs : 0;
  }

  #unwrap(wire: number): number {
    if (this.#count === 0) this.#clock = 0;
    else this.#clock += wire - this.#lastWire | 0;
    this.#lastWire = wire;
    return this.#clock;
  }
}
