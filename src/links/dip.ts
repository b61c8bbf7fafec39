/**
 * Whose queue is it? Send half as much for a moment, and look.
 *
 * A queue of our own then shrinks by half of that time, or is gone. If others fill the line, it
 * hardly does: they take what we leave (the idea of Copa, NSDI 2018, and of Nimbus, SIGCOMM 2022).
 *
 * @module
 */

/** Share of the rate that is sent meanwhile. */
export const DIP_GAIN = 0.5;
/** It lasts this many round trips, and this time at least, in microseconds. */
const ROUND_TRIPS = 1.25;
const LEAST_US = 50_000;
/** What was sent last in it is heard of after a round trip and this, in microseconds. */
const ANSWER_US = 30_000;
/** A queue that shrinks by this share of what ours would is ours. */
const OURS = 0.8;
/** One that grows by this share of the time: the link itself is slower. */
const SLOWER = 0.35;

/** What a dip has found out. */
export type Verdict = "pending" | "ours" | "others" | "slower";

/** One dip at a time. Instants and times in microseconds. */
export class Dip {
  /** Whether less is sent. */
  isOn = false;
  #endsAtUs = 0;
  #judgedAtUs = 0;
  #queueUs = 0;
  #leastUs = 0;
  #expectedUs = 0;

  /**
   * Our share of what passes the link, from how much the queue has shrunk: if all of that were ours
   * it would have shrunk by what was not sent. 1 when it was too short to shrink by so much.
   */
  get share(): number {
    if (this.#queueUs < this.#expectedUs) return 1;
    return Math.min(1, Math.max(0, (this.#queueUs - this.#leastUs) / this.#expectedUs));
  }

  /** Begins with a queue of `queueUs`. */
  begin(now: number, queueUs: number, srttUs: number): void {
    const forUs = Math.max(ROUND_TRIPS * srttUs, LEAST_US);
    this.isOn = true;
    this.#endsAtUs = now + forUs;
    this.#judgedAtUs = this.#endsAtUs + srttUs + ANSWER_US;
    this.#queueUs = this.#leastUs = queueUs;
    this.#expectedUs = (1 - DIP_GAIN) * forUs;
  }

  /** The queue is now `queueUs` long; up to `limitUs` there is none. */
  handleQueue(now: number, queueUs: number, limitUs: number): Verdict {
    if (now >= this.#endsAtUs) this.isOn = false;
    this.#leastUs = Math.min(this.#leastUs, queueUs);
    if (queueUs <= limitUs) return "ours";
    if (this.#queueUs - this.#leastUs >= OURS * this.#expectedUs) return "ours";
    if (now < this.#judgedAtUs) return "pending";
    return queueUs - this.#queueUs > SLOWER * this.#expectedUs / (1 - DIP_GAIN)
      ? "slower"
      : "others";
  }
}
