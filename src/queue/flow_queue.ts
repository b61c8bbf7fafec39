/**
 * The one queue of a peer: a FIFO for what must not wait and needs no order, flows whose next packet
 * must not wait either, and after them flows that share by deficit round robin, each kept short by
 * CoDel (FQ-CoDel, RFC 8290).
 *
 * Links pull from it, so nothing is ever committed to a link that stalls. Its flows may be
 * divided into groups, each with a round robin of its own. It holds slot numbers of the
 * packet pool, chained through `pool.next`.
 *
 * @module
 */

import type { PacketPool } from "../slab.ts";
import { Codel } from "./codel.ts";
import { type BucketList, FlowGroup, NONE } from "./flow_group.ts";
import { UrgentFlows } from "./urgent_flows.ts";

/** Flows are told apart by this many buckets (RFC 8290 section 4.1.1). */
export const BUCKETS = 1024;
/** Bytes a flow may send per round: one packet (RFC 8290 section 5.2.1). */
const QUANTUM_BYTES = 1514;
/** Capacity of the express FIFO in packets: beyond that even urgent packets wait their turn. */
const EXPRESS_LIMIT = 64;

const IDLE = 0;
const NEW = 1;
const OLD = 2;

/** Handles a packet that CoDel or the limit drops: releases its slot, counts it. */
export type DropHandler = (slot: number, reason: "codel" | "queue-full") => void;
/** Marks the packet in `slot` instead of dropping it; false when its sender does not use ECN. */
export type Marker = (slot: number) => boolean;

/** FQ-CoDel over packet slots. */
export class FlowQueue {
  /** Packets waiting. */
  packets = 0;
  /** Bytes waiting. */
  bytes = 0;

  readonly #pool: PacketPool;
  readonly #limit: number;
  readonly #onDrop: DropHandler;
  readonly #mark: Marker;
  readonly #enqueuedAtUs: Float64Array;
  readonly #head = new Int32Array(BUCKETS).fill(NONE);
  readonly #tail = new Int32Array(BUCKETS);
  readonly #backlog = new Float64Array(BUCKETS);
  readonly #deficit = new Int32Array(BUCKETS);
  readonly #state = new Uint8Array(BUCKETS);
  readonly #codel = new Codel(BUCKETS);
  readonly #urgent = new UrgentFlows(BUCKETS);
  readonly #groups: readonly FlowGroup[];
  /** Group of each bucket. */
  readonly #group = new Uint8Array(BUCKETS);
  #expressHead = NONE;
  #expressTail = NONE;
  #expressPackets = 0;
  /** Bucket of the packet that {@linkcode shift} returned last. */
  bucket = 0;

  /**
   * @param limit most packets it holds; beyond, the longest flow loses its oldest packet
   * @param enqueuedAtUs an entry per slot; queues that never hold the same slot may share it
   * @param groups how many; at first every flow is in group 0
   */
  constructor(
    pool: PacketPool,
    limit: number,
    onDrop: DropHandler,
    mark: Marker,
    enqueuedAtUs: Float64Array = new Float64Array(pool.count),
    groups = 1,
  ) {
    this.#pool = pool;
    this.#limit = limit;
    this.#onDrop = onDrop;
    this.#mark = mark;
    this.#enqueuedAtUs = enqueuedAtUs;
    const next = new Int32Array(BUCKETS).fill(NONE);
    this.#groups = Array.from({ length: groups }, () => new FlowGroup(next));
  }

  /** Sets what CoDel accepts indefinitely, and how fast senders respond; in microseconds. */
  adapt(targetUs: number, spacingUs: number): void {
    this.#codel.targetUs = targetUs;
    this.#codel.spacingUs = spacingUs;
  }

  /** Whether a packet is waiting that must not. */
  get hasExpress(): boolean {
    return this.#expressHead !== NONE || this.#urgent.first !== NONE;
  }

  /** Whether another packet may be among them. */
  get hasExpressRoom(): boolean {
    return this.#expressPackets < EXPRESS_LIMIT;
  }

  /** Whether any packet waits for its flow's turn. */
  get hasFlows(): boolean {
    return this.packets > this.#expressPackets;
  }

