/**
 * Headers that a peer's packets may refer to, and what comes of those that do.
 *
 * A reference counts as soon as it arrives, whatever becomes of its packet: the peer refers only to
 * what was acknowledged. One that is not here, or no more, is the peer's mistake.
 *
 * @module
 */

import { MOST_PACKET_BYTES, PACKET_OFFSET, type PacketPool } from "../slab.ts";
import {
  DATA_HEADER_BYTES,
  lacksChecksum,
  readBucket,
  readGlobalSequence,
  readReference,
} from "../wire/data.ts";
import { HeaderReader } from "../wire/header_reader.ts";
import { CONTEXTS, HeaderStore, KEPT, placeOf } from "../wire/header_store.ts";
import { parseTransport, TransportInfo } from "../wire/transport.ts";

/** The references of one peer. */
export class HeaderReferences {
  readonly #pool: PacketPool;
  readonly #info = new TransportInfo();
  readonly #reader = new HeaderReader();
  readonly #store = new HeaderStore();
  /** Of each place: the global sequence of the packet that brought what is there. */
  readonly #sequences = new Uint32Array(CONTEXTS * KEPT);

  constructor(pool: PacketPool) {
    this.#pool = pool;
  }

  /** The peer has restarted, and with it the numbers. */
  reset(): void {
    this.#store.clear();
  }

  /**
   * Keeps the headers of the packet in `slot`, a reference of `length` bytes, unless it comes late:
   * later ones may be in use.
   */
  keep(slot: number, length: number): void {
    const { bytes } = this.#pool;
    const at = this.#pool.at(slot) + PACKET_OFFSET;
    const header = at - DATA_HEADER_BYTES;
    if (!parseTransport(bytes, at, length, this.#info)) return;
    const number = readReference(bytes, header);
    const place = placeOf(readBucket(bytes, header), number);
    if (this.#store.isTaken(place) && this.#after(header, place) < 0) return;
    this.#sequences[place] = readGlobalSequence(bytes, header);
    this.#store.put(place, number, bytes, at, this.#info.headerBytes);
  }

  /**
   * Makes the compressed packet of `length` bytes in `slot` what it was. Returns its bytes; 0 when
   * it is malformed, or refers to what is not known.
   */
  expand(slot: number, length: number): number {
    const { bytes } = this.#pool;
    const at = this.#pool.at(slot) + PACKET_OFFSET;
    const header = at - DATA_HEADER_BYTES;
    const number = readReference(bytes, header);
    const place = placeOf(readBucket(bytes, header), number);
    const store = this.#store;
    // What refers was numbered after its reference: an older one means another of the same number.
    if (!store.has(place, number) || this.#after(header, place) <= 0) return 0;
    const reader = this.#reader;
    const hasChecksum = !lacksChecksum(bytes, header);
    const end = at + length;
    const from = store.at(place);
    if (!reader.read(bytes, at, end, hasChecksum, store.bytes, from, store.lengthOf(place))) {
      return 0;
    }
    return reader.expand(bytes, at, end, MOST_PACKET_BYTES);
  }

  /** By how many packets the one under `header` was numbered after the reference in a place. */
  #after(header: number, place: number): number {
    return readGlobalSequence(this.#pool.bytes, header) - this.#sequences[place]! | 0;
  }
}
