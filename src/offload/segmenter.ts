/**
 * Cuts super-packets into packets of the tunnel: what a network card with TSO and USO does, except
 * for the transport checksum, which is left out where allowed.
 *
 * A super-packet can have more segments than its reader has room for, so it is cut piecemeal from
 * where it was read to, the staging memory of the pool.
 *
 * Sources: RFC 9293, RFC 768, RFC 6864 (IPv4 identification), RFC 3168 section 6.1 (CWR);
 * Linux `Documentation/networking/segmentation-offloads.rst`.
 *
 * @module
 */

import { MAX_PACKET_BYTES, PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { fold } from "../wire/checksum.ts";
import { readU16, readU32, writeU16, writeU32 } from "../wire/field.ts";
import {
  CWR,
  FIN,
  IPV4_CHECKSUM,
  IPV4_IDENTIFICATION,
  IPV4_TOTAL_LENGTH,
  IPV6_BYTES,
  IPV6_PAYLOAD_LENGTH,
  PROTOCOL_TCP,
  PSH,
  TCP_FLAGS,
  TCP_SEQUENCE,
  TCP_URGENT,
  UDP_CHECKSUM,
  UDP_LENGTH,
  URG,
} from "../wire/ip_layout.ts";
import { parseTransport, TransportInfo } from "../wire/transport.ts";
import { sumOf } from "./checksum.ts";
import type { Framing } from "./framing.ts";
import { SuperPacket } from "./super_packet.ts";

/** Cuts one super-packet after another. */
export class Segmenter {
  /** Reads that made no sense, which were dropped. */
  malformed = 0;
  /** Packets longer than `MAX_PACKET_BYTES`, which were dropped. */
  oversize = 0;
  readonly #packet: SuperPacket;
  readonly #info = new TransportInfo();
  /** Payload bytes that have been cut, and in how many segments. */
  #offset = 0;
  #index = 0;
  #pending = false;
  /** Of the super-packet: IPv4 identification, and the header's sum without it and the length. */
  #identification = 0;
  #headerSum = 0;
  /** TCP sequence number and urgent pointer; 0 without urgent data. */
  #sequence = 0;
  #urgent = 0;
  /** What the kernel left in place of the checksum: the pseudo header's sum. */
  #pseudo = 0;

  /** @param framing what the interface puts in front of a packet */
  constructor(framing: Framing) {
    this.#packet = new SuperPacket(framing);
  }

  /** Whether {@linkcode cut} has something to cut. */
  get pending(): boolean {
    return this.#pending;
  }

  /** Accepts the `length` bytes in the pool's staging memory; nothing may be pending. */
  load(pool: PacketPool, length: number): void {
    const packet = this.#packet;
    if (!packet.parse(pool, length)) {
      this.malformed++;
      return;
    }
    const payload = packet.payloadBytes;
    const longest = packet.protocol === 0
      ? packet.length
      : packet.headerBytes + Math.min(packet.segmentBytes, payload);
    if (longest > MAX_PACKET_BYTES) {
      this.oversize += packet.protocol === 0 ? 1 : Math.ceil(payload / packet.segmentBytes);
      return;
    }
    this.#pending = true;
    if (packet.protocol !== 0) this.#begin(pool);
  }

  /**
   * Cuts segments into slots taken from `pool` and stores these from `slots[count]` on, until there
   * are `limit` in all. Returns how many there are. O(bytes).
   */
  cut(pool: PacketPool, slots: Int32Array, count: number, limit: number): number {
    while (this.#pending && count < limit) {
      const slot = pool.alloc();
      if (slot < 0) return count;
      if (this.#packet.protocol === 0) this.#copyWhole(pool, slot);
      else this.#cutSegment(pool, slot);
      slots[count++] = slot;
    }
    return count;
  }

  #begin(pool: PacketPool): void {
    const { at, version, ipBytes, protocol, checksumAt } = this.#packet;
    const { bytes } = pool;
    this.#offset = 0;
    this.#index = 0;
    this.#pseudo = readU16(bytes, at + checksumAt);
    if (version === 4) {
      this.#identification = readU16(bytes, at + IPV4_IDENTIFICATION);
      writeU16(bytes, at + IPV4_TOTAL_LENGTH, 0);
      writeU16(bytes, at + IPV4_IDENTIFICATION, 0);
      writeU16(bytes, at + IPV4_CHECKSUM, 0);
      this.#headerSum = sumOf(pool, at, ipBytes);
    }
    if (protocol !== PROTOCOL_TCP) return;
    this.#sequence = readU32(bytes, at + ipBytes + TCP_SEQUENCE);
    const isUrgent = (bytes[at + ipBytes + TCP_FLAGS]! & URG) !== 0;
    this.#urgent = isUrgent ? readU16(bytes, at + ipBytes + TCP_URGENT) : 0;
  }

  /** Copies a packet that needs no cutting. */
  #copyWhole(pool: PacketPool, slot: number): void {
    const packet = this.#packet;
    const target = pool.at(slot) + PACKET_OFFSET;
    const { length, checksumFrom, checksumAt } = packet;
    pool.bytes.copyWithin(target, packet.at, packet.at + length);
    pool.lengths[slot] = length;
    this.#pending = false;
    if (!packet.needsChecksum) return;
    const info = this.#info;
    const mayStay = parseTransport(pool.bytes, target, length, info) &&
      info.ipBytes === checksumFrom && info.checksumAt === checksumAt;
    if (mayStay) pool.needsChecksum[slot] = 1;
    else finishChecksum(pool, target + checksumFrom, length - checksumFrom, target + checksumAt);
  }

  #cutSegment(pool: PacketPool, slot: number): void {
    const { at, headerBytes, segmentBytes, payloadBytes, version, protocol } = this.#packet;
    const offset = this.#offset;
    const size = Math.min(segmentBytes, payloadBytes - offset);
    const target = pool.at(slot) + PACKET_OFFSET;
    const length = headerBytes + size;
    // One copy for both: the header lands on what comes before the payload.
    pool.bytes.copyWithin(target, at + offset, at + offset + length);
    if (offset > 0) copyHeader(pool.words, target, at, headerBytes);
    pool.lengths[slot] = length;
    if (version === 4) this.#finishIpv4(pool.bytes, target, length);
    else writeU16(pool.bytes, target + IPV6_PAYLOAD_LENGTH, length - IPV6_BYTES);
    const isLast = offset + size === payloadBytes;
    if (protocol === PROTOCOL_TCP) this.#finishTcp(pool.bytes, target, isLast);
    else this.#finishUdp(pool.bytes, target, length);
    if (this.#packet.plain) pool.needsChecksum[slot] = 1;
    else this.#fillIn(pool, target, length);
    this.#offset = offset + size;
    this.#index++;
    this.#pending = !isLast;
  }

  #finishIpv4(bytes: Uint8Array, target: number, length: number): void {
    const identification = this.#identification + this.#index & 0xffff;
    writeU16(bytes, target + IPV4_TOTAL_LENGTH, length);
    writeU16(bytes, target + IPV4_IDENTIFICATION, identification);
    writeU16(bytes, target + IPV4_CHECKSUM, ~fold(this.#headerSum + length + identification));
  }

  #finishTcp(bytes: Uint8Array, target: number, isLast: boolean): void {
    const tcp = target + this.#packet.ipBytes;
    const offset = this.#offset;
    writeU32(bytes, tcp + TCP_SEQUENCE, this.#sequence + offset);
    let flags = bytes[tcp + TCP_FLAGS]!;
    if (!isLast) flags &= ~(FIN | PSH);
    if (offset > 0) flags &= ~CWR;
    if ((flags & URG) !== 0) {
      // The pointer counts from the segment's own sequence number; after it nothing is urgent.
      const urgent = Math.max(0, this.#urgent - offset);
      writeU16(bytes, tcp + TCP_URGENT, urgent);
      if (urgent === 0 && offset > 0) flags &= ~URG;
    }
    bytes[tcp + TCP_FLAGS] = flags;
  }

  #finishUdp(bytes: Uint8Array, target: number, length: number): void {
    const { ipBytes } = this.#packet;
    writeU16(bytes, target + ipBytes + UDP_LENGTH, length - ipBytes);
  }

  /** Fills in the checksum: only the kernel knows the pseudo header of such a packet. */
  #fillIn(pool: PacketPool, target: number, length: number): void {
    const { ipBytes, checksumAt, length: superLength } = this.#packet;
    // The sum it left includes the length of the whole.
    const pseudo = fold(this.#pseudo + (~fold(superLength - ipBytes) & 0xffff) + length - ipBytes);
    writeU16(pool.bytes, target + checksumAt, pseudo);
    finishChecksum(pool, target + ipBytes, length - ipBytes, target + checksumAt);
  }
}

function copyHeader(words: Uint32Array, target: number, source: number, bytes: number): void {
  const end = target + bytes >> 2;
  for (let to = target >> 2, from = source >> 2; to < end; to++, from++) words[to] = words[from]!;
}

/** Sums up from `from`, where the field at `fieldAt` holds the pseudo header's sum. */
function finishChecksum(pool: PacketPool, from: number, length: number, fieldAt: number): void {
  const sum = ~sumOf(pool, from, length) & 0xffff;
  // In UDP 0 means "no checksum", and the other zero is sent instead (RFC 768).
  const zero = fieldAt - from === UDP_CHECKSUM ? 0xffff : 0;
  writeU16(pool.bytes, fieldAt, sum === 0 ? zero : sum);
}
