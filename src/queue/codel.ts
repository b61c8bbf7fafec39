/**
 * CoDel: when packets of a queue have been late for too long, drop (or mark) at a slowly rising
 * pace until they no longer are (RFC 8289). State of many queues in flat arrays.
 *
 * @module
 */

/** Sojourn time accepted indefinitely, in microseconds, unless changed (RFC 8289 section 4.4). */
export const TARGET_US = 15_000;
/** How long the sojourn time must stay above the target, in microseconds (section 4.3). */
export const INTERVAL_US = 100_000;

/** A queue that has become this much shorter since the last drop shows that its sender responds. */
const ANSWERED = 0.85;

/** What CoDel says about the packet at the head of a queue. */
export type Verdict = "pass" | "drop";

/** CoDel state of `count` queues. */
export class Codel {
  /** Sojourn time accepted indefinitely, in microseconds. */
  targetUs: number = TARGET_US;
  /**
   * Time between the first two drops, in microseconds: a sender needs one round trip to learn of a
   * drop, and another until its smaller window shows in the queue.
   */
  spacingUs: number = INTERVAL_US;
  /** When the sojourn time will have been above the target for an interval; 0: it is not above. */
  readonly #firstAbove: Float64Array;
  readonly #dropNext: Float64Array;
  readonly #drops: Int32Array;
  readonly #lastDrops: Int32Array;
  readonly #dropping: Uint8Array;
  /** Sojourn time at the last drop, or when the next one was postponed. */
  readonly #sojournAtDrop: Float64Array;

  constructor(count: number) {
    this.#firstAbove = new Float64Array(count);
    this.#dropNext = new Float64Array(count);
    this.#drops = new Int32Array(count);
    this.#lastDrops = new Int32Array(count);
    this.#dropping = new Uint8Array(count);
    this.#sojournAtDrop = new Float64Array(count);
  }

  /**
   * Judges the head packet of `queue`, which has waited `sojournUs`; `last` says that nothing is
   * behind it. Call once per packet taken out.
   */
  judge(queue: number, now: number, sojournUs: number, last: boolean): Verdict {
    const late = this.#isLate(queue, now, sojournUs, last);
    if (this.#dropping[queue] === 1) return this.#whileDropping(queue, now, sojournUs, late);
    if (!late) return "pass";
    this.#dropping[queue] = 1;
    this.#sojournAtDrop[queue] = sojournUs;
    this.#resume(queue, now);
    this.#dropNext[queue] = now + this.spacingUs / Math.sqrt(this.#drops[queue]!);
    return "drop";
  }

  /**
   * The packet that was to be dropped leaves marked instead, after `sojournUs`. The sender's answer
   * shows at the head of the queue only when what is in it has left: before that, another mark would
   * make it answer twice.
   */
  noteMarked(queue: number, now: number, sojournUs: number): void {
    this.#dropNext[queue] = now + this.spacingUs + Math.min(sojournUs, INTERVAL_US);
  }

  /** A packet of `queue` leaves unjudged: lateness that it did not cause does not count. */
  excuse(queue: number): void {
    this.#firstAbove[queue] = 0;
    this.#dropping[queue] = 0;
  }

  #isLate(queue: number, now: number, sojournUs: number, last: boolean): boolean {
    if (sojournUs < this.targetUs || last) {
      this.#firstAbove[queue] = 0;
      return false;
    }
    if (this.#firstAbove[queue] === 0) {
      this.#firstAbove[queue] = now + INTERVAL_US;
      return false;
    }
    return now >= this.#firstAbove[queue]!;
  }

  #whileDropping(queue: number, now: number, sojournUs: number, late: boolean): Verdict {
    if (!late) {
      this.#dropping[queue] = 0;
      return "pass";
    }
    if (now < this.#dropNext[queue]!) return "pass";
    const answered = sojournUs < ANSWERED * this.#sojournAtDrop[queue]!;
    this.#sojournAtDrop[queue] = sojournUs;
    if (answered) {
      this.#dropNext[queue] = now + this.spacingUs;
      return "pass";
    }
    const drops = ++this.#drops[queue]!;
    this.#dropNext[queue] = this.#dropNext[queue]! + this.spacingUs / Math.sqrt(drops);
    return "drop";
  }

  /** Starts near the pace at which it last stopped, if that was recent (section 5.4). */
  #resume(queue: number, now: number): void {
    const delta = this.#drops[queue]! - this.#lastDrops[queue]!;
    const recent = now - this.#dropNext[queue]! < 16 * this.spacingUs;
    this.#drops[queue] = recent && delta > 1 ? delta : 1;
    this.#lastDrops[queue] = this.#drops[queue]!;
  }
}
