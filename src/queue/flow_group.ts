/**
 * Flows that take turns with each other and with no others: the two lists of FQ-CoDel
 * (RFC 8290 section 4), flows that are new and flows that have had their first turn.
 *
 * @module
 */

/** No bucket, no slot. */
export const NONE = -1;

/** A singly linked list of bucket numbers. */
export class BucketList {
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

  /** Takes a bucket out from anywhere; returns whether it was there. O(buckets). */
  remove(bucket: number): boolean {
    let before = NONE;
    let at = this.head;
    while (at !== bucket) {
      if (at === NONE) return false;
      before = at;
      at = this.#next[at]!;
    }
    if (before === NONE) this.head = this.#next[bucket]!;
    else this.#next[before] = this.#next[bucket]!;
    if (this.#tail === bucket) this.#tail = before;
    return true;
  }

  /** The sum of the entries of its buckets in `values`. */
  sum(values: Float64Array): number {
    let sum = 0;
    for (let at = this.head; at !== NONE; at = this.#next[at]!) sum += values[at]!;
    return sum;
  }

  /** The first bucket that has a packet, by its entry in `heads`; -1 for none. */
  firstWaiting(heads: Int32Array): number {
    let bucket = this.head;
    while (bucket !== NONE && heads[bucket] === NONE) bucket = this.#next[bucket]!;
    return bucket;
  }
}

/** The flows of a group that have something to send, or had lately. */
export class FlowGroup {
  /** Flows in it that have a turn. */
  flows = 0;
  readonly newFlows: BucketList;
  readonly oldFlows: BucketList;

  /** @param next chains the buckets of all groups: each is in one list */
  constructor(next: Int32Array) {
    this.newFlows = new BucketList(next);
    this.oldFlows = new BucketList(next);
  }

  /** The bucket whose turn is next, or -1. */
  get first(): number {
    return this.newFlows.head === NONE ? this.oldFlows.head : this.newFlows.head;
  }

  /** The sum of the entries of its buckets in `values`. */
  sum(values: Float64Array): number {
    return this.newFlows.sum(values) + this.oldFlows.sum(values);
  }

  /** The first bucket in turn that has a packet, by its entry in `heads`; -1 for none. */
  firstWaiting(heads: Int32Array): number {
    const bucket = this.newFlows.firstWaiting(heads);
    return bucket === NONE ? this.oldFlows.firstWaiting(heads) : bucket;
  }
}
