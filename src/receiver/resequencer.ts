/**
 * Puts the packets of each flow back in order, and never holds up one flow for what another has
 * lost.
 *
 * A packet whose predecessors have not come is held until they do, or until its own deadline: the
 * caller computes that from the delays of the links, and may postpone it once it is reached. Late
 * packets are delivered, not dropped. Those that ask for it leave in bursts ({@linkcode Pace}).
 *
 * @module
 */

import type { PacketPool } from "../slab.ts";
import { Histogram } from "./histogram.ts";
import { Pace } from "./pace.ts";

/** Flow buckets (the wire allows 65,536; a sender uses as many as its queue has). */
export const FLOW_BUCKETS = 1024;
/** Chains of the table of held packets: a power of two. */
const CHAINS = 16_384;
/** Held packets are counted by blocks of 64 sequence numbers: wide gaps are skipped by block. */
const BLOCK_BITS = 6;
const BLOCKS = 0x1_0000 >> BLOCK_BITS;
const BLOCK_MASK = (1 << BLOCK_BITS) - 1;
const NONE = -1;
/** Packets held behind a gap are searched no more often than this, in microseconds. */
const AGAIN_US = 1_000;

/** Takes over a packet that is in order. */
export type Deliver = (slot: number) => void;
/**
 * Called when the deadline of a held packet is reached, which was sent at `sentAtUs` (wire time) and
 * has been held since `heldSince`. Returns a later deadline, or one that has passed.
 */
export type Postpone = (now: number, sentAtUs: number, heldSince: number) => number;
/** Whether the packet in `slot` is for a program that can take only so many at once. */
export type IsPaced = (slot: number) => boolean;

/** The resequencer of one peer. */
export class Resequencer {
  /** Packets held right now. */
  held = 0;
  /** Packets that ever had to wait. */
  heldEver = 0;
  /** How long packets waited, in microseconds. */
  readonly holds: Histogram = new Histogram();
  /** When {@linkcode handleTimeout} has something to do; may be early, never late. */
  nextTimeoutAtUs = Infinity;

  readonly #pool: PacketPool;
  readonly #deliver: Deliver;
  readonly #postpone: Postpone;
  readonly #isPaced: IsPaced;
  readonly #limit: number;
  readonly #expected = new Uint16Array(FLOW_BUCKETS);
  readonly #heldIn = new Int32Array(FLOW_BUCKETS);
  readonly #heldInBlock = new Uint16Array(FLOW_BUCKETS * BLOCKS);
  /** Lower bound of the deadlines of a flow's held packets. */
  readonly #deadline = new Float64Array(FLOW_BUCKETS);
  /** Flows with a gap, in no order. */
  readonly #waiting = new Int32Array(FLOW_BUCKETS);
  #waitingCount = 0;
  readonly #chains = new Int32Array(CHAINS).fill(NONE);
  readonly #bucketOf: Uint16Array;
  readonly #sequenceOf: Uint16Array;
  readonly #deadlineOf: Float64Array;
  readonly #heldSince: Float64Array;
  readonly #sentAtOf: Int32Array;
  readonly #pacedOf: Uint8Array;
  readonly #pace = new Pace(FLOW_BUCKETS);

  /**
   * @param limit most packets held at once; beyond that, or when less memory is free than is held,
   * the flow of the newest gives up its gap
   */
  constructor(
    pool: PacketPool,
    limit: number,
    deliver: Deliver,
    postpone: Postpone = () => -Infinity,
    isPaced: IsPaced = () => false,
  ) {
    this.#pool = pool;
    this.#postpone = postpone;
    this.#isPaced = isPaced;
    this.#limit = limit;
    this.#deliver = deliver;
    this.#bucketOf = new Uint16Array(pool.count);
    this.#sequenceOf = new Uint16Array(pool.count);
    this.#deadlineOf = new Float64Array(pool.count);
    this.#heldSince = new Float64Array(pool.count);
    this.#sentAtOf = new Int32Array(pool.count);
    this.#pacedOf = new Uint8Array(pool.count);
  }

