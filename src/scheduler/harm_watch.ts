/**
 * First, do no harm: a link with which the whole is slower than the others alone is left out.
 *
 * Packets of one flow leave the tunnel in order, so a link with much jitter, or one whose packets
 * come later than the other end waits, slows down what the good links carry. Whether it does cannot
 * be computed, only tried: when less is delivered than the other links carry by themselves, the
 * worst link is left out for a moment. If that delivers no more, there was just less to send. If it
 * does, twice, the link stays out, and gets another chance later, each time after twice as long.
 *
 * @module
 */

/** Delivered bytes are counted in steps of this, in microseconds. */
const STEP_US = 250_000;
/** Steps that a judgement looks back on. */
const WINDOW_STEPS = 12;
/** A trial leaves a link out for this many steps; what happens in the last of them counts. */
const TRIAL_STEPS = 12;
const TRIAL_JUDGED_STEPS = 6;
/** Less than this share of what the other links carry is suspicious. */
const SUSPICIOUS = 0.9;
/** A flow still finds its rate when a window's younger half has this many times the older's. */
const GROWING = 1.1;
/** A trial finds a link harmful when this many times as much is delivered without it. */
const GAIN = 1.15;
/** This many trials in a row must find so, since one may have met a burst ... */
const TRIALS = 2;
/** ... but for a link that carries less than this share of what the others carry one is enough. */
const MINOR = 0.1;
/** Bytes of a window below which nothing is judged. */
const LEAST_BYTES = 64_000;
/** Back-off until the next trial, or until a harmful link is used again; doubled each time. */
const LEAST_BACKOFF_US = 10_000_000;
const MOST_BACKOFF_US = 300_000_000;

/** What is known of a link that could be left out. Rates in bits per second. */
export interface Candidate {
  /** Its position; -1: no link. */
  index: number;
  /** What it carries, as far as is known. */
  rateBps: number;
  /** What the other links carry by themselves. */
  othersBps: number;
}

/** Judges the links of one sender. Instants in microseconds. */
export class HarmWatch {
  /** Bytes of bulk that were delivered for the first time, as the links count them. */
  deliveredBytes = 0;
  /** Trials in a row that found the link harmful. */
  readonly #harmful: Uint8Array;
  /** Until when each link is left out; 0: it is not. */
  readonly #outUntil: Float64Array;
  readonly #outBackoffUs: Float64Array;
  /** No trial of a link before this. */
  readonly #noTrialUntil: Float64Array;
  readonly #trialBackoffUs: Float64Array;
  /** Totals at the end of the last steps. */
  readonly #totals = new Float64Array(TRIAL_STEPS + 1);
  #steps = 0;
  #stepAtUs = -Infinity;
  /** The link on trial; -1: none. */
  #onTrial = -1;
  #trialSteps = 0;
  #trialsWanted = TRIALS;
  #before = 0;

  constructor(links: number) {
    this.#harmful = new Uint8Array(links);
    this.#outUntil = new Float64Array(links);
    this.#outBackoffUs = new Float64Array(links).fill(LEAST_BACKOFF_US);
    this.#noTrialUntil = new Float64Array(links);
    this.#trialBackoffUs = new Float64Array(links).fill(LEAST_BACKOFF_US);
  }

  /** Whether link `index` is left out. */
  isOut(now: number, index: number): boolean {
    return index === this.#onTrial || now < this.#outUntil[index]!;
  }

  /** Why link `index` is left out, in words; undefined when it is not. */
  reason(now: number, index: number): string | undefined {
    if (index === this.#onTrial) return "on trial: is the tunnel faster without it?";
    const leftUs = this.#outUntil[index]! - now;
    if (leftUs <= 0) return undefined;
    return `slowed down the tunnel: tried again in ${Math.ceil(leftUs / 1e6)} s`;
  }

  /** Whether {@linkcode update} has something to do. */
  isDue(now: number): boolean {
    return now >= this.#stepAtUs + STEP_US;
  }

  /**
   * Looks at what was delivered. `candidate` is the link that would be left out first: it recently
   * carried something, and others can do without it.
   */
  update(now: number, candidate: Candidate): void {
    const late = now > this.#stepAtUs + 2 * STEP_US;
    this.#stepAtUs = late ? now : this.#stepAtUs + STEP_US;
    // After a pause there is nothing to compare with.
    if (late) this.#steps = 0;
    this.#totals[this.#steps++ % this.#totals.length] = this.deliveredBytes;
    if (this.#onTrial >= 0) this.#watchTrial(now, late);
    else this.#watch(now, candidate);
  }

  #watch(now: number, { index, rateBps, othersBps }: Candidate): void {
    if (index < 0 || this.#steps <= WINDOW_STEPS) return;
    // What was delivered without the link says nothing about it.
    if (now < this.#outUntil[index]! + WINDOW_STEPS * STEP_US) return;
    const bytes = this.#lately(WINDOW_STEPS);
    const young = this.#lately(WINDOW_STEPS / 2);
    const growing = young > GROWING * (bytes - young);
    const enoughBytes = othersBps / 8e6 * WINDOW_STEPS * STEP_US;
    if (bytes >= SUSPICIOUS * enoughBytes) {
      this.#harmful[index] = 0;
      if (bytes >= enoughBytes) this.#resetBackoff(index);
    } else if (!growing && bytes >= LEAST_BYTES && now >= this.#noTrialUntil[index]!) {
      this.#onTrial = index;
      this.#trialSteps = 0;
      this.#trialsWanted = rateBps < MINOR * othersBps ? 1 : TRIALS;
      this.#before = bytes / WINDOW_STEPS;
    }
  }

  #watchTrial(now: number, late: boolean): void {
    if (!late && ++this.#trialSteps < TRIAL_STEPS) return;
    const index = this.#onTrial;
    this.#onTrial = -1;
    const after = late ? 0 : this.#lately(TRIAL_JUDGED_STEPS) / TRIAL_JUDGED_STEPS;
    this.#steps = 0;
    if (after <= GAIN * this.#before) {
      this.#harmful[index] = 0;
      this.#noTrialUntil[index] = now + this.#trialBackoffUs[index]!;
      this.#trialBackoffUs[index] = Math.min(2 * this.#trialBackoffUs[index]!, MOST_BACKOFF_US);
    } else if (++this.#harmful[index]! >= this.#trialsWanted) {
      this.#harmful[index] = TRIALS - 1; // the next trial decides at once
      this.#outUntil[index] = now + this.#outBackoffUs[index]!;
      this.#outBackoffUs[index] = Math.min(2 * this.#outBackoffUs[index]!, MOST_BACKOFF_US);
    }
  }

  #resetBackoff(index: number): void {
    this.#outBackoffUs[index] = LEAST_BACKOFF_US;
    this.#trialBackoffUs[index] = LEAST_BACKOFF_US;
  }

  /** Bytes delivered in the last `steps` steps. */
  #lately(steps: number): number {
    const { length } = this.#totals;
    const newest = this.#steps - 1;
    return this.#totals[newest % length]! - this.#totals[(newest - steps) % length]!;
  }
}
