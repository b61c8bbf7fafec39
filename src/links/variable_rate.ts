/**
 * What a link carries whose capacity never rests, such as a mobile one: what it has just delivered.
 *
 * There is no time to look for a rate by trying: whatever was found is no longer true. Instead a
 * small queue is kept on the link, so that it always has something to send, by a limit on what is
 * in flight: what the link delivers in its least round trip and {@linkcode STANDING_US}. As the link
 * becomes slower, so do the acknowledgements; as it becomes faster, the queue feeds it until
 * they tell. The limit follows either within a round trip and a report (as those of BBR,
 * draft-ietf-ccwg-bbr section 4.6.4, and Copa, NSDI 2018, do).
 *
 * @module
 */

/** The time that the queue on the link may take, in microseconds: the gaps of mobile links. */
export const STANDING_US = 30_000;
/** The most that was delivered within so many microseconds counts: gaps are none of its rate. */
const WINDOW_US = 100_000;
/** A rate sample spans at least this time, in microseconds, and these bytes. */
export const VARIABLE_SPAN_US = 20_000;
export const VARIABLE_SPAN_BYTES = 3_000;

/** Samples remembered: more than there can be reports in the window; a power of two. */
const SAMPLES = 64;

/** Follows one link. Rates in bits per second, instants in microseconds. */
export class VariableRate {
  /** What it has just delivered at most. */
  rateBps = 0;
  readonly #bps = new Float64Array(SAMPLES);
  readonly #atUs = new Float64Array(SAMPLES);
  #first = 0;
  #count = 0;

  /** Begins with what is believed. */
  begin(now: number, rateBps: number): void {
    this.#count = 0;
    this.#add(now, rateBps);
  }

  /**
   * Takes a sample into account. One that was `limited` by what there was to send says nothing
   * about the link when it is low, and nothing is forgotten meanwhile.
   */
  handleSample(now: number, sampleBps: number, limited: boolean): void {
    if (sampleBps <= 0) return;
    if (limited && sampleBps < this.rateBps) this.#keep(now);
    else this.#add(now, sampleBps);
  }

  /** A maximum over a sliding window: samples that a later one exceeds are never needed. */
  #add(now: number, bps: number): void {
    while (this.#count > 0 && this.#bps[this.#at(this.#count - 1)]! <= bps) this.#count--;
    if (this.#count === SAMPLES) this.#drop();
    const at = this.#at(this.#count++);
    this.#bps[at] = bps;
    this.#atUs[at] = now;
    while (this.#count > 1 && this.#atUs[this.#first]! < now - WINDOW_US) this.#drop();
    this.rateBps = this.#bps[this.#first]!;
  }

  #keep(now: number): void {
    for (let i = 0; i < this.#count; i++) {
      const at = this.#at(i);
      this.#atUs[at] = Math.max(this.#atUs[at]!, now - WINDOW_US / 2);
    }
  }

  #drop(): void {
    this.#first = this.#at(1);
    this.#count--;
  }

  #at(i: number): number {
    return (this.#first + i) % SAMPLES;
  }
}
