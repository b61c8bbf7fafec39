/**
 * A capacity that was recorded: instants at which a packet of 1500 bytes could leave, as Mahimahi's
 * trace files have them (mm-link(1)). What is not used of an instant is lost, unless a packet begins
 * in it and the next one is waiting behind: several small ones share one.
 *
 * @module
 */

/** Bytes of an opportunity. */
export const OPPORTUNITY_BYTES = 1500;

/** Plays one recording, again and again. Times in microseconds. */
export class Opportunities {
  readonly #ms: readonly number[];
  readonly #beginUs: number;
  readonly #periodUs: number;
  /** The next opportunity, counted from the beginning. */
  #next = 0;
  /** What is left of the one before it. */
  #spareBytes = 0;

  /** @param ms instants in milliseconds, ascending; the last one is also the period. Not empty. */
  constructor(ms: readonly number[], beginUs: number) {
    this.#ms = ms;
    this.#beginUs = beginUs;
    this.#periodUs = ms.at(-1)! * 1000;
  }

  /** When `bytes` that begin to leave at `at` will have left; calls are in order of time. */
  finish(at: number, bytes: number): number {
    let needed = bytes;
    const last = this.#next === 0 ? -Infinity : this.#timeOf(this.#next - 1);
    if (last >= at && this.#spareBytes > 0) {
      const used = Math.min(this.#spareBytes, needed);
      this.#spareBytes -= used;
      needed -= used;
      if (needed === 0) return last;
    }
    while (this.#timeOf(this.#next) < at) this.#next++;
    for (; needed > OPPORTUNITY_BYTES; needed -= OPPORTUNITY_BYTES) this.#next++;
    this.#spareBytes = OPPORTUNITY_BYTES - needed;
    return this.#timeOf(this.#next++);
  }

  #timeOf(number: number): number {
    const turn = Math.floor(number / this.#ms.length);
    return this.#beginUs + turn * this.#periodUs + this.#ms[number % this.#ms.length]! * 1000;
  }
}

/** How long a recording is before it begins again, in microseconds. */
export function periodUs(ms: readonly number[]): number {
  return ms.at(-1)! * 1000;
}

/**
 * What a recording that begins at 0 carries on average between two instants in microseconds, in
 * bits per second. Opportunities at the second instant do not count.
 */
export function carriedBps(ms: readonly number[], fromUs: number, toUs: number): number {
  if (toUs <= fromUs) return 0;
  const count = opportunitiesBefore(ms, toUs) - opportunitiesBefore(ms, fromUs);
  return count * OPPORTUNITY_BYTES * 8e6 / (toUs - fromUs);
}

function opportunitiesBefore(ms: readonly number[], us: number): number {
  const turn = Math.floor(us / periodUs(ms));
  const phaseMs = (us - turn * periodUs(ms)) / 1000;
  let low = 0;
  for (let high = ms.length; low < high;) {
    const middle = (low + high) >> 1;
    if (ms[middle]! < phaseMs) low = middle + 1;
    else high = middle;
  }
  return turn * ms.length + low;
}
