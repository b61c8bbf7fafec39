/**
 * How much a link carries, found by itself: the greatest delivery rate of the
 * recent past, raised by probing while there is demand, lowered when a queue stands.
 *
 * The model is BBR's (Cardwell and others, draft-ietf-ccwg-bbr), with two
 * differences: the standing queue is measured by one-way delay, and a probe
 * is short, because the tunnel's own queue absorbs what the link does not take.
 *
 * @module
 */

import type { RateSample } from "./delivery_rate.ts";

/**
 * Bits per second before anything is known. Generous, so that an inner flow that
 * starts is not slowed down by the search: at worst it fills the link's own queue
 * for a moment, as it would without a tunnel.
 */
export const INITIAL_RATE_BPS = 10_000_000;
/** Lowest rate a link is paced at, in bits per second. */
export const MIN_RATE_BPS = 100_000;
const MAX_RATE_BPS = 100e9;

/** A round that grew by less than this found nothing new. */
const GROWTH = 1.25;
const FLAT_ROUNDS = 3;
/** A probe that grew by this has found more. */
const FOUND = 1.08;
/** Rounds between two probes. */
const CRUISE_ROUNDS = 8;
const CRUISE_MIN_US = 400_000;
/** After a deep cut. */
const CRUISE_AFTER_CUT_US = 100_000;
const PROBE_US = 60_000;
/** A standing queue is more than this, or an eighth of the least RTT (in microseconds). */
const QUEUE_US = 10_000;
const MAX_QUEUE_US = 60_000;
/** ... for at least this long, or an RTT. */
const STANDING_US = 25_000;
const QUEUE_DATAGRAMS_BYTES = 3_000;

/** A queue stands, but no sample says what the link carries: cut to this share. */
const BLIND_CUT = 0.7;
/** One short busy period is not trusted to cut deeper than to this share. */
const DEEPEST_CUT = 0.4;
/** A cut to less than this share is soon looked at again. */
const DEEP_CUT = 0.8;

type Mode = "startup" | "drain" | "cruise" | "probe";
/** Share of the estimate that is paced at. In cruise a little less: the link's queue stays empty. */
const GAIN: Readonly<Record<Exclude<Mode, "probe">, number>> = {
  startup: 2,
  drain: 0.75,
  cruise: 0.985,
};
/** A probe that found more goes on with these. */
const BOLDER = [1.2, 1.5, 2] as const;

/** Windowed maximum: of the last one to two windows. */
class MaxFilter {
  #now = 0;
  #last = 0;
  #endsAt = 0;

  get max(): number {
    return Math.max(this.#now, this.#last);
  }

  update(now: number, value: number, windowUs: number): void {
    if (now >= this.#endsAt) {
      this.#last = this.#now;
      this.#now = 0;
      this.#endsAt = now + windowUs;
    }
    this.#now = Math.max(this.#now, value);
  }

  set(now: number, value: number, windowUs: number): void {
    this.#now = value;
    this.#last = 0;
    this.#endsAt = now + windowUs;
  }
}

/** The rate estimator of one link in one direction. Rates in bits per second of IP packets. */
export class RateEstimator {
  /** Least time and bytes that the next rate sample should span. */
  spanUs = 20_000;
  spanBytes = 16_384;

  readonly #cap: number;
  readonly #filter = new MaxFilter();
  #mode: Mode;
  #rate: number;
  #roundEndsAt = 0;
  #modeEndsAt = 0;
  /** How often in a row a probe has found more. */
  #boldness = 0;
  #flatRounds = 0;
  #roundBase = 0;
  #rounds = 0;
  #queueSince = Infinity;
  #cut = false;

  /** @param capBps known capacity, or 0 */
  constructor(capBps: number) {
    this.#cap = capBps > 0 ? capBps : MAX_RATE_BPS;
    this.#rate = capBps > 0 ? capBps : INITIAL_RATE_BPS;
    this.#mode = capBps > 0 ? "cruise" : "startup";
  }

  /** What the link carries, as far as is known. */
  get rateBps(): number {
    return this.#rate;
  }

