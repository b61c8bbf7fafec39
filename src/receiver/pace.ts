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
/** After such a time without packets nothing is known of a flow's rate, in microseconds. */
const FORGOTTEN_US = 4_000;
/** What each later burst has on top of one and a half of the packets that came meanwhile, */
const MORE_PACKETS = 8;
/** which are what its rate brings: this many, or twice what came in such a time before. */
const LEAST_AT_ONCE = 16;

/** The bursts of each flow. */
export class Pace {
  /** When the next burst is due; 0 when nothing waits for it. */
  readonly #dueAtUs: Float64Array;
  /** Since when packets that came are counted, how many, and how many in such a time before. */
  readonly #sinceUs: Float64Array;
  readonly #came: Uint16Array;
  readonly #cameBefore: Uint16Array;

  constructor(flows: number) {
    this.#dueAtUs = new Float64Array(flows);
    this.#sinceUs = new Float64Array(flows);
    this.#came = new Uint16Array(flows);
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

  /** Whether another packet of a flow that does not wait may leave at once. Counts it. */
  mayPass(now: number, flow: number): boolean {
    const elapsedUs = now - this.#sinceUs[flow]!;
    if (elapsedUs >= BURST_US) {
      this.#cameBefore[flow] = elapsedUs < FORGOTTEN_US ? this.#came[flow]! : 0;
      this.#came[flow] = 0;
      this.#sinceUs[flow] = now;
    }
    const came = this.#came[flow] = this.#came[flow]! + 1;
    return came <= FIRST_PACKETS || came <= 2 * this.#cameBefore[flow]!;
  }

  /** A packet of `flow` has come that must wait. */
  noteHeld(flow: number): void {
    if (this.isWaiting(flow)) this.#came[flow] = this.#came[flow]! + 1;
  }

  /** Packets of the burst that begins. */
  burst(flow: number): number {
    if (!this.isWaiting(flow)) return FIRST_PACKETS;
    // What was in the buffers while this process paused comes at once, and says nothing of a rate.
    const most = Math.max(LEAST_AT_ONCE, 2 * this.#cameBefore[flow]!);
    const came = Math.min(this.#came[flow]!, most);
    return MORE_PACKETS + came + (came >> 1);
  }

  /** The burst is over and more waits. */
  wait(now: number, flow: number): void {
    if (this.isWaiting(flow)) this.#cameBefore[flow] = this.#came[flow]!;
    this.#dueAtUs[flow] = now + BURST_US;
    this.#sinceUs[flow] = now;
    this.#came[flow] = 0;
  }

  /** Nothing of `flow` waits for a burst. */
  end(flow: number): void {
    this.#dueAtUs[flow] = 0;
  }
}
