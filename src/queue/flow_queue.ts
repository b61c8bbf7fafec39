/**
 * The one queue of a peer: a FIFO for what must not wait, and after it flows that share by deficit
 * round robin, each kept short by CoDel (FQ-CoDel, RFC 8290).
 *
 * Links pull from it, so nothing is ever committed to a link that stalls. It
 * holds slot numbers of the packet pool, chained through `pool.next`.
 *
 * @module
 */

import type { PacketPool } from "../slab.ts";
import { Codel } from "./codel.ts";

/** Flows are told apart by this many buckets (RFC 8290 section 4.1.1). */
export const BUCKETS = 1024;
/** Bytes a flow may send per round: one packet (RFC 8290 section 5.2.1). */
const QUANTUM_BYTES = 1514;
/** Capacity of the express FIFO in packets: beyond that even urgent packets wait their turn. */
const EXPRESS_LIMIT = 64;

const NONE = -1;
const IDLE = 0;
const NEW = 1;
const OLD = 2;

/** Handles a packet that CoDel or the limit drops: releases its slot, counts it. */
export type DropHandler = (slot: number, reason: "codel" | "queue-full") => void;
/** Marks the packet in `slot` instead of dropping it; false when its sender does not use ECN. */
export type Marker = (slot: number) => boolean;

/** A singly linked list of bucket numbers. */
class BucketList {
  readonly #next: Int32Array;
  head = NONE;
  #tail = NONE;

  constructor(next: Int32Array) {
    this.#next = next;
  }

  push(bucket: number): void {
    this.#next[bucket] = NONE;
    if (this.head === NONE) this.head = bucket;
    else this.#next[this.#tail] = bucket;
    this.#tail = bucket;
  }

  shift(): number {
    const bucket = this.head;
    this.head = this.#next[bucket]!;
    return bucket;
  }

  /** The first bucket that has a packet, by its entry in `heads`; -1 for none. */
  firstWaiting(heads: Int32Array): number {
    let bucket = this.head;
    while (bucket !== NONE && heads[bucket] === NONE) bucket = this.#next[bucket]!;
    return bucket;
  }
}

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
  readonly #enqueuedAt: Float64Array;
  readonly #head = new Int32Array(BUCKETS).fill(NONE);
  readonly #tail = new Int32Array(BUCKETS);
  readonly #backlog = new Float64Array(BUCKETS);
  readonly #deficit = new Int32Array(BUCKETS);
  readonly #state = new Uint8Array(BUCKETS);
  readonly #codel = new Codel(BUCKETS);
  readonly #newFlows: BucketList;
  readonly #oldFlows: BucketList;
  #expressHead = NONE;
  #expressTail = NONE;
  #expressPackets = 0;
  /** Bucket of the packet that {@linkcode shift} returned last. */
  bucket = 0;

  /**
   * @param limit most packets it holds; beyond that the longest flow loses its oldest packet @param
   * enqueuedAt an entry per slot; queues that never hold the same slot may share it
   */
  constructor(
    pool: PacketPool,
    limit: number,
    onDrop: DropHandler,
    mark: Marker,
    enqueuedAt: Float64Array = new Float64Array(pool.count),
  ) {
    this.#pool = pool;
    this.#limit = limit;
    this.#onDrop = onDrop;
    this.#mark = mark;
    this.#enqueuedAt = enqueuedAt;
    const next = new Int32Array(BUCKETS).fill(NONE);
    this.#newFlows = new BucketList(next);
    this.#oldFlows = new BucketList(next);
  }

  /** Sets what CoDel accepts indefinitely, and how fast senders respond; in microseconds. */
  adapt(targetUs: number, spacingUs: number): void {
    this.#codel.targetUs = targetUs;
    this.#codel.spacingUs = spacingUs;
  }

  /** Whether a packet is waiting that must not. */
  get hasExpress(): boolean {
    return this.#expressHead !== NONE;
  }

  /** Whether any packet waits for its flow's turn. */
  get hasFlows(): boolean {
    return this.packets > this.#expressPackets;
  }

  /** Microseconds that the oldest packet of the flow to be served next has waited; 0 when empty. */
  headSojournUs(now: number): number {
    let bucket = this.#newFlows.firstWaiting(this.#head);
    if (bucket === NONE) bucket = this.#oldFlows.firstWaiting(this.#head);
    return bucket === NONE ? 0 : now - this.#enqueuedAt[this.#head[bucket]!]!;
  }

  /** Appends a packet that must not wait. Falls back to {@linkcode push} when there are too many. */
  pushExpress(now: number, slot: number, bucket: number): void {
    if (this.#expressPackets >= EXPRESS_LIMIT) return this.push(now, slot, bucket);
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
    if (slot === NONE) return NONE;
    this.#expressHead = this.#pool.next[slot]!;
    this.#expressPackets--;
    this.#count(slot, -1);
    return slot;
  }

  /** Appends a packet to its flow. */
  push(now: number, slot: number, bucket: number): void {
    this.#enqueuedAt[slot] = now;
    this.#pool.next[slot] = NONE;
    if (this.#head[bucket] === NONE) this.#head[bucket] = slot;
    else this.#pool.next[this.#tail[bucket]!] = slot;
    this.#tail[bucket] = slot;
    this.#backlog[bucket] = this.#backlog[bucket]! + this.#pool.lengths[slot]!;
    this.#count(slot, 1);
    if (this.#state[bucket] === IDLE) {
      this.#state[bucket] = NEW;
      this.#deficit[bucket] = QUANTUM_BYTES;
      this.#newFlows.push(bucket);
    }
    if (this.packets > this.#limit) this.#dropFromLongest();
  }

  /**
   * Takes out the next packet by deficit round robin; -1 when none waits. CoDel may drop or mark in
   * the process, but only if `mayDrop`.
   */
  shift(now: number, mayDrop: boolean): number {
    for (;;) {
      const fromNew = this.#newFlows.head !== NONE;
      const list = fromNew ? this.#newFlows : this.#oldFlows;
      const bucket = list.head;
      if (bucket === NONE) return NONE;
      if (this.#deficit[bucket]! <= 0) {
        this.#deficit[bucket] = this.#deficit[bucket]! + QUANTUM_BYTES;
        this.#toOld(list, bucket);
        continue;
      }
      const slot = this.#shiftFlow(now, bucket, mayDrop);
      if (slot === NONE) {
        if (fromNew) this.#toOld(list, bucket);
        else this.#state[list.shift()] = IDLE;
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
    for (let slot = this.shift(0, false); slot !== NONE; slot = this.shift(0, false)) release(slot);
  }

  #toOld(list: BucketList, bucket: number): void {
    list.shift();
    this.#state[bucket] = OLD;
    this.#oldFlows.push(bucket);
  }

  #shiftFlow(now: number, bucket: number, mayDrop: boolean): number {
    for (;;) {
      const slot = this.#shiftHead(bucket);
      if (slot === NONE) return NONE;
      if (!mayDrop) {
        this.#codel.excuse(bucket);
        return slot;
      }
      const sojournUs = now - this.#enqueuedAt[slot]!;
      const verdict = this.#codel.judge(bucket, now, sojournUs, this.#head[bucket] === NONE);
      if (verdict === "pass" || this.#mark(slot)) return slot;
      this.#onDrop(slot, "codel");
    }
  }

  #shiftHead(bucket: number): number {
    const slot = this.#head[bucket]!;
    if (slot === NONE) return NONE;
    this.#head[bucket] = this.#pool.next[slot]!;
    this.#backlog[bucket] = this.#backlog[bucket]! - this.#pool.lengths[slot]!;
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
