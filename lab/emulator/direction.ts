/**
 * One direction of a line: a tail-drop queue, a bottleneck and a delay, all computed. It is told
 * the time and moves slot numbers; `loop.ts` does the I/O.
 *
 * Loss comes after the bottleneck, as on a radio: a lost packet has used the
 * line. Only the head of the queue has a finishing time, so that a change of rate takes effect at
 * once, even for what already waits.
 *
 * @module
 */

import { Random } from "../random.ts";
import { Opportunities } from "./opportunities.ts";
import { type Counters, type Shape, WIRE } from "./shape.ts";

/** Told what becomes of a slot that will not be delivered. */
export type Release = (slot: number) => void;

/**
 * Told of a slot whose packet of `length` bytes is above `mtu`, before it is released; returns
 * whether its sender was told.
 */
export type AnswerTooBig = (slot: number, length: number, mtu: number) => boolean;

/** Why a packet was not delivered: the names of {@linkcode Counters}. */
type Reason = "tailDrops" | "lost" | "swallowed" | "tooBig" | "overrun";

const MICRO = 1e6;
/** Time that an entry of recorded delays is for. */
const DELAY_STEP_US = 10_000;

/** A packet's path through one direction. Times in microseconds. */
export class Direction {
  #shape: Shape = WIRE;
  #opportunities: Opportunities | undefined;
  #delaysSince = 0;
  readonly #release: Release;
  readonly #answerTooBig: AnswerTooBig;
  readonly #random: Random;
  readonly #mask: number;

  // Queue before the bottleneck: a ring of slots and lengths.
  readonly #queueSlots: Int32Array;
  readonly #queueLengths: Int32Array;
  #queueHead = 0;
  #queueTail = 0;
  #queueBytes = 0;
  /** When the head's last bit leaves; Infinity when the queue is empty. */
  #headDone = Infinity;
  /** When the bottleneck has sent, or will have sent, the packet before the head. */
  #freeAt = 0;

  // On the way: a ring sorted by the time of arrival.
  readonly #airSlots: Int32Array;
  readonly #airTimes: Float64Array;
  #airHead = 0;
  #airTail = 0;

  #inBadState = false;
  #inPackets = 0;
  #inBytes = 0;
  #outPackets = 0;
  #outBytes = 0;
  readonly #drops = { tailDrops: 0, lost: 0, swallowed: 0, tooBig: 0, overrun: 0 };
  #answered = 0;
  #peakQueueBytes = 0;

  /** `capacity`: packets in the queue, and as many on the way; a power of two. */
  constructor(
    capacity: number,
    seed: number,
    release: Release,
    answerTooBig: AnswerTooBig = (): boolean => false,
  ) {
    this.#mask = capacity - 1;
    this.#queueSlots = new Int32Array(capacity);
    this.#queueLengths = new Int32Array(capacity);
    this.#airSlots = new Int32Array(capacity);
    this.#airTimes = new Float64Array(capacity);
    this.#random = new Random(seed);
    this.#release = release;
    this.#answerTooBig = answerTooBig;
  }

