/**
 * On which link does a packet arrive first?
 *
 * @module
 */

/** What is known of a link when a packet is to be sent. Times in microseconds. */
export interface LinkView {
  /** When its pacer lets the next datagram go. */
  readonly dueAtUs: number;
  /** One-way delay, relative to the other links. */
  readonly owdUs: number;
  readonly jitterUs: number;
  readonly rttUs: number;
  /** Fraction of datagrams lost. */
  readonly loss: number;
  /** Bits per second. */
  readonly rateBps: number;
}

/**
 * When a packet of `sizeBytes` given to `link` at `now` arrives, in microseconds,
 * relative to other links: pacing, transmission, delay, and what jitter
 * and loss may add to them.
 */
export function arrivalAtUs(link: LinkView, now: number, sizeBytes: number): number {
  return Math.max(link.dueAtUs, now) + sizeBytes * 8e6 / link.rateBps + link.owdUs +
    2 * link.jitterUs + link.loss * link.rttUs;
}
