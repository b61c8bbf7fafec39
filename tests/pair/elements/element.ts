/**
 * What a line does to datagrams, as a chain of small pieces. An element is told when a datagram
 * enters and says at once when it will leave, if ever: queues compute virtual finish times, so a
 * datagram costs one event however many elements it passes.
 *
 * The price: an element sees datagrams in the order in which they were sent. An element that
 * reorders therefore belongs after those with a queue.
 *
 * @module
 */

/** Bytes of IPv4 and UDP headers around a datagram. */
export const IP_UDP_BYTES = 28;
/** The same with IPv6. */
export const IPV6_UDP_BYTES = 48;
/** What {@linkcode Element.pass} returns for a datagram that does not leave. */
export const DROPPED = -1;

/** A piece of one direction of a line. */
export interface Element {
  /** The heading of its counters in print. */
  readonly name: string;
  /** Datagrams that did not leave. */
  drops: number;
  /**
   * Returns when an IP packet of `bytes` that enters at `at` leaves, or {@linkcode DROPPED}.
   * @param at microseconds; does not decrease from call to call
   */
  pass(at: number, bytes: number): number;
}

/** One direction of a line: its elements in the order in which datagrams meet them. */
export class Chain {
  /** Datagrams that entered and that left, and the IP bytes of the latter. */
  entered = 0;
  left = 0;
  leftBytes = 0;

  /** @param headerBytes what IP and UDP add to a datagram */
  constructor(readonly elements: readonly Element[], readonly headerBytes = IP_UDP_BYTES) {}

  /** Returns when a datagram that is sent at `at` arrives, or {@linkcode DROPPED}. */
  pass(at: number, datagramBytes: number): number {
    const bytes = datagramBytes + this.headerBytes;
    this.entered++;
    let time = at;
    for (const element of this.elements) {
      time = element.pass(time, bytes);
      if (time === DROPPED) {
        element.drops++;
        return DROPPED;
      }
    }
    this.left++;
    this.leftBytes += bytes;
    return time;
  }

  /** Datagrams lost in this direction. */
  get drops(): number {
    return this.elements.reduce((sum, element) => sum + element.drops, 0);
  }
}
