/**
 * Packet memory: fixed-size slots in one allocation, passed around by number.
 *
 * Nothing on the packet path allocates: a packet is read into a slot, queued,
 * sealed, retained until it is acknowledged and released, and what moves
 * between the layers is the slot's number.
 *
 * A slot has one *body*, the bytes that an AEAD seals or opens, at an offset
 * that is the same for every slot of a slab. A platform can therefore compute
 * the address of every body once.
 *
 * @module
 */

import { DATA_HEADER_BYTES } from "./wire/data.ts";
import { OUTER_HEADER_BYTES } from "./wire/datagram.ts";

/** Bytes of one slot; a whole outer datagram fits. */
export const SLOT_BYTES = 2048;
/** Where a packet starts in a slot of a {@linkcode PacketPool}. */
export const PACKET_OFFSET = 64;
/** Where the plaintext body (frames) starts in a slot of a {@linkcode PacketPool}. */
export const PLAIN_OFFSET: number = PACKET_OFFSET - DATA_HEADER_BYTES;
/** Largest inner packet in bytes: what a slot holds besides headers and tag. */
export const MAX_PACKET_BYTES = 1900;
/** Longest packet that a slot can hold; a peer may send more than {@linkcode MAX_PACKET_BYTES}. */
export const MOST_PACKET_BYTES: number = SLOT_BYTES - PACKET_OFFSET;
/**
 * Bytes behind the slots of a {@linkcode PacketPool}: one packet of up to 64 KiB that is yet to
 * be cut (IPv6: 65,575 bytes), at {@linkcode PACKET_OFFSET} as in a slot.
 */
export const STAGING_BYTES = 68 * 1024;

/** Fixed-size slots in one allocation. */
export class Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;

  /**
   * @param bodyOffset where the sealed or plain body starts in every slot
   * @param spareBytes memory behind the last slot, for the code that fills the slots
   */
  constructor(readonly count: number, readonly bodyOffset: number, spareBytes = 0) {
    this.bytes = new Uint8Array(count * SLOT_BYTES + spareBytes);
  }

  /** Where the last slot ends in {@linkcode bytes}. */
  get end(): number {
    return this.count * SLOT_BYTES;
  }

  /** Returns where `slot` starts in {@linkcode bytes}. */
  at(slot: number): number {
    return slot * SLOT_BYTES;
  }
}

/** A slab for outer datagrams: header, ciphertext, tag from the slot's first byte. */
export class DatagramSlab extends Slab {
  constructor(count: number, spareBytes = 0) {
    super(count, OUTER_HEADER_BYTES, spareBytes);
  }
}

/**
 * The slots inner packets live in. Free slots are reused last-in first-out, so
 * that the touched memory stays as small as the packets in flight.
 */
export class PacketPool extends Slab {
  /** Length of the packet in each slot, from {@linkcode PACKET_OFFSET}, in bytes. */
  readonly lengths: Uint16Array<ArrayBuffer>;
  /** One link per slot for intrusive lists; belongs to the owner of the slot. */
  readonly next: Int32Array<ArrayBuffer>;
  /**
   * 1 for each packet whose transport checksum is not filled in. Then the field is meaningless, and
   * the code that takes the packet out of the tunnel computes it.
   */
  readonly needsChecksum: Uint8Array<ArrayBuffer>;
  /** The memory of {@linkcode bytes} in words of this machine, for sums and copies. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** Where in {@linkcode bytes} the {@linkcode STAGING_BYTES} start. */
  readonly stagingAt: number;
  readonly #free: Int32Array;
  #available: number;

  constructor(count: number) {
    super(count, PLAIN_OFFSET, STAGING_BYTES);
    this.stagingAt = this.at(count);
    this.words = new Uint32Array(this.bytes.buffer);
    this.lengths = new Uint16Array(count);
    this.needsChecksum = new Uint8Array(count);
    this.next = new Int32Array(count).fill(-1);
    this.#free = Int32Array.from({ length: count }, (_, i) => count - 1 - i);
    this.#available = count;
  }

  /** Slots that {@linkcode alloc} can still return. */
  get available(): number {
    return this.#available;
  }

  /** Returns a free slot, with {@linkcode needsChecksum} cleared; -1 when there is none. */
  alloc(): number {
    if (this.#available === 0) return -1;
    const slot = this.#free[--this.#available]!;
    this.needsChecksum[slot] = 0;
    return slot;
  }

  /** Gives `slot` back. Releasing a slot twice is a bug in the caller. */
  release(slot: number): void {
    this.#free[this.#available++] = slot;
  }

  /** Returns the packet in `slot` as a view: for tests and slow paths. */
  packet(slot: number): Uint8Array<ArrayBuffer> {
    const start = this.at(slot) + PACKET_OFFSET;
    return this.bytes.subarray(start, start + this.lengths[slot]!);
  }
}