  /** Bytes that wait in a group. O(its flows). */
  bytesOf(group: number): number {
    return this.#groups[group]!.sum(this.#backlog);
  }

  /** Flows of a group that have a turn: something of theirs waits, or did a round ago. */
  flowsOf(group: number): number {
    return this.#groups[group]!.flows;
  }

  /** The express packet to be served next; -1 when there is none. */
  get firstExpress(): number {
    if (this.#expressHead !== NONE) return this.#expressHead;
    const bucket = this.#urgent.first;
    return bucket === NONE ? NONE : this.#head[bucket]!;
  }

  /** The packet at the head of the flow of a group that is to be served next; -1: there is none. */
  firstSlotOf(group: number): number {
    const bucket = this.#groups[group]!.firstWaiting(this.#head);
    return bucket === NONE ? NONE : this.#head[bucket]!;
  }

  /** Whether any packet of a group waits in its flow's turn. O(its flows), nearly always O(1). */
  hasFlowsOf(group: number): boolean {
    return this.#groups[group]!.firstWaiting(this.#head) !== NONE;
  }

  /** Puts a flow, with what waits of it, into a group. O(flows of its old group). */
  assign(bucket: number, group: number): void {
    const from = this.#groups[this.#group[bucket]!]!;
    const to = this.#groups[group]!;
    if (from === to) return;
    this.#group[bucket] = group;
    if (this.#state[bucket] === IDLE) return;
    const isNew = this.#state[bucket] === NEW;
    (isNew ? from.newFlows : from.oldFlows).remove(bucket);
    (isNew ? to.newFlows : to.oldFlows).push(bucket);
    from.flows--;
    to.flows++;
  }

  /** The flow of a group whose turn is next, or -1. */
  firstOf(group: number): number {
    return this.#groups[group]!.first;
  }

  /**
   * Microseconds that the oldest packet of the flow to be served next in a group has waited; 0
   * when there is none.
   */
  headSojournUs(now: number, group = 0): number {
    const bucket = this.#groups[group]!.firstWaiting(this.#head);
    return bucket === NONE ? 0 : now - this.#enqueuedAtUs[this.#head[bucket]!]!;
  }

  /**
   * Appends a packet that must not wait and needs no order. Falls back to {@linkcode push} when
   * there are too many.
   */
  pushExpress(now: number, slot: number, bucket: number): void {
    if (!this.hasExpressRoom) return this.push(now, slot, bucket);
    this.#pool.next[slot] = NONE;
    if (this.#expressHead === NONE) this.#expressHead = slot;
    else this.#pool.next[this.#expressTail] = slot;
    this.#expressTail = slot;
    this.#expressPackets++;
    this.#count(slot, 1);
  }

  /** Takes out the oldest express packet; -1 when there is none. */
  shiftExpress(): number {
    const slot = this.#expressHead;
    if (slot === NONE) return this.#shiftUrgent();
    this.#expressHead = this.#pool.next[slot]!;
    this.#expressPackets--;
    this.#count(slot, -1);
    return slot;
  }

  /** Appends a packet to its flow; `urgent`: it goes first unless the flow fills the links. */
  push(now: number, slot: number, bucket: number, urgent = false): void {
    this.#enqueuedAtUs[slot] = now;
    this.#pool.next[slot] = NONE;
    if (this.#head[bucket] === NONE) this.#head[bucket] = slot;
    else this.#pool.next[this.#tail[bucket]!] = slot;
    this.#tail[bucket] = slot;
    const waiting = this.#backlog[bucket]!;
    const length = this.#pool.lengths[slot]!;
    if (urgent) this.#urgent.add(bucket, length, waiting);
    this.#backlog[bucket] = waiting + length;
    this.#count(slot, 1);
    if (this.#state[bucket] === IDLE) {
      this.#state[bucket] = NEW;
      this.#deficit[bucket] = QUANTUM_BYTES;
      const group = this.#groups[this.#group[bucket]!]!;
      group.newFlows.push(bucket);
      group.flows++;
    }
    if (this.packets > this.#limit) this.#dropFromLongest();
  }

  /**
   * Takes the next packet out of a group by deficit round robin; -1 when none waits there.
   * CoDel may drop or mark on the way, but only if `mayDrop`.
   */
  shift(now: number, mayDrop: boolean, group = 0): number {
    const flows = this.#groups[group]!;
    for (;;) {
      const fromNew = flows.newFlows.head !== NONE;
      const list = fromNew ? flows.newFlows : flows.oldFlows;
      const bucket = list.head;
      if (bucket === NONE) return NONE;
      if (this.#deficit[bucket]! <= 0) {
        this.#deficit[bucket] = this.#deficit[bucket]! + QUANTUM_BYTES;
        this.#toOld(flows, list, bucket);
        continue;
      }
      const slot = this.#shiftFlow(now, bucket, mayDrop);
      if (slot === NONE) {
        if (fromNew) this.#toOld(flows, list, bucket);
        else this.#retire(flows, list);
        continue;
      }
      this.#deficit[bucket] = this.#deficit[bucket]! - this.#pool.lengths[slot]!;
      this.bucket = bucket;
      return slot;
    }
  }

  /** Drops everything. */
  clear(release: (slot: number) => void): void {
    for (let slot = this.shiftExpress(); slot !== NONE; slot = this.shiftExpress()) release(slot);
    for (let group = 0; group < this.#groups.length; group++) {
      for (;;) {
        const slot = this.shift(0, false, group);
        if (slot === NONE) break;
        release(slot);
      }
    }
  }

  #toOld(group: FlowGroup, list: BucketList, bucket: number): void {
    list.shift();
    this.#state[bucket] = OLD;
    group.oldFlows.push(bucket);
  }

  /** The flow at the head of a list of old ones has nothing left: its turn is over. */
  #retire(group: FlowGroup, list: BucketList): void {
    this.#state[list.shift()] = IDLE;
    group.flows--;
  }

  #shiftUrgent(): number {
    const bucket = this.#urgent.first;
    if (bucket === NONE) return NONE;
    const slot = this.#shiftHead(bucket);
    if (this.#head[bucket] === NONE) this.#leave(bucket);
    return slot;
  }

  /** Nothing of a flow waits for its turn any more: it has none. O(flows of its list). */
  #leave(bucket: number): void {
    const group = this.#groups[this.#group[bucket]!]!;
    (this.#state[bucket] === NEW ? group.newFlows : group.oldFlows).remove(bucket);
    this.#state[bucket] = IDLE;
    group.flows--;
  }

  #shiftFlow(now: number, bucket: number, mayDrop: boolean): number {
    for (;;) {
      const slot = this.#shiftHead(bucket);
      if (slot === NONE) return NONE;
      if (!mayDrop) {
        this.#codel.excuse(bucket);
        return slot;
      }
      const sojournUs = now - this.#enqueuedAtUs[slot]!;
      const verdict = this.#codel.judge(bucket, now, sojournUs, this.#head[bucket] === NONE);
      if (verdict === "pass") return slot;
      if (this.#mark(slot)) {
        this.#codel.noteMarked(bucket, now, sojournUs);
        return slot;
      }
      this.#onDrop(slot, "codel");
    }
  }

  #shiftHead(bucket: number): number {
    const slot = this.#head[bucket]!;
    if (slot === NONE) return NONE;
    this.#head[bucket] = this.#pool.next[slot]!;
    const length = this.#pool.lengths[slot]!;
    this.#urgent.remove(bucket, length);
    this.#backlog[bucket] = this.#backlog[bucket]! - length;
    this.#count(slot, -1);
    return slot;
  }

  #dropFromLongest(): void {
    let longest = 0;
    for (let bucket = 1; bucket < BUCKETS; bucket++) {
      if (this.#backlog[bucket]! > this.#backlog[longest]!) longest = bucket;
    }
    const slot = this.#shiftHead(longest);
    if (slot !== NONE) this.#onDrop(slot, "queue-full");
  }

  #count(slot: number, sign: 1 | -1): void {
    this.packets += sign;
    this.bytes += sign * this.#pool.lengths[slot]!;
  }
}
