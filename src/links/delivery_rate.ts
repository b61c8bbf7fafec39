/**
 * Delivery rate of one path: what arrived, over the longer of the time it took to
 * send and the time it took to arrive (Cheng and others, "Delivery Rate
 * Estimation", draft-cheng-iccrg-delivery-rate-estimation). The arrival times are
 * the receiver's, so a burst of acknowledgements distorts nothing.
 *
 * @module
 */

const RECORDS = 128;

/** One rate sample. Reused. */
export class RateSample {
  /** Bits per second of IP packets; 0: not enough was seen. */
  rateBps = 0;
  /** Whether the path ran out of data on the way: the link may carry more. */
  limited = false;
}

/** History of reports, and the samples made of it. */
export class DeliveryRate {
  readonly #receivedAt = new Float64Array(RECORDS);
  readonly #sentAt = new Float64Array(RECORDS);
  readonly #bytes = new Float64Array(RECORDS);
  readonly #idleCount = new Float64Array(RECORDS);
  #count = 0;
  #lastWire = 0;
  #clock = 0;

  /** Forgets the past: a new session counts from zero. */
  reset(): void {
    this.#count = 0;
  }

  /**
   * Takes a report into account.
   *
   * @param receivedWire receive time of its newest datagram, modulo 2^32 microseconds
   * @param sentAt when that datagram left
   * @param bytes total bytes received then
   * @param idleCount how often the path had run out of data when it left
   * @param spanUs least time a sample spans; @param spanBytes and least bytes
   */
  sample(
    receivedWire: number,
    sentAt: number,
    bytes: number,
    idleCount: number,
    spanUs: number,
    spanBytes: number,
    out: RateSample,
  ): void {
    out.rateBps = 0;
    const receivedAt = this.#unwrap(receivedWire);
    for (let back = 1; back <= Math.min(this.#count, RECORDS); back++) {
      const at = (this.#count - back) % RECORDS;
      const elapsedUs = Math.max(receivedAt - this.#receivedAt[at]!, sentAt - this.#sentAt[at]!);
      const delivered = bytes - this.#bytes[at]!;
      if (elapsedUs < spanUs || delivered < spanBytes && elapsedUs < 10 * spanUs) continue;
      out.rateBps = Math.max(delivered, 0) * 8e6 / elapsedUs;
      out.limited = idleCount !== this.#idleCount[at];
      break;
    }
    const at = this.#count++ % RECORDS;
    this.#receivedAt[at] = receivedAt;
    this.#sentAt[at] = sentAt;
    this.#bytes[at] = bytes;
    this.#idleCount[at] = idleCount;
  }

  #unwrap(wire: number): number {
    if (this.#count === 0) this.#clock = 0;
    else this.#clock += wire - this.#lastWire | 0;
    this.#lastWire = wire;
    return this.#clock;
  }
}
