/**
 * Sends headers as differences from one that the other end is known to have.
 *
 * A packet of a flow is sent whole, marked as a reference, and from its acknowledgement on the flow's
 * packets refer to it, wherever they leave and whatever is lost. Now and then another takes its
 * place, so that the differences remain short. The packet is compressed in its slot, when it leaves
 * for the first time: a copy, or one that is sent again, is the same.
 *
 * @module
 */

import { MOST_PACKET_BYTES, PACKET_OFFSET, type PacketPool, PLAIN_OFFSET } from "../slab.ts";
import {
  clearReference,
  DATA_COMPRESSED,
  DATA_REFERENCE,
  isCompressed,
  isReference,
  markReference,
  readBucket,
  readReference,
} from "../wire/data.ts";
import { compressHeader, MAX_COMPRESSED_BYTES } from "../wire/header_compression.ts";
import { HeaderReader } from "../wire/header_reader.ts";
import { CONTEXTS, HeaderStore, KEPT, NUMBERS, placeOf } from "../wire/header_store.ts";
import { PROTOCOL_TCP, SYN, TCP_FLAGS } from "../wire/ip_layout.ts";
import { parseTransport, TransportInfo } from "../wire/transport.ts";

/** A reference is renewed when it is older, in microseconds; one of UDP hardly ages. */
const RENEW_US = { tcp: 1_000_000, udp: 10_000_000 } as const;
/** One that was not acknowledged is given up, in microseconds. */
const LOST_US = 3_000_000;
/** Another flow takes over what a flow has not used for this long, in microseconds. */
const IDLE_US = 500_000;
const NONE = -1;

/** Compresses what is sent to one peer. Instants in microseconds. */
export class HeaderCompressor {
  /** Whether the peer understands it. */
  enabled = false;
  readonly #pool: PacketPool;
  readonly #info = new TransportInfo();
  readonly #out = new Uint8Array(MAX_COMPRESSED_BYTES);
  readonly #reader = new HeaderReader();
  /** Of each context: the number of the newest reference, and when it was first sent. */
  readonly #newest = new Uint8Array(CONTEXTS);
  readonly #sentAtUs = new Float64Array(CONTEXTS).fill(-Infinity);
  /** ... of the one that the peer has, and of the one that it may have: {@linkcode NONE}. */
  readonly #known = new Int8Array(CONTEXTS).fill(NONE);
  readonly #pending = new Int8Array(CONTEXTS).fill(NONE);
  readonly #usedAtUs = new Float64Array(CONTEXTS);
  readonly #store = new HeaderStore();

  constructor(pool: PacketPool) {
    this.#pool = pool;
  }

  /** The peer knows nothing of what it was sent. */
  reset(): void {
    this.#known.fill(NONE);
    this.#pending.fill(NONE);
  }

