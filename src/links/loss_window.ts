/**
 * A window that takes its share of a queue which others fill: it grows until something is lost.
 *
 * CUBIC (RFC 9438), so that it gets what one TCP connection would get there, and no more. It differs
 * in that the window follows the clock instead of acknowledgements, and in how it begins: the
 * line is known to be full, so it grows by a fixed share in a round trip until the first loss.
 *
 * @module
 */

/** RFC 9438 sections 4.1, 4.3 and 4.6; windows are counted in packets of this many bytes. */
const C = 0.4;
const BETA = 0.7;
const ALPHA = 3 * (1 - BETA) / (1 + BETA);
const PACKET_BYTES = 1400;
/** Before the first loss it grows by this share in a round trip. */
const FIRST_GROWTH = 0.5;
/** It never grows by more than this in a round trip. */
const MOST_GROWTH = 0.5;
const LEAST_PACKETS = 4;
/** Time without growth longer than this does not count, in microseconds: nothing was heard. */
const MOST_STEP_US = 100_000;

/** The window of one link. Instants in microseconds. */
export class LossWindow {
  #packets = LEAST_PACKETS;
  /** What it was at the last loss; 0: nothing was lost. */
  #most = 0;
  /** Seconds since the last loss in which it was used, and until it is what it was then. */
  #seconds = 0;
  #plateauSeconds = 0;
  /** What Reno would have. */
  #reno = 0;
  #grownAtUs = 0;
  #reducedAtUs = -Infinity;

  /** Bytes that may be in flight. */
  get bytes(): number {
    return this.#packets * PACKET_BYTES;
  }

  /** Begins with `bytes`, as if nothing had ever been lost. */
  begin(now: number, bytes: number): void {
    this.#packets = Math.max(LEAST_PACKETS, bytes / PACKET_BYTES);
    this.#most = 0;
    this.#grownAtUs = now;
    this.#reducedAtUs = -Infinity;
  }

  /** Continues after a pause in which it was not used. */
  resume(now: number): void {
    this.#grownAtUs = now;
  }

  /** It is too small by this factor: goes on from there. */
  multiply(by: number): void {
    this.#packets *= by;
    if (this.#most > 0) this.#restart(Math.max(this.#most, this.#packets));
  }

  /** Time has passed; `used`: it was what limited the sender. */
  grow(now: number, srttUs: number, used: boolean): void {
    const stepUs = Math.min(now - this.#grownAtUs, MOST_STEP_US);
    this.#grownAtUs = now;
    if (!used) return;
    const roundTrips = stepUs / srttUs;
    if (this.#most === 0) {
      this.#packets *= 1 + FIRST_GROWTH * roundTrips;
      return;
    }
    this.#seconds += stepUs / 1e6;
    this.#reno += (this.#reno < this.#most ? ALPHA : 1) * roundTrips;
    const cubic = C * (this.#seconds - this.#plateauSeconds) ** 3 + this.#most;
    const most = this.#packets * (1 + MOST_GROWTH * roundTrips);
    this.#packets = Math.min(most, Math.max(this.#packets, this.#reno, cubic));
  }

  /** Something was lost: once in a round trip the window shrinks. */
  handleLoss(now: number, srttUs: number): void {
    if (now < this.#reducedAtUs + srttUs) return;
    this.#reducedAtUs = now;
    const before = this.#packets;
    this.#packets = Math.max(LEAST_PACKETS, before * BETA);
    this.#restart(before < this.#most ? before * (1 + BETA) / 2 : before);
  }

  /** Begins to grow from what it is to `most`, and beyond. */
  #restart(most: number): void {
    this.#most = most;
    this.#reno = this.#packets;
    this.#seconds = 0;
    this.#plateauSeconds = Math.cbrt((most - this.#packets) / C);
  }
}