  /**
   * Takes over the packet in `slot`, number `sequence` of flow `bucket`, if it need not wait.
   * Returns false when something before it is missing, or has to leave before: {@linkcode hold} it.
   */
  pass(now: number, bucket: number, sequence: number, slot: number): boolean {
    const flow = bucket % FLOW_BUCKETS;
    const ahead = sequence - this.#expected[flow]! & 0xffff;
    if (ahead === 0 && !this.#pace.isWaiting(flow)) {
      if (!this.#pace.mayPass(now, flow) && this.#isPaced(slot)) return false;
      this.#expected[flow] = sequence + 1;
      this.#deliver(slot);
      if (this.#heldIn[flow]! > 0) this.#drain(now, flow);
      return true;
    }
    if (ahead > 0 && ahead < 0x8000) return false;
    this.#deliver(slot);
    return true;
  }

  /**
   * Holds the packet in `slot`, which was sent at `sentAtUs`, for at most `holdUs` unless that is
   * postponed.
   */
  hold(
    now: number,
    bucket: number,
    sequence: number,
    slot: number,
    holdUs: number,
    sentAtUs = 0,
  ): void {
    const flow = bucket % FLOW_BUCKETS;
    this.#pacedOf[slot] = this.#isPaced(slot) ? 1 : 0;
    this.#pace.noteHeld(now, flow);
    this.#sentAtOf[slot] = sentAtUs;
    this.#bucketOf[slot] = flow;
    this.#sequenceOf[slot] = sequence;
    this.#deadlineOf[slot] = now + holdUs;
    this.#heldSince[slot] = now;
    const chain = chainOf(flow, sequence);
    this.#pool.next[slot] = this.#chains[chain]!;
    this.#chains[chain] = slot;
    this.#count(flow, sequence, 1);
    this.heldEver++;
    if (this.#heldIn[flow] === 1) {
      this.#waiting[this.#waitingCount++] = flow;
      this.#deadline[flow] = Infinity;
    }
    this.#advanceDeadline(flow, slot);
    if (sequence === this.#expected[flow] && !this.#pace.isWaiting(flow)) {
      this.#waitForBurst(now, flow);
    }
    if (this.held > Math.min(this.#limit, this.#pool.available)) this.#skipGap(now, flow, Infinity);
  }

  /** Gives up the gaps in front of packets whose deadline has passed. */
  handleTimeout(now: number): void {
    if (now < this.nextTimeoutAtUs) return;
    for (let i = this.#waitingCount - 1; i >= 0; i--) {
      const flow = this.#waiting[i]!;
      if (this.#deadline[flow]! > now) continue;
      if (this.#pace.isWaiting(flow)) this.#continueBursts(now, flow);
      else this.#releaseOverdue(now, flow);
    }
    this.#computeTimeout();
  }

  /** Delivers everything that is held: nothing else will come for now. */
  flush(now: number): void {
    while (this.#waitingCount > 0) {
      this.#skipGap(now, this.#waiting[this.#waitingCount - 1]!, Infinity);
    }
  }

  /** Delivers everything that is held and forgets the flows: the peer has restarted. */
  reset(now: number): void {
    this.flush(now);
    this.#expected.fill(0);
  }

  /** Delivers what is next in order, as far as it has arrived: of paced packets one `burst`. */
  #drain(now: number, flow: number, burst = this.#pace.burst(now, flow)): void {
    let left = 0;
    for (;;) {
      if (left >= burst && this.#isNextPaced(flow)) return this.#waitForBurst(now, flow);
      const slot = this.#take(flow, this.#expected[flow]!);
      if (slot === NONE) break;
      left += this.#pacedOf[slot]!;
      this.#expected[flow] = this.#expected[flow]! + 1;
      this.holds.add(now - this.#heldSince[slot]!);
      this.#deliver(slot);
    }
    this.#pace.end(now, flow, left);
    if (this.#heldIn[flow] === 0) this.#stopWaiting(flow);
  }

  #isNextPaced(flow: number): boolean {
    const slot = this.#find(flow, this.#expected[flow]!);
    return slot !== NONE && this.#pacedOf[slot] === 1;
  }

  #waitForBurst(now: number, flow: number): void {
    this.#pace.wait(now, flow);
    this.#deadline[flow] = this.#pace.dueAtUs(flow);
    this.nextTimeoutAtUs = Math.min(this.nextTimeoutAtUs, this.#deadline[flow]!);
  }

  /** Delivers the next burst of a flow if it is due, and then what is overdue behind it. */
  #continueBursts(now: number, flow: number): void {
    const dueAtUs = this.#pace.dueAtUs(flow);
    if (now < dueAtUs) {
      this.#deadline[flow] = dueAtUs;
      return;
    }
    this.#drain(now, flow);
    if (!this.#pace.isWaiting(flow) && this.#heldIn[flow]! > 0) this.#releaseOverdue(now, flow);
  }

  /** Gives up every gap that a packet has waited for long enough, and finds the next deadline. */
  #releaseOverdue(now: number, flow: number): void {
    const first = this.#expected[flow]!;
    let overdue = NONE;
    let next = Infinity;
    let left = this.#heldIn[flow]!;
    for (let ahead = 1; left > 0 && ahead <= 0xffff; ahead++) {
      const sequence = first + ahead & 0xffff;
      if (this.#heldInBlock[blockOf(flow, sequence)] === 0) {
        ahead += BLOCK_MASK - (sequence & BLOCK_MASK);
        continue;
      }
      let slot = this.#find(flow, sequence);
      for (; slot !== NONE; slot = this.#findAfter(slot)) {
        left--;
        const at = this.#deadlineAgain(now, slot);
        if (at > now) next = Math.min(next, at);
        else {
          overdue = ahead;
          next = Infinity; // counts only the packets after it
        }
      }
    }
    this.#deadline[flow] = Math.max(next, now + AGAIN_US); // a search may be long
    while (this.#heldIn[flow]! > 0 && (this.#expected[flow]! - first & 0xffff) <= overdue) {
      this.#skipGap(now, flow);
      if (this.#pace.isWaiting(flow)) return;
    }
    // Of two packets with the same number the second remains.
    if (next === Infinity && this.#heldIn[flow]! > 0) this.#deadline[flow] = now + AGAIN_US;
  }

  #skipGap(now: number, flow: number, burst = this.#pace.burst(now, flow)): void {
    this.#expected[flow] = this.#sequenceOf[this.#firstHeld(flow)]!;
    this.#drain(now, flow, burst);
  }

  /** The held packet that is next in order. There is one: the caller has checked. */
  #firstHeld(flow: number): number {
    for (let sequence = this.#expected[flow]!;; sequence = sequence + 1 & 0xffff) {
      if (this.#heldInBlock[blockOf(flow, sequence)] === 0) {
        sequence |= BLOCK_MASK;
        continue;
      }
      const slot = this.#find(flow, sequence);
      if (slot !== NONE) return slot;
    }
  }

  /** The deadline of a held packet, postponed if it was reached too early. */
  #deadlineAgain(now: number, slot: number): number {
    const at = this.#deadlineOf[slot]!;
    if (at > now) return at;
    return this.#deadlineOf[slot] = this.#postpone(
      now,
      this.#sentAtOf[slot]!,
      this.#heldSince[slot]!,
    );
  }

  #find(flow: number, sequence: number): number {
    let slot = this.#chains[chainOf(flow, sequence)]!;
    while (slot !== NONE && !this.#is(slot, flow, sequence)) slot = this.#pool.next[slot]!;
    return slot;
  }

  /** Another packet with the same number: a sender that uses one twice loses neither. */
  #findAfter(slot: number): number {
    const flow = this.#bucketOf[slot]!;
    const sequence = this.#sequenceOf[slot]!;
    let other = this.#pool.next[slot]!;
    while (other !== NONE && !this.#is(other, flow, sequence)) other = this.#pool.next[other]!;
    return other;
  }

  #is(slot: number, flow: number, sequence: number): boolean {
    return this.#bucketOf[slot] === flow && this.#sequenceOf[slot] === sequence;
  }

  #take(flow: number, sequence: number): number {
    const chain = chainOf(flow, sequence);
    let before = NONE;
    let slot = this.#chains[chain]!;
    while (slot !== NONE) {
      const after = this.#pool.next[slot]!;
      if (this.#is(slot, flow, sequence)) {
        if (before === NONE) this.#chains[chain] = after;
        else this.#pool.next[before] = after;
        this.#count(flow, sequence, -1);
        return slot;
      }
      before = slot;
      slot = after;
    }
    return NONE;
  }

  #count(flow: number, sequence: number, by: 1 | -1): void {
    const block = blockOf(flow, sequence);
    this.held += by;
    this.#heldIn[flow] = this.#heldIn[flow]! + by;
    this.#heldInBlock[block] = this.#heldInBlock[block]! + by;
  }

  /** Includes the deadline of the packet in `slot`. Numbers stay in tables, so none is boxed. */
  #advanceDeadline(flow: number, slot: number): void {
    const at = this.#deadlineOf[slot]!;
    if (at < this.#deadline[flow]!) this.#deadline[flow] = at;
    if (at < this.nextTimeoutAtUs) this.nextTimeoutAtUs = at;
  }

  #stopWaiting(flow: number): void {
    const at = this.#waiting.indexOf(flow);
    if (at < 0 || at >= this.#waitingCount) return;
    this.#waiting[at] = this.#waiting[--this.#waitingCount]!;
    if (this.#waitingCount === 0) this.nextTimeoutAtUs = Infinity;
  }

  #computeTimeout(): void {
    let at = Infinity;
    for (let i = 0; i < this.#waitingCount; i++) {
      at = Math.min(at, this.#deadline[this.#waiting[i]!]!);
    }
    this.nextTimeoutAtUs = at;
  }
}

/** Consecutive packets of a flow fall into consecutive chains: no two meet. */
function chainOf(flow: number, sequence: number): number {
  return Math.imul(flow, 4099) + sequence & CHAINS - 1;
}

function blockOf(flow: number, sequence: number): number {
  return flow * BLOCKS + (sequence >> BLOCK_BITS);
}