  /** The rate to pace at. */
  get pacingBps(): number {
    const gain = this.#mode === "probe" ? BOLDER[this.#boldness]! : GAIN[this.#mode];
    const paced = Math.max(this.#rate * gain, MIN_RATE_BPS);
    return Math.min(paced, this.#cap * GAIN.cruise);
  }

  /** Whether the estimate still doubles: what the queue holds says nothing yet. */
  get starting(): boolean {
    return this.#mode === "startup";
  }

  /** A queue of more than this, in microseconds, stands on the link: not one or two datagrams. */
  queueLimitUs(minRttUs: number): number {
    const datagramsUs = QUEUE_DATAGRAMS_BYTES * 8e6 / this.#rate;
    return Math.max(QUEUE_US, minRttUs / 8, Math.min(datagramsUs, MAX_QUEUE_US));
  }

  /** Begins anew at a share of what was known: the link was away. */
  restart(now: number, share: number): void {
    this.#rate = Math.max(MIN_RATE_BPS, this.#rate * share);
    this.#filter.set(now, this.#rate, this.#windowUs(0));
    this.#enter(now, "startup", 0);
    this.#flatRounds = 0;
    this.#roundBase = this.#rate;
  }

  /** Takes a rate sample of a report into account; `queueUs` is the standing queue it tells of. */
  handleSample(
    now: number,
    sample: RateSample,
    queueUs: number,
    srttUs: number,
    minRttUs: number,
  ): void {
    this.spanUs = this.#mode === "startup" ? Math.max(srttUs, 20_000) : Math.max(srttUs, 50_000);
    this.spanBytes = this.#mode === "startup" ? 16_384 : 32_768;
    const rate = Math.min(sample.rateBps, this.#cap);
    if (rate > 0 && (!sample.limited || rate > this.#rate)) {
      this.#filter.update(now, rate, this.#windowUs(srttUs));
      const keep = this.#mode === "startup" || this.#cap < MAX_RATE_BPS;
      this.#rate = Math.max(this.#filter.max, keep ? this.#rate : MIN_RATE_BPS);
    }
    this.#watchQueue(now, sample.busyBps, queueUs, srttUs, this.queueLimitUs(minRttUs));
    if (now >= this.#roundEndsAt) this.#onRound(now, sample.limited, srttUs);
  }

  #watchQueue(
    now: number,
    busyBps: number,
    queueUs: number,
    srttUs: number,
    limitUs: number,
  ): void {
    if (queueUs <= limitUs) {
      this.#queueSince = Infinity;
      if (this.#mode === "drain" && queueUs < limitUs / 2) this.#enter(now, "cruise", srttUs);
      return;
    }
    if (this.#queueSince === Infinity) this.#queueSince = now;
    if (
      now - this.#queueSince < Math.max(srttUs, STANDING_US) ||
      this.#mode === "drain" && now < this.#modeEndsAt
    ) return;
    this.#queueSince = now;
    const carried = busyBps > 0
      ? Math.max(busyBps, this.#rate * DEEPEST_CUT)
      : this.#rate * BLIND_CUT;
    this.#cut = carried < this.#rate * DEEP_CUT;
    this.#rate = Math.min(Math.max(MIN_RATE_BPS, carried), this.#cap);
    this.#filter.set(now, this.#rate, this.#windowUs(srttUs));
    this.#enter(now, "drain", srttUs);
  }

  #onRound(now: number, limited: boolean, srttUs: number): void {
    this.#roundEndsAt = now + Math.max(srttUs, this.spanUs);
    this.#rounds++;
    const grew = this.#rate >= this.#roundBase * GROWTH;
    if (this.#mode === "startup") {
      if (!limited) this.#flatRounds = grew ? 0 : this.#flatRounds + 1;
      if (grew) this.#roundBase = this.#rate;
      if (this.#flatRounds >= FLAT_ROUNDS) this.#enter(now, "drain", srttUs);
    } else if (now >= this.#modeEndsAt) {
      this.#onModeEnd(now, limited, srttUs);
    }
  }

  #onModeEnd(now: number, limited: boolean, srttUs: number): void {
    if (this.#mode === "probe") {
      const found = this.#rate >= this.#roundBase * FOUND;
      this.#boldness = found ? Math.min(this.#boldness + 1, BOLDER.length - 1) : 0;
      this.#roundBase = this.#rate;
      this.#enter(now, found ? "probe" : "cruise", srttUs);
    } else if (this.#mode === "drain") {
      this.#enter(now, "cruise", srttUs);
    } else if (!limited && this.#rate < this.#cap) {
      this.#roundBase = this.#rate;
      this.#boldness = 0;
      this.#enter(now, "probe", srttUs);
    }
  }

  #enter(now: number, mode: Mode, srttUs: number): void {
    this.#mode = mode;
    if (mode === "cruise") {
      this.#modeEndsAt = now +
        (this.#cut
          ? Math.max(2 * srttUs, CRUISE_AFTER_CUT_US)
          : Math.max(CRUISE_ROUNDS * srttUs, CRUISE_MIN_US));
      this.#cut = false;
    } else if (mode === "probe") this.#modeEndsAt = now + srttUs + PROBE_US;
    else if (mode === "drain") this.#modeEndsAt = now + Math.max(2 * srttUs, 100_000);
  }

  #windowUs(srttUs: number): number {
    return Math.max(1_000_000, 8 * srttUs);
  }
}
