/**
 * How much a link carries, found by measuring.
 *
 * The estimate rises when more is delivered: while it starts it doubles, later
 * short probes look for more. It falls only on evidence: a standing queue on the link (then what
 * arrives meanwhile *is* its capacity), or many losses. A sender that wakes late or has little to
 * send is no evidence of a slower link.
 *
 * A link that varies all the time is not searched but followed: see {@linkcode VariableRate}.
 *
 * Akin to BBR (Cardwell and others, draft-ietf-ccwg-bbr), but the queue is measured by one-way
 * delay, and a probe may be short, because the tunnel's own queue absorbs what the link does not
 * take.
 *
 * @module
 */

import { Competition } from "./competition.ts";
import type { RateSample } from "./delivery_rate.ts";
import { LossCuts } from "./loss_cuts.ts";
import { hasMuchJitter, queueLimitUs, StandingQueue } from "./standing_queue.ts";
import { Unrest } from "./unrest.ts";
import {
  STANDING_US,
  VARIABLE_SPAN_BYTES,
  VARIABLE_SPAN_US,
  VariableRate,
} from "./variable_rate.ts";

/**
 * Bits per second before anything is known. Generous, so that the search does not slow down an
 * inner flow that starts: at worst it fills the link's own queue for a moment, as it would without
 * a tunnel.
 */
export const INITIAL_RATE_BPS = 10_000_000;
/** Lowest rate a link is paced at, in bits per second. */
export const MIN_RATE_BPS = 100_000;
const MAX_RATE_BPS = 100e9;

/** A round of the start that grew by less than this found nothing more. */
const GROWTH = 1.25;
const FLAT_ROUNDS = 3;
/** A probe that grew by this has found more. */
const FOUND = 1.08;
/** Time between two probes, in microseconds, or in RTTs if that is longer. */
const CRUISE_US = 400_000;
const CRUISE_RTTS = 8;
/** The same while the link carries much less than it recently did. */
const RECOVERY_US = 100_000;
/**
 * A probe sends faster for a moment: long enough for its bytes to be a sample, short enough to build
 * only a short queue. Then it waits an RTT, and the time of a report, for the result.
 */
const PUSH_US = 30_000;
const PUSH_BYTES = 12_000;
const MAX_PUSH_US = 100_000;
const ANSWER_US = 40_000;
const DRAIN_US = 100_000;

/** What arrives is much less than the link is thought to carry: it has become slower. */
const DEEP_CUT = 0.5;
/** What arrives is clearly less than this share of what the link is thought to carry. */
const MOST_OF_IT = 0.8;
/** The backlog of a link that has become slower is gone after this, in microseconds. */
const BACKLOG_US = 600_000;

/** The losses of a queue that was full, or of silence, are those of the last second for so long. */
const EXPLAINED_US = 1_500_000;

/** A link that is followed is full with so many times the queue that is meant to stand there. */
const FULL_QUEUES = 4;

/** Half of what the link has shown is forgotten in this time, in microseconds. */
const MEMORY_US = 20_000_000;
/** Below this share of it a bold probe is worthwhile. */
const RECOVERED = 0.7;

/** A rate sample spans this much of the estimated rate, within bounds in bytes. */
const SPAN_US = 50_000;
const STARTING_SPAN_US = 20_000;
const LEAST_SPAN_BYTES = 6_000;
const MOST_SPAN_BYTES = 32_768;

type Mode = "startup" | "drain" | "cruise" | "probe" | "follow" | "dip" | "compete";
/** Share of the estimate to pace at: in cruise a little less, to keep the link's queue empty. */
const GAIN: Readonly<Record<Mode, number>> = {
  startup: 2,
  drain: 0.75,
  cruise: 0.992,
  probe: 0.94, // after the push
  follow: 2, // what is in flight is the limit
  dip: 1, // and what Competition says
  compete: 1,
};
/** Share of a configured capacity that is never exceeded. */
const KNOWN_GAIN = 0.995;
/** Gains of probes that find more, one after the other. */
const BOLDER = [1.2, 1.5, 2] as const;

/** What else a report tells about the link. Times in microseconds. */
export interface LinkSigns {
  /** One-way delay above the recent least; -1: not known. */
  readonly queueUs: number;
  readonly srttUs: number;
  readonly minRttUs: number;
  readonly jitterUs: number;
  /** Fraction of datagrams lost over the last second, and what was sent then. */
  readonly loss: number;
  readonly sentBps: number;
  /** Datagrams ever lost. */
  readonly lostDatagrams: number;
  readonly inFlightBytes: number;
}

/** The rate estimator of one link in one direction. Rates in bits per second of IP packets. */
export class RateEstimator {
  /** Least time and bytes that the next rate sample should span. */
  spanUs = STARTING_SPAN_US;
  spanBytes = LEAST_SPAN_BYTES;
  /** When to call {@linkcode endPush}; Infinity while there is no push. */
  pushEndsAtUs = Infinity;

