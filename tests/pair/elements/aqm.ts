/**
 * What lines have besides a plain queue: active queue management, and policers.
 *
 * @module
 */

import type { Rng } from "../rng.ts";
import { Bottleneck, type QueueLimit } from "./bottleneck.ts";
import { DROPPED, type Element } from "./element.ts";
import type { RateSchedule } from "./rate_schedule.ts";

/** PIE as DOCSIS modems have it (RFC 8033 sections 4.2, 5.1; target of RFC 8034). */
const TARGET_S = 0.01;
const UPDATE_US = 15_000;
const ALPHA = 0.125;
const BETA = 1.25;
const BURST_US = 150_000;

/** A {@linkcode Bottleneck} that drops at random, so that its queue stays short. */
export class PieBottleneck extends Bottleneck {
  #share = 0;
  #lastS = 0;
  #updatedAtUs = 0;
  /** Bursts are let pass until then. */
  #burstEndsAtUs = BURST_US;

  constructor(rate: RateSchedule, limit: QueueLimit, readonly rng: Rng) {
    super(rate, limit);
  }

  override pass(at: number, bytes: number): number {
    while (at >= this.#updatedAtUs + UPDATE_US) this.#update(this.#updatedAtUs + UPDATE_US);
    const spared = at < this.#burstEndsAtUs ||
      this.#lastS < TARGET_S / 2 && this.#share < 0.2 || this.queuedBytes(at) < 3000;
    if (!spared && this.rng.next() < this.#share) return DROPPED;
    return super.pass(at, bytes);
  }

  #update(at: number): void {
    this.#updatedAtUs = at;
    const delayS = this.queuedUs(at) / 1e6;
    const step = ALPHA * (delayS - TARGET_S) + BETA * (delayS - this.#lastS);
    this.#share = Math.min(1, Math.max(0, this.#share + step * scaleOf(this.#share)));
    if (delayS === 0 && this.#lastS === 0) this.#share *= 0.98;
    if (this.#share === 0 && delayS < TARGET_S / 2 && this.#lastS < TARGET_S / 2) {
      this.#burstEndsAtUs = at + BURST_US;
    }
    this.#lastS = delayS;
  }
}

/** Small shares change in small steps (RFC 8033 section 4.2). */
function scaleOf(share: number): number {
  if (share < 0.000001) return 1 / 2048;
  if (share < 0.00001) return 1 / 512;
  if (share < 0.0001) return 1 / 128;
  if (share < 0.001) return 1 / 32;
  if (share < 0.01) return 1 / 8;
  if (share < 0.1) return 1 / 2;
  return 1;
}

/** CoDel as fq_codel has it by default (RFC 8289 section 4.4). */
const SOJOURN_US = 5_000;
const INTERVAL_US = 100_000;
/** What remains in the queue is never dropped below this. */
const LEAST_BYTES = 1500;

/**
 * A {@linkcode Bottleneck} that drops what has waited too long for too long: one queue of fq_codel,
 * which is all that a tunnel has there, since its datagrams are one flow for whoever hashes them.
 */
export class CodelBottleneck extends Bottleneck {
  /** When the wait will have been too long for an interval; Infinity while it is not. */
  #lateAtUs = Infinity;
  #dropping = false;
  #count = 0;
  #lastCount = 0;
  #nextAtUs = 0;

  override pass(at: number, bytes: number): number {
    return this.#drops(at + this.queuedUs(at), this.queuedUs(at), this.queuedBytes(at))
      ? DROPPED
      : super.pass(at, bytes);
  }

  /** Whether a packet is dropped that is at the head at `at`, after `waitedUs`. */
  #drops(at: number, waitedUs: number, bytes: number): boolean {
    const isLate = waitedUs >= SOJOURN_US && bytes > LEAST_BYTES;
    if (!isLate) this.#lateAtUs = Infinity;
    else if (this.#lateAtUs === Infinity) this.#lateAtUs = at + INTERVAL_US;
    if (!isLate || at < this.#lateAtUs) {
      this.#dropping = false;
      return false;
    }
    if (!this.#dropping) {
      const recent = this.#count - this.#lastCount;
      this.#dropping = true;
      this.#count = recent > 1 && at - this.#nextAtUs < 16 * INTERVAL_US ? recent : 1;
      this.#lastCount = this.#count;
      this.#nextAtUs = at + INTERVAL_US / Math.sqrt(this.#count);
      return true;
    }
    if (at < this.#nextAtUs) return false;
    this.#count++;
    this.#nextAtUs += INTERVAL_US / Math.sqrt(this.#count);
    return true;
  }
}

/** What a policer lets pass. */
export interface Police {
  readonly bps: number;
  /** What may pass at once after a pause. */
  readonly burstBytes: number;
}

/** Drops what exceeds a rate: a token bucket without a queue. */
export class Policer implements Element {
  readonly name = "policer";
  drops = 0;
  #tokens: number;
  #at = 0;

  constructor(readonly police: Police) {
    this.#tokens = police.burstBytes;
  }

  pass(at: number, bytes: number): number {
    const { bps, burstBytes } = this.police;
    this.#tokens = Math.min(burstBytes, this.#tokens + (at - this.#at) * bps / 8e6);
    this.#at = at;
    if (this.#tokens < bytes) return DROPPED;
    this.#tokens -= bytes;
    return at;
  }
}
