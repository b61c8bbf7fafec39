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
import {
  CONTEXTS,
  HeaderReader,
  KEPT,
  MAX_HEADER_BYTES,
  placeOf,
} from "../wire/header_compression.ts";
import { parseTransport, TransportInfo } from "../wire/transport.ts";

const NONE = -1;

/** The references of one peer. */
export class HeaderReferences {
  readonly #pool: PacketPool;
  readonly #info = new TransportInfo();
  readonly #reader = new HeaderReader();
  /** Of each place: the number of the reference there, and the length of its headers. */
  readonly #numbers = new Int8Array(CONTEXTS * KEPT).fill(NONE);
  readonly #lengths = new Uint8Array(CONTEXTS * KEPT);
  /** The number among all packets of the one that brought it. */
  readonly #sequences = new Uint32Array(CONTEXTS * KEPT);
  /** Nothing until it is needed. */
  #headers = new Uint8Array(0);

  constructor(pool: PacketPool) {
    this.#pool = pool;
  }

  /** The peer has restarted, and with it the numbers. */
  reset(): void {
    this.#numbers.fill(NONE);
  }

  /** Keeps the headers of the packet in `slot`, a reference of `length` bytes. */
  keep(slot: number, length: number): void {
    const { bytes } = this.#pool;
    const at = this.#pool.at(slot) + PACKET_OFFSET;
    if (!parseTransport(bytes, at, length, this.#info)) return;
    if (this.#headers.length === 0) {
      this.#headers = new Uint8Array(CONTEXTS * KEPT * MAX_HEADER_BYTES);
    }
    const { headerBytes } = this.#info;
    const number = readReference(bytes, at - DATA_HEADER_BYTES);
    const place = placeOf(readBucket(bytes, at - DATA_HEADER_BYTES), number);
    const sequence = readGlobalSequence(bytes, at - DATA_HEADER_BYTES);
    if (this.#numbers[place] !== NONE && (sequence - this.#sequences[place]! | 0) < 0) return;
    this.#sequences[place] = sequence;
    this.#numbers[place] = number;
    this.#lengths[place] = headerBytes;
    this.#headers.set(bytes.subarray(at, at + headerBytes), place * MAX_HEADER_BYTES);
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
    if (this.#numbers[place] !== number) return 0;
    if ((readGlobalSequence(bytes, header) - this.#sequences[place]! | 0) <= 0) return 0;
    const reader = this.#reader;
    const checksum = !lacksChecksum(bytes, header);
    const from = place * MAX_HEADER_BYTES;
    const headerBytes = this.#lengths[place]!;
    if (!reader.read(bytes, at, at + length, checksum, this.#headers, from, headerBytes)) return 0;
    return reader.expand(bytes, at, at + length, MOST_PACKET_BYTES);
  }
}