  readonly #cap: number;
  #mode: Mode;
  #rate: number;
  #modeEndsAtUs = 0;
  #roundEndsAtUs = 0;
  #roundBase = 0;
  #flatRounds = 0;
  /** How many probes in a row have found more. */
  #boldness = 0;
  #found = false;
  /** Whether anything was measured. */
  #sampled = false;
  /** When the link was last found to have become much slower. */
  #fellAtUs = -Infinity;
  readonly #queue = new StandingQueue();
  /** Whether there was a queue in this round of the start. */
  #queueSeen = false;
  readonly #losses = new LossCuts();
  /** Until then a queue or silence is why there are losses. */
  #lossesExplainedUntilUs = 0;
  /** The most that the link has carried, fading. */
  #shown = 0;
  #shownAtUs = 0;
  readonly #unrest = new Unrest();
  readonly #variable = new VariableRate();
  readonly #others = new Competition();

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
    // Doubling a guess would far exceed a slow link.
    const gain = !this.#sampled && this.starting
      ? 1
      : this.pushEndsAtUs !== Infinity
      ? BOLDER[this.#boldness]!
      : GAIN[this.#mode] * this.#others.gain;
    const paced = Math.max(this.#rate * gain, MIN_RATE_BPS);
    const full = this.#mode === "cruise" && this.#rate >= this.#cap;
    return full ? this.#cap * KNOWN_GAIN : Math.min(paced, this.#cap * KNOWN_GAIN);
  }

  /** The faster part of a probe is over: {@linkcode pacingBps} has changed. */
  endPush(): void {
    this.pushEndsAtUs = Infinity;
  }

  /** Whether the link's capacity changes all the time, and a queue is kept on it. */
  get varies(): boolean {
    return this.#mode === "follow";
  }

  /** Whether others keep a queue on the link: {@linkcode sharedWindowBytes} is the limit. */
  get competes(): boolean {
    return this.#mode === "compete";
  }

  /** Bytes that may be in flight while it {@linkcode competes}. */
  get sharedWindowBytes(): number {
    return this.#others.windowBytes;
  }

  /** Whether the estimate still doubles: the queue's length means nothing yet. */
  get starting(): boolean {
    return this.#mode === "startup";
  }

  /**
   * Whether a queue in front of the link means that too much is sent: the estimate does not grow,
   * and the backlog of the last fall is gone.
   */
  isSettled(now: number): boolean {
    return !this.starting && !this.#found && !this.#others.isGrowing && !this.hasBacklog(now);
  }

  /** Whether the link became much slower a moment ago, so that others have to do its work. */
  hasBacklog(now: number): boolean {
    return now < this.#fellAtUs + BACKLOG_US;
  }

  /** A one-way delay of more than this above the least means that there is a queue on the link. */
  queueLimitUs(minRttUs: number, jitterUs: number): number {
    return queueLimitUs(this.#rate, minRttUs, jitterUs);
  }

  /**
   * The link was down: restarts at a share of what was known, or, if it varies, with all of it. That
   * it was silent is a sign.
   */
  restart(now: number, share: number): void {
    this.handleSilence(now);
    if (this.#unrest.varies && !this.starting) return this.#enter(now, "follow", 0);
    this.#rate = Math.max(MIN_RATE_BPS, this.#rate * share);
    this.#enter(now, "startup", 0);
    this.#flatRounds = 0;
    this.#roundBase = this.#rate;
    this.#queue.end();
    this.#losses.forget();
    this.#found = false;
    this.#boldness = 0;
  }

  /** The link was silent for a while although something was under way. */
  handleSilence(now: number): void {
    this.#lossesExplainedUntilUs = now + EXPLAINED_US;
    this.#unrest.handleSilence(now);
  }

  /** Takes into account a rate sample from a report. */
  handleSample(now: number, sample: RateSample, signs: LinkSigns): void {
    if (this.varies) return this.#follow(now, sample, signs);
    if (this.competes) return this.#compete(now, sample, signs);
    this.#chooseSpan(signs.srttUs);
    this.#watchUnrest(now, sample, signs.jitterUs);
    if (this.#unrest.varies && !this.starting) return this.#enter(now, "follow", signs.srttUs);
    this.#sampled ||= sample.rateBps > 0;
    this.#rise(now, Math.min(sample.rateBps, this.#cap, this.#losses.ceilingBps(now)));
    this.#watchLoss(now, sample, signs);
    this.#watchQueue(now, sample, signs);
    // Without a sample nothing is known, least of all that there is nothing more to find.
    const limited = sample.limited || sample.rateBps === 0;
    if (now >= this.#roundEndsAtUs) this.#onRound(now, limited, signs.srttUs);
  }

  #follow(now: number, sample: RateSample, signs: LinkSigns): void {
    this.spanUs = VARIABLE_SPAN_US;
    this.spanBytes = VARIABLE_SPAN_BYTES;
    // A link with a queue delivers what it can, however little it is asked to.
    const isFull = signs.queueUs > FULL_QUEUES * (STANDING_US + signs.jitterUs);
    const limited = sample.limited && !isFull;
    this.#variable.handleSample(now, Math.min(sample.rateBps, this.#cap), limited);
    this.#rate = Math.max(MIN_RATE_BPS, this.#variable.rateBps);
    this.#watchUnrest(now, sample, signs.jitterUs);
    // A limit without a queue is found by losses: that is another search.
    if (this.#watchLoss(now, sample, signs)) {
      this.#unrest.reset();
      this.#unrest.handleStart(now);
    }
    if (!this.#unrest.varies) return this.#enter(now, "drain", signs.srttUs);
    const { queueUs, srttUs } = signs;
    if (this.#queue.isForeign(now, queueUs, srttUs)) this.#startToCompete(now, signs);
  }

  #startToCompete(now: number, signs: LinkSigns): void {
    this.#others.enter(now, this.#rate, signs);
    this.#enter(now, "compete", signs.srttUs);
  }

  #compete(now: number, sample: RateSample, signs: LinkSigns): void {
    const limitUs = this.queueLimitUs(signs.minRttUs, signs.jitterUs);
    const are = this.#others.handleReport(now, signs, limitUs);
    const bps = are ? this.sharedWindowBytes * 8e6 / signs.srttUs : sample.rateBps;
    if (bps > 0) this.#rate = Math.min(Math.max(MIN_RATE_BPS, bps), this.#cap);
    this.#unrest.handleStart(now); // what it gets is no rate of the link
    if (are) return;
    if (this.#others.isSure(now)) this.#unrest.reset();
    this.#enter(now, this.#unrest.varies ? "follow" : "drain", signs.srttUs);
  }

  #watchUnrest(now: number, sample: RateSample, jitterUs: number): void {
    if (this.starting) return this.#unrest.handleStart(now);
    if (sample.limited) return;
    this.#unrest.handleRate(now, this.#rate, hasMuchJitter(this.#rate, jitterUs));
  }

  /** At low rates a sample needs time, at high ones bytes; else it measures jitter instead. */
  #chooseSpan(srttUs: number): void {
    this.spanUs = Math.max(srttUs, this.starting ? STARTING_SPAN_US : SPAN_US);
    const bytes = this.#rate * this.spanUs / 8e6;
    this.spanBytes = Math.min(Math.max(bytes / 2, LEAST_SPAN_BYTES), MOST_SPAN_BYTES);
  }

  #rise(now: number, deliveredBps: number): void {
    if (deliveredBps <= this.#rate) return;
    this.#rate = deliveredBps;
    if (deliveredBps < this.#remembered(now)) return;
    this.#shown = deliveredBps;
    this.#shownAtUs = now;
  }

  #remembered(now: number): number {
    return this.#shown * 0.5 ** ((now - this.#shownAtUs) / MEMORY_US);
  }

  #watchQueue(now: number, sample: RateSample, signs: LinkSigns): void {
    const { queueUs, srttUs } = signs;
    const { busyBps } = sample;
    if (queueUs < 0) return;
    const limitUs = this.queueLimitUs(signs.minRttUs, signs.jitterUs);
    if (this.#mode === "dip") return this.#watchDip(now, limitUs, signs);
    if (queueUs <= limitUs) {
      this.#queue.end();
      if (this.#mode === "drain" && queueUs < limitUs / 2) this.#enter(now, "cruise", srttUs);
      return;
    }
    this.#queueSeen = true;
    this.#queue.note(now, queueUs);
    if (busyBps === 0 || this.#mode === "drain" && now < this.#modeEndsAtUs) return;
    const deep = busyBps < this.#rate * DEEP_CUT;
    if (!this.#queue.stands(now, srttUs, deep)) return;
    // Whoever sends less than the link carries, and finds a queue that does not shrink, is not alone.
    const others = sample.limited && busyBps < MOST_OF_IT * this.#rate &&
      this.#queue.isSteady(now, queueUs);
    this.#queue.restart(now, queueUs);
    const isSuspect = others || !deep && this.#mode === "drain";
    if (isSuspect && !hasMuchJitter(this.#rate, signs.jitterUs)) {
      this.#others.beginDip(now, signs);
      return this.#enter(now, "dip", srttUs);
    }
    if (deep) this.#fellAtUs = now;
    this.#losses.forget(); // a queue is better evidence than losses
    this.#rate = Math.min(Math.max(MIN_RATE_BPS, busyBps), this.#cap);
    this.#found = false;
    const hasDrained = this.#mode === "cruise" || this.#mode === "probe";
    if (hasDrained) this.#unrest.handleCut(now, this.#rate);
    this.#enter(now, this.#unrest.varies ? "follow" : "drain", srttUs);
  }

  /** A queue that is still there after less was sent may be somebody else's. */
  #watchDip(now: number, limitUs: number, signs: LinkSigns): void {
    const verdict = this.#others.handleDip(now, signs.queueUs, limitUs);
    if (verdict === "pending") return;
    if (verdict !== "others") return this.#enter(now, "cruise", signs.srttUs);
    this.#unrest.reset(); // the cuts were for a queue of others
    this.#startToCompete(now, signs);
  }

  /** Whether a queue or silence, now or a moment ago, is why there are losses. */
  #explainsLosses(now: number, { queueUs, minRttUs, jitterUs }: LinkSigns): boolean {
    const hasQueue = queueUs > this.queueLimitUs(minRttUs, jitterUs);
    if (hasQueue) this.#lossesExplainedUntilUs = now + EXPLAINED_US;
    return now < this.#lossesExplainedUntilUs;
  }

  /** Cuts the rate when losses are many. Returns whether it did. */
  #watchLoss(now: number, sample: RateSample, signs: LinkSigns): boolean {
    const isExplained = this.#explainsLosses(now, signs);
    if (isExplained && this.varies) return false; // what is in flight shrinks by itself
    const bareBps = isExplained ? 0 : signs.sentBps;
    // The rate of a link that is followed is what arrives there, not what is sent.
    const before = this.varies ? Math.max(this.#rate, bareBps) : this.#rate;
    const rate = this.#losses.handleSample(now, before, sample, signs.loss, bareBps);
    if (rate === before) return false;
    this.#rate = Math.max(MIN_RATE_BPS, rate);
    return this.#rate < before;
  }

  #onRound(now: number, limited: boolean, srttUs: number): void {
    this.#roundEndsAtUs = now + Math.max(srttUs, this.spanUs);
    if (this.#mode === "dip" || this.#mode === "compete") return;
    if (this.#mode !== "startup") {
      if (now >= this.#modeEndsAtUs) this.#onModeEnd(now, limited, srttUs);
      return;
    }
    const grew = this.#rate >= this.#roundBase * GROWTH;
    // A link with a queue is full, however rarely it is asked to send.
    if (!limited || this.#queueSeen) this.#flatRounds = grew ? 0 : this.#flatRounds + 1;
    this.#queueSeen = false;
    if (grew) this.#roundBase = this.#rate;
    if (this.#flatRounds >= FLAT_ROUNDS) this.#enter(now, "drain", srttUs);
  }

  #onModeEnd(now: number, limited: boolean, srttUs: number): void {
    if (this.#mode === "probe") {
      const found = this.#found = this.#rate >= this.#roundBase * FOUND;
      this.#boldness = found ? Math.min(this.#boldness + 1, BOLDER.length - 1) : 0;
      this.#roundBase = this.#rate;
      this.#enter(now, found ? "probe" : "cruise", srttUs);
    } else if (this.#mode === "drain") {
      this.#enter(now, "cruise", srttUs);
    } else if (!limited && this.#rate < this.#cap) {
      this.#roundBase = this.#rate;
      this.#boldness = this.#hasLost(now) ? BOLDER.length - 1 : 0;
      this.#enter(now, "probe", srttUs);
    }
  }

  /** Whether the link carries much less than it recently did. */
  #hasLost(now: number): boolean {
    return this.#rate < RECOVERED * this.#remembered(now);
  }

  #enter(now: number, mode: Mode, srttUs: number): void {
    if (this.competes) this.#others.leave(now);
    this.#mode = mode;
    this.pushEndsAtUs = Infinity;
    if (mode === "cruise") {
      this.#modeEndsAtUs = now +
        (this.#hasLost(now)
          ? Math.max(2 * srttUs, RECOVERY_US)
          : Math.max(CRUISE_RTTS * srttUs, CRUISE_US));
    } else if (mode === "probe") {
      const pushUs = Math.min(Math.max(PUSH_US, PUSH_BYTES * 8e6 / this.#rate), MAX_PUSH_US);
      this.pushEndsAtUs = now + pushUs;
      this.#modeEndsAtUs = this.pushEndsAtUs + srttUs + ANSWER_US;
    } else if (mode === "compete") {
      this.#found = false;
      this.#queue.end();
    } else if (mode === "follow") {
      this.#variable.begin(now, this.#rate);
      this.#found = false;
      this.#boldness = 0;
      this.#losses.forget();
      this.#queue.end();
    } else if (mode === "drain") this.#modeEndsAtUs = now + Math.max(2 * srttUs, DRAIN_US);
  }
}