  /**
   * The packet in `slot` leaves for the first time, under a header that is already written: compresses
   * it, or makes it a reference, if either is of use.
   */
  handlePacket(now: number, slot: number): void {
    const pool = this.#pool;
    const { bytes } = pool;
    const start = pool.at(slot);
    const length = pool.lengths[slot]!;
    if (!parseTransport(bytes, start + PACKET_OFFSET, length, this.#info)) return;
    const context = readBucket(bytes, start + PLAIN_OFFSET) % CONTEXTS;
    const known = this.#known[context]!;
    const ageUs = now - this.#sentAtUs[context]!;
    const mayBegin = this.#pending[context] === NONE || ageUs >= LOST_US;
    if (known === NONE) {
      if (mayBegin) this.#begin(now, context, slot);
      return;
    }
    const renewUs = this.#info.protocol === PROTOCOL_TCP ? RENEW_US.tcp : RENEW_US.udp;
    const isOld = mayBegin && ageUs >= renewUs;
    const bytesOut = this.#describe(slot, context, known);
    if (bytesOut > 0) {
      this.#usedAtUs[context] = now;
      if (isOld) this.#begin(now, context, slot);
      else this.#compress(slot, bytesOut, known);
    } else if (mayBegin && now - this.#usedAtUs[context]! >= IDLE_US) {
      this.#begin(now, context, slot);
    }
  }

  /** The packet in `slot` was acknowledged. */
  handleDelivered(slot: number): void {
    const { bytes } = this.#pool;
    const at = this.#pool.at(slot) + PLAIN_OFFSET;
    if (!isReference(bytes, at)) return;
    const context = readBucket(bytes, at) % CONTEXTS;
    const number = readReference(bytes, at);
    if (this.#pending[context] !== number) return;
    this.#pending[context] = NONE;
    this.#known[context] = number;
  }

  /** The packet in `slot` is sent again: a reference that another has replaced is none any more. */
  handleResent(slot: number): void {
    const { bytes } = this.#pool;
    const at = this.#pool.at(slot) + PLAIN_OFFSET;
    if (!isReference(bytes, at)) return;
    const context = readBucket(bytes, at) % CONTEXTS;
    if (readReference(bytes, at) !== this.#newest[context]) clearReference(bytes, at);
  }

  /**
   * Makes the packet in `slot` what it was before it was first sent. Returns false when its reference
   * was replaced meanwhile: nobody can tell any more what it was.
   */
  restore(slot: number): boolean {
    const pool = this.#pool;
    const { bytes, lengths } = pool;
    const header = pool.at(slot) + PLAIN_OFFSET;
    if (!isCompressed(bytes, header)) return true;
    const at = pool.at(slot) + PACKET_OFFSET;
    const number = readReference(bytes, header);
    const place = placeOf(readBucket(bytes, header), number);
    const store = this.#store;
    if (!store.has(place, number)) return false;
    const hasChecksum = pool.needsChecksum[slot] === 0;
    const end = at + lengths[slot]!;
    const from = store.at(place);
    this.#reader.read(bytes, at, end, hasChecksum, store.bytes, from, store.lengthOf(place));
    lengths[slot] = this.#reader.expand(bytes, at, end, MOST_PACKET_BYTES);
    clearReference(bytes, header);
    return true;
  }

  /** Writes the headers of `slot` to #out as differences; returns how many bytes, 0: they cannot. */
  #describe(slot: number, context: number, number: number): number {
    const at = this.#pool.at(slot) + PACKET_OFFSET;
    const checksum = this.#pool.needsChecksum[slot] === 0;
    const from = this.#store.at(placeOf(context, number));
    const { bytes } = this.#pool;
    const bytesOut = compressHeader(bytes, at, checksum, this.#store.bytes, from, this.#out);
    return bytesOut < this.#info.headerBytes ? bytesOut : 0;
  }

  #compress(slot: number, bytesOut: number, number: number): void {
    const { bytes, lengths } = this.#pool;
    const at = this.#pool.at(slot) + PACKET_OFFSET;
    const { headerBytes } = this.#info;
    const length = lengths[slot]!;
    bytes.copyWithin(at + bytesOut, at + headerBytes, at + length);
    for (let i = 0; i < bytesOut; i++) bytes[at + i] = this.#out[i]!;
    lengths[slot] = length - headerBytes + bytesOut;
    markReference(bytes, at - PACKET_OFFSET + PLAIN_OFFSET, DATA_COMPRESSED, number);
  }

  #begin(now: number, context: number, slot: number): void {
    const { headerBytes, ipBytes, protocol } = this.#info;
    const { bytes } = this.#pool;
    const at = this.#pool.at(slot) + PACKET_OFFSET;
    // What a connection begins with looks like nothing that follows.
    if (protocol === PROTOCOL_TCP && (bytes[at + ipBytes + TCP_FLAGS]! & SYN) !== 0) return;
    const next = (this.#newest[context]! + 1) % NUMBERS;
    // The reference in use keeps its place until another is known.
    const known = this.#known[context]!;
    const number = known !== NONE && next % KEPT === known % KEPT ? (next + 1) % NUMBERS : next;
    this.#store.put(placeOf(context, number), number, bytes, at, headerBytes);
    this.#newest[context] = this.#pending[context] = number;
    this.#sentAtUs[context] = this.#usedAtUs[context] = now;
    markReference(bytes, at - PACKET_OFFSET + PLAIN_OFFSET, DATA_REFERENCE, number);
  }
}
