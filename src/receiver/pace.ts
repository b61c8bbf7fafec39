/**
 * How many packets at once a flow gets. A kernel's TCP takes any number; a program that reads
 * datagrams has a buffer for about a hundred, and loses what comes faster than it reads. So what a
 * gap, or a pause of this process, has held up leaves in bursts, a little faster than more of that
 * flow arrives.
 *
 * @module
 */

/** Packets that may leave at once: a third of the buffer that Linux gives a socket by default. */
export const FIRST_PACKETS = 32;
/** From one burst to the next, in microseconds. */
export const BURST_US = 1_000;
/** What each later burst has on top of one and a half of the packets that came meanwhile. */
const MORE_PACKETS = 8;
/**
 * The number that comes in such a time is believed to grow by at most this much. What was in the
 * buffers while this process paused comes at once, and says nothing of a rate.
 */
const GROWTH_PACKETS = 16;
/** After such a time without packets nothing is known of a flow's rate, in microseconds. */
const FORGOTTEN_US = 4_000;

/** The bursts of each flow. */
export class Pace {
  /** When the next burst is due; 0 when nothing waits for it. */
  readonly #dueAtUs: Float64Array;
  /** Since when packets are counted: how many came, and how many left. */
  readonly #sinceUs: Float64Array;
  readonly #came: Uint16Array;
  readonly #left: Uint16Array;
  /** How many came before that, in the time between two bursts. */
  readonly #cameBefore: Uint16Array;

  constructor(flows: number) {
    this.#dueAtUs = new Float64Array(flows);
    this.#sinceUs = new Float64Array(flows);
    this.#came = new Uint16Array(flows);
    this.#left = new Uint16Array(flows);
    this.#cameBefore = new Uint16Array(flows);
  }

  /** Whether packets of `flow` wait for their burst, and for nothing else. */
  isWaiting(flow: number): boolean {
    return this.#dueAtUs[flow] !== 0;
  }

  /** When the next burst of a flow that waits is due. */
  dueAtUs(flow: number): number {
    return this.#dueAtUs[flow]!;
  }

  /** Whether a packet of a flow that does not wait, which has come in order, may leave at once. */
  mayPass(now: number, flow: number): boolean {
    this.noteHeld(now, flow);
    if (this.#left[flow]! >= this.#room(flow)) return false;
    this.#left[flow] = this.#left[flow]! + 1;
    return true;
  }

  /** A packet of `flow` has come that must wait. */
  noteHeld(now: number, flow: number): void {
    if (now - this.#sinceUs[flow]! >= BURST_US && !this.isWaiting(flow)) this.#begin(now, flow);
    this.#came[flow] = this.#came[flow]! + 1;
  }

  /** How many packets that have waited may leave. */
  burst(now: number, flow: number): number {
    if (this.isWaiting(flow)) {
      const came = this.#cameAtOnce(flow);
      return MORE_PACKETS + came + (came >> 1);
    }
    if (now - this.#sinceUs[flow]! >= BURST_US) this.#begin(now, flow);
    return this.#room(flow) - this.#left[flow]!;
  }

  /** A burst is over and more waits. */
  wait(now: number, flow: number): void {
    if (this.isWaiting(flow)) this.#begin(now, flow);
    else this.#restart(now, flow); // what came before it in an instant is no rate
    this.#dueAtUs[flow] = now + BURST_US;
  }

  /** Nothing of `flow` waits for another burst; the last one had `left` packets. */
  end(now: number, flow: number, left: number): void {
    if (this.isWaiting(flow)) this.#begin(now, flow);
    this.#dueAtUs[flow] = 0;
    this.#left[flow] = this.#left[flow]! + left;
  }

  #room(flow: number): number {
    return Math.max(FIRST_PACKETS, 2 * this.#cameBefore[flow]!);
  }

  #cameAtOnce(flow: number): number {
    return Math.min(this.#came[flow]!, this.#cameBefore[flow]! + GROWTH_PACKETS);
  }

  #begin(now: number, flow: number): void {
    const isRecent = now - this.#sinceUs[flow]! < FORGOTTEN_US;
    // Packets come in batches: a time in which none came is not the end of a rate.
    const least = this.#cameBefore[flow]! >> 1;
    this.#cameBefore[flow] = isRecent ? Math.max(this.#cameAtOnce(flow), least) : 0;
    this.#restart(now, flow);
  }

  #restart(now: number, flow: number): void {
    this.#sinceUs[flow] = now;
    this.#came[flow] = 0;
    this.#left[flow] = 0;
  }
}