  /** Changes the given fields of the shape, from now on. */
  reshape(now: number, change: Partial<Shape>): void {
    this.advance(now);
    const before = this.#shape.rateBps;
    this.#shape = { ...this.#shape, ...change };
    const after = this.#shape.rateBps;
    if (change.delayTrace) this.#delaysSince = now;
    if (change.trace !== undefined) return this.#play(now, change.trace);
    if (this.#headDone === Infinity || before === after || this.#opportunities) return;
    const remaining = Math.max(0, this.#headDone - now);
    this.#headDone = after === 0 || before === 0 ? now : now + remaining * (before / after);
  }

  /** Takes over `slot`, which holds a packet of `length` bytes that came at `now`. */
  accept(now: number, slot: number, length: number): void {
    const shape = this.#shape;
    this.#inPackets++;
    this.#inBytes += length;
    if (shape.blackhole) return this.#drop(slot, "swallowed");
    if (shape.mtu > 0 && length > shape.mtu) return this.#dropTooBig(slot, length);
    if (this.#queueTail - this.#queueHead > this.#mask) return this.#drop(slot, "overrun");
    if (this.#isFull(length)) return this.#drop(slot, "tailDrops");
    const wasEmpty = this.#queueHead === this.#queueTail;
    const at = this.#queueTail++ & this.#mask;
    this.#queueSlots[at] = slot;
    this.#queueLengths[at] = length;
    this.#queueBytes += length;
    if (this.#queueBytes > this.#peakQueueBytes) this.#peakQueueBytes = this.#queueBytes;
    if (wasEmpty) this.#headDone = this.#doneAt(Math.max(now, this.#freeAt), length);
  }

  /** Moves what the bottleneck has finished by `now` onto the way. */
  advance(now: number): void {
    while (this.#headDone <= now) {
      const at = this.#queueHead++ & this.#mask;
      const slot = this.#queueSlots[at] ?? 0;
      this.#queueBytes -= this.#queueLengths[at] ?? 0;
      const done = this.#headDone;
      this.#freeAt = done;
      this.#headDone = this.#queueHead === this.#queueTail
        ? Infinity
        : this.#doneAt(done, this.#queueLengths[this.#queueHead & this.#mask] ?? 0);
      if (this.#isLost()) this.#drop(slot, "lost");
      else this.#fly(done, slot);
    }
  }

  /** The next slot that has arrived by `now`, which the caller takes over; -1 when there is none. */
  pollDelivery(now: number): number {
    while (this.#airHead !== this.#airTail) {
      const at = this.#airHead & this.#mask;
      if ((this.#airTimes[at] ?? 0) > now) return -1;
      this.#airHead++;
      const slot = this.#airSlots[at] ?? 0;
      if (!this.#shape.blackhole) return slot;
      this.#drop(slot, "swallowed");
    }
    return -1;
  }

  /** Counts a delivered packet of `length` bytes. */
  delivered(length: number): void {
    this.#outPackets++;
    this.#outBytes += length;
  }

  /** Counts a packet that the emulator had no buffer for. */
  overran(): void {
    this.#drops.overrun++;
  }

  /** When something happens next; Infinity when there is nothing in the line. */
  nextEvent(): number {
    const landing = this.#airHead === this.#airTail
      ? Infinity
      : this.#airTimes[this.#airHead & this.#mask] ?? Infinity;
    const { delayUs, delayTrace, jitterUs, jitterIsNormal } = this.#shape;
    const least = delayTrace || (jitterUs > 0 && jitterIsNormal) ? 0 : delayUs;
    return Math.min(landing, this.#headDone + least);
  }

  /** What it has done; starts a new peak of the queue. */
  counters(): Counters {
    const peakQueueBytes = this.#peakQueueBytes;
    this.#peakQueueBytes = this.#queueBytes;
    return {
      inPackets: this.#inPackets,
      inBytes: this.#inBytes,
      outPackets: this.#outPackets,
      outBytes: this.#outBytes,
      ...this.#drops,
      answered: this.#answered,
      peakQueueBytes,
    };
  }

  #isFull(length: number): boolean {
    const { queueBytes, queueUs, rateBps } = this.#shape;
    const bytes = this.#queueBytes + length;
    if (queueBytes > 0 && bytes > queueBytes) return true;
    return queueUs > 0 && rateBps > 0 && this.#queueHead !== this.#queueTail &&
      bytes * 8 * MICRO > queueUs * rateBps;
  }

  /** When a packet that begins to leave at `from` has left. */
  #doneAt(from: number, length: number): number {
    if (this.#opportunities) return this.#opportunities.finish(from, length);
    return this.#shape.rateBps === 0 ? from : from + length * 8 * MICRO / this.#shape.rateBps;
  }

  /** Plays a recording from its beginning, or ends that; the head of the queue begins anew. */
  #play(now: number, trace: readonly number[] | null): void {
    this.#opportunities = trace === null ? undefined : new Opportunities(trace, now);
    if (this.#headDone === Infinity) return;
    this.#headDone = this.#doneAt(now, this.#queueLengths[this.#queueHead & this.#mask] ?? 0);
  }

  #delayUs(at: number): number {
    const { delayUs, delayTrace } = this.#shape;
    if (delayTrace === null) return delayUs;
    const step = Math.max(0, Math.floor((at - this.#delaysSince) / DELAY_STEP_US));
    return delayTrace[step % delayTrace.length]! * 1000;
  }

  #jittered(delayUs: number): number {
    const { jitterUs, jitterIsNormal } = this.#shape;
    if (jitterUs === 0) return delayUs;
    const random = jitterIsNormal ? this.#random.normal() : this.#random.next();
    return Math.max(0, delayUs + jitterUs * random);
  }

  #isLost(): boolean {
    const { loss, burst } = this.#shape;
    if (loss > 0 && this.#random.next() < loss) return true;
    if (burst === null) return false;
    const turn = this.#random.next();
    if (this.#inBadState ? turn < burst.leave : turn < burst.enter) {
      this.#inBadState = !this.#inBadState;
    }
    return this.#random.next() < (this.#inBadState ? burst.bad : burst.good);
  }

  /** Puts a slot among those on the way; jitter without reordering never overtakes. */
  #fly(done: number, slot: number): void {
    if (this.#airTail - this.#airHead > this.#mask) return this.#drop(slot, "overrun");
    const { reorder } = this.#shape;
    let at = this.#airTail++;
    let landing = done + this.#jittered(this.#delayUs(done));
    if (at !== this.#airHead) {
      const last = this.#airTimes[(at - 1) & this.#mask] ?? 0;
      if (reorder) at = this.#makeRoom(at, landing);
      else if (landing < last) landing = last;
    }
    this.#airSlots[at & this.#mask] = slot;
    this.#airTimes[at & this.#mask] = landing;
  }

  /** Shifts later landings back; returns the free place. */
  #makeRoom(end: number, landing: number): number {
    let at = end;
    while (at > this.#airHead && (this.#airTimes[(at - 1) & this.#mask] ?? 0) > landing) {
      this.#airSlots[at & this.#mask] = this.#airSlots[(at - 1) & this.#mask] ?? 0;
      this.#airTimes[at & this.#mask] = this.#airTimes[(at - 1) & this.#mask] ?? 0;
      at--;
    }
    return at;
  }

  #dropTooBig(slot: number, length: number): void {
    const { mtu, fragmentationNeeded } = this.#shape;
    if (fragmentationNeeded && this.#answerTooBig(slot, length, mtu)) this.#answered++;
    this.#drop(slot, "tooBig");
  }

  #drop(slot: number, reason: Reason): void {
    this.#drops[reason]++;
    this.#release(slot);
  }
}
