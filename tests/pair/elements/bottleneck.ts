/**
 * The slowest hop of a line: a capacity, behind a first-in first-out queue that drops what does
 * not fit; it is limited in bytes, in time, or both.
 *
 * @module
 */

import { DROPPED, type Element } from "./element.ts";
import type { RateSchedule } from "./rate_schedule.ts";

/** How much may wait; an absent limit does not apply. */
export interface QueueLimit {
  readonly bytes?: number;
  /** Time a packet that enters would wait, in microseconds. */
  readonly us?: number;
}

/** A rate and the queue in front of it. */
export class Bottleneck implements Element {
  readonly name = "queue";
  drops = 0;
  /** Bytes that had left by the last time anybody asked. */
  #departedBytes = 0;
  /** The most that has ever waited. */
  maxBytes = 0;
  readonly #limitBytes: number;
  readonly #limitUs: number;
  #freeAt = 0;
  #queued = 0;
  #departures = new Float64Array(1024);
  #sizes = new Float64Array(1024);
  #head = 0;
  #count = 0;

  constructor(readonly rate: RateSchedule, limit: QueueLimit = {}) {
    this.#limitBytes = limit.bytes ?? Infinity;
    this.#limitUs = limit.us ?? Infinity;
  }

  pass(at: number, bytes: number): number {
    this.#release(at);
    const start = Math.max(at, this.#freeAt);
    if (this.#queued + bytes > this.#limitBytes || start - at > this.#limitUs) return DROPPED;
    this.#freeAt = this.rate.finish(start, bytes);
    this.#push(this.#freeAt, bytes);
    return this.#freeAt;
  }

  /** Bytes that wait or are being sent at `at`. */
  queuedBytes(at: number): number {
    this.#release(at);
    return this.#queued;
  }

  /** Bytes that have left by `at`. */
  departedBytes(at: number): number {
    this.#release(at);
    return this.#departedBytes;
  }

  /** How long a packet that enters at `at` waits, in microseconds. */
  queuedUs(at: number): number {
    return Math.max(0, this.#freeAt - at);
  }

  #release(at: number): void {
    const mask = this.#sizes.length - 1;
    while (this.#count > 0 && this.#departures[this.#head & mask]! <= at) {
      const bytes = this.#sizes[this.#head++ & mask]!;
      this.#queued -= bytes;
      this.#departedBytes += bytes;
      this.#count--;
    }
  }

  #push(departure: number, bytes: number): void {
    if (this.#count === this.#sizes.length) this.#grow();
    const at = (this.#head + this.#count++) & (this.#sizes.length - 1);
    this.#departures[at] = departure;
    this.#sizes[at] = bytes;
    this.#queued += bytes;
    if (this.#queued > this.maxBytes) this.maxBytes = this.#queued;
  }

  #grow(): void {
    const mask = this.#sizes.length - 1;
    const unroll = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(2 * from.length);
      for (let i = 0; i < this.#count; i++) to[i] = from[(this.#head + i) & mask]!;
      return to;
    };
    this.#departures = unroll(this.#departures);
    this.#sizes = unroll(this.#sizes);
    this.#head = 0;
  }
}
