/**
 * Whether whoever is at the far end of a path receives what is sent there.
 *
 * A verified datagram moves a path to wherever it came from, and its sender can have written any
 * address there: until a probe that was sent to that address has been answered, no more leaves for it
 * than three times what came from it (RFC 9000 section 8). Reports prove nothing, for a peer can
 * write them without having received anything, so who is sent packets has to answer a probe now and
 * then: the address may be somebody else's by now.
 *
 * @module
 */

/** RFC 9000 section 8.1. */
const MOST_TIMES = 3;
/** How long packets are sent without a proof, and when it is asked for again, in microseconds. */
const UNPROVEN_US = 30_000_000;
const ASK_AFTER_US = 10_000_000;
/** How often it is asked for, in microseconds. */
const ASK_EVERY_US = 250_000;

/** What is known of the address that a path sends to. */
export class Validation {
  /** Whether the user has named the address, which then need not be proven. */
  isGiven = true;
  #isProven = true;
  /** When the first packet since the last proof left; Infinity: none has. */
  #sentSinceUs = Infinity;
  /** Bytes from and to the address while there is no proof. */
  #receivedBytes = 0;
  #sentBytes = 0;
  /** Probes up to this one were sent to another address. */
  #lastProbe = 0;
  #askedAtUs = -Infinity;

  /** The path sends to an address that the user has named. */
  handleGiven(): void {
    this.isGiven = true;
  }

  /**
   * The path sends to an address that a datagram came from. `lastProbe` is the number of the newest
   * probe; `isProven`: this was the path's address a moment ago, and proven.
   */
  handleFound(lastProbe: number, isProven: boolean): void {
    this.isGiven = false;
    this.#isProven = isProven;
    this.#sentSinceUs = Infinity;
    this.#receivedBytes = 0;
    this.#sentBytes = 0;
    this.#lastProbe = lastProbe;
    this.#askedAtUs = -Infinity;
  }

  /** A datagram of `bytes` has come from the address. */
  handleReceived(bytes: number): void {
    if (!this.#isProven) this.#receivedBytes += bytes;
  }

  /** A datagram of `bytes` leaves for the address; `isPacket`: there is a packet in it. */
  handleSent(now: number, bytes: number, isPacket: boolean): void {
    if (isPacket && this.#sentSinceUs === Infinity) this.#sentSinceUs = now;
    if (!this.#isProven) this.#sentBytes += bytes;
  }

  /** Probe `number` was answered. */
  handleProbeAck(number: number): void {
    if (number <= this.#lastProbe) return;
    this.#isProven = true;
    this.#sentSinceUs = Infinity;
    this.#receivedBytes = 0;
    this.#sentBytes = 0;
  }

  /** Whether the address receives what is sent there, as far as one may believe. */
  isProven(now: number): boolean {
    if (this.isGiven) return true;
    if (now - this.#sentSinceUs >= UNPROVEN_US) this.#isProven = false;
    return this.#isProven;
  }

  /** Whether a datagram of `bytes` may leave. */
  allows(now: number, bytes: number): boolean {
    return this.isProven(now) || this.#sentBytes + bytes <= MOST_TIMES * this.#receivedBytes;
  }

  /** Whether to send a probe now: there is no proof, or it is needed again soon. */
  pollAsk(now: number): boolean {
    if (now - this.#askedAtUs < ASK_EVERY_US) return false;
    if (this.isProven(now) && (this.isGiven || now - this.#sentSinceUs < ASK_AFTER_US)) {
      return false;
    }
    this.#askedAtUs = now;
    return true;
  }
}
