/**
 * A line that others fill as well: whoever always yields to a queue gets nothing there.
 *
 * While others keep a queue on the link, what is in flight is bounded as TCP does it
 * ({@linkcode LossWindow}). Now and then a {@linkcode Dip} looks whether they are still there.
 *
 * @module
 */

import { Dip, DIP_GAIN, type Verdict } from "./dip.ts";
import { LossWindow } from "./loss_window.ts";

/** Time between two dips, in microseconds, or in round trips if that is longer. */
const PAUSE_US = 1_000_000;
const PAUSE_ROUND_TRIPS = 6;
/** The first dip would have shown by then that nobody is there. */
const SURE_US = 1_500_000;
/** Without a queue for so many round trips, nobody is there. */
const GONE_ROUND_TRIPS = 2;
/** Others who are back within this time, in microseconds, find the window that there was. */
const MEMORY_US = 10_000_000;
/** What is sent in a round trip exceeds the window by so much, so that it is the limit. */
const PACING_GAIN = 1.25;
/** The window is in use when this share of it is in flight. */
const USED = 0.7;

/**
 * Two senders that respond to losses alike need minutes to share evenly (RFC 9438 section 5.5). We
 * know what we get: with less than this share the window grows by this factor at most after a dip.
 */
const FAIR_SHARE = 0.45;
const MOST_GROWTH = 2.5;

/** What a report tells. Times in microseconds. */
interface Signs {
  /** -1: not known. */
  readonly queueUs: number;
  readonly srttUs: number;
  readonly lostDatagrams: number;
  readonly inFlightBytes: number;
}

/** The competition on one link. Rates in bits per second, instants in microseconds. */
export class Competition {
  /** Share of the rate to pace at. */
  gain = 1;
  /** Whether our share is still too small. */
  isGrowing = false;
  #enteredAtUs = 0;
  readonly #window = new LossWindow();
  readonly #dip = new Dip();
  #hasDip = false;
  #nextDipAtUs = 0;
  #goneSince = Infinity;
  #lost = 0;
  #leftAtUs = -Infinity;

  /** Bytes that may be in flight. */
  get windowBytes(): number {
    return this.#window.bytes;
  }

  /** Looks whose queue it is: {@linkcode handleDip} tells. */
  beginDip(now: number, { queueUs, srttUs }: Signs): void {
    this.#hasDip = true;
    this.#dip.begin(now, queueUs, srttUs);
    this.gain = DIP_GAIN;
  }

  /** What has been found out. Afterwards there is no dip. */
  handleDip(now: number, queueUs: number, limitUs: number): Verdict {
    const verdict = this.#dip.handleQueue(now, queueUs, limitUs);
    if (verdict !== "pending") this.#hasDip = false;
    this.gain = this.#hasDip && this.#dip.isOn ? DIP_GAIN : 1;
    return verdict;
  }

  /** Others are there; begins with what `rateBps` is in a round trip. */
  enter(now: number, rateBps: number, { srttUs, lostDatagrams }: Signs): void {
    const bytes = rateBps * srttUs / 8e6;
    if (now > this.#leftAtUs + MEMORY_US) this.#window.begin(now, bytes);
    else this.#window.resume(now);
    this.#lost = lostDatagrams;
    this.#enteredAtUs = now;
    this.#goneSince = Infinity;
    this.#hasDip = false;
    this.#planDip(now, srttUs);
  }

  /** Whether others were there for so long that they, and not the link, were what varied. */
  isSure(now: number): boolean {
    return now > this.#enteredAtUs + SURE_US;
  }

  /** The link is ours again. */
  leave(now: number): void {
    this.#leftAtUs = now;
    this.isGrowing = false;
    this.gain = 1;
  }

  /**
   * Adapts the window to a report. Returns whether others are still there; a queue up to `limitUs`
   * is none.
   */
  handleReport(now: number, signs: Signs, limitUs: number): boolean {
    const { queueUs, srttUs, lostDatagrams } = signs;
    const used = signs.inFlightBytes >= USED * this.windowBytes;
    if (lostDatagrams > this.#lost) this.#window.handleLoss(now, srttUs);
    else this.#window.grow(now, srttUs, used && !this.#hasDip);
    this.#lost = lostDatagrams;
    this.gain = PACING_GAIN;
    if (queueUs < 0) return true;
    if (this.#hasDip) return this.#isThere(now, this.handleDip(now, queueUs, limitUs), signs);
    if (queueUs > limitUs) this.#goneSince = Infinity;
    else if (this.#goneSince === Infinity) this.#goneSince = now;
    if (now >= this.#nextDipAtUs && used) this.beginDip(now, signs);
    return now < this.#goneSince + GONE_ROUND_TRIPS * srttUs;
  }

  #isThere(now: number, verdict: Verdict, { srttUs }: Signs): boolean {
    if (this.gain === 1) this.gain = PACING_GAIN;
    if (!this.#hasDip) this.#planDip(now, srttUs);
    if (verdict === "others") {
      const by = growthTowards(this.#dip.share);
      this.isGrowing = by > 1;
      this.#window.multiply(by);
    }
    return verdict !== "ours";
  }

  #planDip(now: number, srttUs: number): void {
    this.gain = PACING_GAIN;
    this.#nextDipAtUs = now + Math.max(PAUSE_US, PAUSE_ROUND_TRIPS * srttUs);
  }
}

/** By which factor the window should be larger if our share is `share`. */
function growthTowards(share: number): number {
  if (share >= FAIR_SHARE) return 1;
  const missing = FAIR_SHARE / (1 - FAIR_SHARE) * (1 - share) / Math.max(share, 0.01);
  return Math.min(MOST_GROWTH, missing);
}
