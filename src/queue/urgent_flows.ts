/**
 * Flows of which a packet waits that must not: those have no other queue, since one of two would
 * overtake the other, but they are found at once.
 *
 * A flow is urgent up to its first packet that is not. One of which much waits fills the links
 * itself, whatever its packets say: it takes its turn.
 *
 * @module
 */

import { BucketList, NONE } from "./flow_group.ts";

/** So many bytes of a flow may be urgent: a call's packets of a tenth of a second, and more. */
const MOST_BYTES = 12_000;

/** Finds them by flow bucket. */
export class UrgentFlows {
  /** Urgent bytes at the head of each flow. */
  readonly #bytes: Float64Array;
  readonly #flows: BucketList;

  constructor(buckets: number) {
    this.#bytes = new Float64Array(buckets);
    this.#flows = new BucketList(new Int32Array(buckets).fill(NONE));
  }

  /** The flow that has waited longest for its urgent packets; -1: there is none. */
  get first(): number {
    return this.#flows.head;
  }

  /** An urgent packet joins a flow of which `waiting` bytes wait. */
  add(bucket: number, bytes: number, waiting: number): void {
    const before = this.#bytes[bucket]!;
    if (before !== waiting || before + bytes > MOST_BYTES) return;
    this.#bytes[bucket] = before + bytes;
    if (before === 0) this.#flows.push(bucket);
  }

  /** The head of a flow has left it. */
  remove(bucket: number, bytes: number): void {
    const before = this.#bytes[bucket]!;
    if (before === 0) return;
    this.#bytes[bucket] = before - bytes;
    if (before === bytes) this.#flows.remove(bucket);
  }
}
