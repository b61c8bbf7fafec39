/**
 * The emulator's packet buffers, made once; a packet is a number.
 *
 * @module
 */

/** Bytes of one buffer: an Ethernet packet and some room. */
export const SLOT_BYTES = 2048;

/** A stack of free buffers: the last one given back is the next one used. */
export class Slots {
  readonly views: readonly Uint8Array<ArrayBuffer>[];
  readonly lengths: Int32Array;
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(count: number) {
    const memory = new ArrayBuffer(count * SLOT_BYTES);
    this.views = Array.from(
      { length: count },
      (_, i) => new Uint8Array(memory, i * SLOT_BYTES, SLOT_BYTES),
    );
    this.lengths = new Int32Array(count);
    this.#free = Int32Array.from({ length: count }, (_, i) => count - 1 - i);
    this.#freeCount = count;
  }

  /** A free slot, or -1. */
  take(): number {
    return this.#freeCount === 0 ? -1 : this.#free[--this.#freeCount] ?? -1;
  }

  /** Gives a slot back. */
  release(slot: number): void {
    this.#free[this.#freeCount++] = slot;
  }
}
