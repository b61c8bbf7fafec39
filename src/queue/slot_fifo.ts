/**
 * Slots in the order they came, chained through the pool, so without memory of its own.
 *
 * @module
 */

import type { PacketPool } from "../slab.ts";

/** A first-in first-out list of slots that the list owns. */
export class SlotFifo {
  count = 0;
  readonly #pool: PacketPool;
  #head = -1;
  #tail = -1;

  constructor(pool: PacketPool) {
    this.#pool = pool;
  }

  push(slot: number): void {
    this.#pool.next[slot] = -1;
    if (this.#head < 0) this.#head = slot;
    else this.#pool.next[this.#tail] = slot;
    this.#tail = slot;
    this.count++;
  }

  /** The oldest slot, or -1. */
  get first(): number {
    return this.#head;
  }

  /** Takes out the oldest slot; -1 when there is none. */
  shift(): number {
    const slot = this.#head;
    if (slot < 0) return -1;
    this.#head = this.#pool.next[slot]!;
    this.count--;
    return slot;
  }

  /** Passes every slot to `release`. */
  clear(release: (slot: number) => void): void {
    for (let slot = this.shift(); slot >= 0; slot = this.shift()) release(slot);
  }
}
