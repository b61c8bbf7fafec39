/**
 * Relative one-way delays of the links that a peer sends on.
 *
 * `arrival - departure` contains the unknown offset of two clocks, but it is the
 * same offset on every link: differences between links, and between a link and
 * its own past, are exact without any synchronisation.
 *
 * @module
 */
import { timeDifference } from "../wire/time.ts";

/** The least delay covers the last one to two windows of this many microseconds. */
const WINDOW_US = 7_500_000;
/** The anchor moves when clocks have drifted this far apart, in microseconds. */
const REANCHOR_US = 1 << 21;

/** Delays of up to `links` links. Values are microseconds relative to a common, arbitrary zero. */
export class DelayTable {
  /** Smoothed delay. */
  owdUs: Float64Array;
  /** Smoothed mean deviation: jitter. */
  jitterUs: Float64Array;
  /** Least delay of this interval. */
  #intervalMin: Float64Array;
  #min: Float64Array;
  #lastMin: Float64Array;
  #windowEndsAtUs: Float64Array;
  #sampledAtUs: Float64Array;
  #anchor = -1;

  constructor(links: number) {
    this.owdUs = new Float64Array(links);
    this.jitterUs = new Float64Array(links);
    this.#intervalMin = new Float64Array(links).fill(Infinity);
    this.#min = new Float64Array(links).fill(Infinity);
    this.#lastMin = new Float64Array(links).fill(Infinity);
    this.#windowEndsAtUs = new Float64Array(links);
    this.#sampledAtUs = new Float64Array(links).fill(-Infinity);
  }

  /** Makes room for `links` links; what is known of the first ones stays. */
  grow(links: number): void {
    this.owdUs = grown(this.owdUs, links, 0);
    this.jitterUs = grown(this.jitterUs, links, 0);
    this.#intervalMin = grown(this.#intervalMin, links, Infinity);
    this.#min = grown(this.#min, links, Infinity);
    this.#lastMin = grown(this.#lastMin, links, Infinity);
    this.#windowEndsAtUs = grown(this.#windowEndsAtUs, links, 0);
    this.#sampledAtUs = grown(this.#sampledAtUs, links, -Infinity);
  }

  /** Forgets one link: another takes its place. */
  forget(link: number): void {
    this.owdUs[link] = this.jitterUs[link] = 0;
    this.#intervalMin[link] = this.#min[link] = this.#lastMin[link] = Infinity;
    this.#sampledAtUs[link] = -Infinity;
  }

  /** Forgets everything: the peer has restarted, and its clock with it. */
  reset(): void {
    this.#anchor = -1;
    this.#intervalMin.fill(Infinity);
    this.#min.fill(Infinity);
    this.#lastMin.fill(Infinity);
    this.#sampledAtUs.fill(-Infinity);
  }

  /**
   * Takes into account a datagram that left at `sentAtUs` and arrived at `receivedAtUs`, both modulo
   * 2^24 microseconds. Returns its relative delay.
   */
  sample(now: number, link: number, sentAtUs: number, receivedAtUs: number): number {
    const raw = receivedAtUs - sentAtUs & 0xff_ffff;
    if (this.#anchor < 0) this.#anchor = raw;
    let delayUs = timeDifference(raw, this.#anchor);
    if (Math.abs(delayUs) > REANCHOR_US) {
      this.#shift(delayUs);
      this.#anchor = raw;
      delayUs = 0;
    }
    this.#smooth(now, link, delayUs);
    if (now >= this.#windowEndsAtUs[link]!) {
      this.#lastMin[link] = this.#min[link]!;
      this.#min[link] = Infinity;
      this.#windowEndsAtUs[link] = now + WINDOW_US;
    }
    if (delayUs < this.#min[link]!) this.#min[link] = delayUs;
    if (delayUs < this.#intervalMin[link]!) this.#intervalMin[link] = delayUs;
    return delayUs;
  }

  /** Greatest smoothed delay plus four jitters, over the links heard from in the last second. */
  latestUs(now: number): number {
    let latest = -Infinity;
    for (let link = 0; link < this.owdUs.length; link++) {
      if (now - this.#sampledAtUs[link]! > 1_000_000) continue;
      latest = Math.max(latest, this.owdUs[link]! + 4 * this.jitterUs[link]!);
    }
    return latest;
  }

  /** Least delay of `link` since {@linkcode endInterval}; Infinity when none was measured. */
  intervalUs(link: number): number {
    return this.#intervalMin[link]!;
  }

  /** Begins the next interval: this one has been reported. */
  endInterval(link: number): void {
    this.#intervalMin[link] = Infinity;
  }

  /** The recent least delay of `link`. */
  leastUs(link: number): number {
    return Math.min(this.#min[link]!, this.#lastMin[link]!);
  }

  /** A relative delay in wire time, so that both ends mean the same zero. */
  toWire(delayUs: number): number {
    return Math.round(delayUs) + Math.max(this.#anchor, 0) & 0xff_ffff;
  }

  #smooth(now: number, link: number, delayUs: number): void {
    if (this.#sampledAtUs[link] === -Infinity) {
      this.owdUs[link] = delayUs;
      this.jitterUs[link] = 0;
    } else {
      const error = delayUs - this.owdUs[link]!;
      this.owdUs[link] = this.owdUs[link]! + error / 16;
      this.jitterUs[link] = this.jitterUs[link]! + (Math.abs(error) - this.jitterUs[link]!) / 16;
    }
    this.#sampledAtUs[link] = now;
  }

  #shift(byUs: number): void {
    for (
      const table of [this.owdUs, this.#intervalMin, this.#min, this.#lastMin]
    ) {
      for (let link = 0; link < table.length; link++) table[link] = table[link]! - byUs;
    }
  }
}

function grown(table: Float64Array, links: number, fill: number): Float64Array {
  const larger = new Float64Array(links).fill(fill);
  larger.set(table);
  return larger;
}
