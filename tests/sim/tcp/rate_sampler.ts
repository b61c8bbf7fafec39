/**
 * How fast segments are delivered, measured as Linux does it (the Internet draft
 * draft-cheng-iccrg-delivery-rate-estimation): over the time it took to send them or to
 * have them acknowledged, whichever is longer.
 *
 * @module
 */

import { SCOREBOARD_SEGMENTS } from "./scoreboard.ts";

const MASK = SCOREBOARD_SEGMENTS - 1;

/** Takes one sample per acknowledgement. */
export class RateSampler {
  /** Segments delivered so far. */
  delivered = 0;
  /** Segments delivered when the newest one that is acknowledged was sent. */
  priorDelivered = 0;
  /** Whether the application was the limit when that was sent. */
  limited = false;
  readonly #deliveredThen = new Float64Array(SCOREBOARD_SEGMENTS);
  readonly #deliveredAtThen = new Float64Array(SCOREBOARD_SEGMENTS);
  readonly #firstSentThen = new Float64Array(SCOREBOARD_SEGMENTS);
  readonly #limitedThen = new Uint8Array(SCOREBOARD_SEGMENTS);
  #deliveredAt = 0;
  #firstSentAt = 0;
  #priorAt = -1;
  #sendUs = 0;
  /** What is sent before so many are delivered is limited, whoever limits it. */
  #limitedUntil = 0;

  /** Notes the state of things as `segment` is sent. */
  onSend(now: number, segment: number, pipe: number, limited: boolean): void {
    if (pipe === 0) this.#firstSentAt = this.#deliveredAt = now;
    const i = segment & MASK;
    this.#deliveredThen[i] = this.delivered;
    this.#deliveredAtThen[i] = this.#deliveredAt;
    this.#firstSentThen[i] = this.#firstSentAt;
    this.#limitedThen[i] = limited || this.delivered < this.#limitedUntil ? 1 : 0;
  }

  /** Samples of what is in flight, and of what is sent until it is delivered, say little. */
  excuse(pipe: number): void {
    this.#limitedUntil = this.delivered + Math.max(pipe, 1);
  }

  /** Notes that `segment`, last sent at `sentAtUs`, has arrived. */
  onArrive(now: number, segment: number, sentAtUs: number): void {
    const i = segment & MASK;
    this.delivered++;
    this.#deliveredAt = now;
    if (this.#priorAt >= 0 && this.#deliveredThen[i]! < this.priorDelivered) return;
    this.priorDelivered = this.#deliveredThen[i]!;
    this.#priorAt = this.#deliveredAtThen[i]!;
    this.#sendUs = sentAtUs - this.#firstSentThen[i]!;
    this.#firstSentAt = sentAtUs;
    this.limited = this.#limitedThen[i] === 1;
  }

  /**
   * Returns segments per microsecond, 0 when there is no sample: nothing arrived since the last
   * call, or within less than the shortest round trip. Ends the sample.
   */
  take(minRttUs: number): number {
    if (this.#priorAt < 0) return 0;
    const us = Math.max(this.#sendUs, this.#deliveredAt - this.#priorAt);
    this.#priorAt = -1;
    return us < minRttUs || us <= 0 ? 0 : (this.delivered - this.priorDelivered) / us;
  }
}
