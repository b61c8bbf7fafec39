/**
 * The internet checksum (RFC 1071), over the memory of a packet pool.
 *
 * Words of 32 bits are read in the machine's byte order, and their halves added up without carries:
 * since 2^16 = 1 modulo 2^16 - 1 the total folds to 16 bits at the end. On a little-endian machine
 * the only difference is that the result has its bytes swapped. Halves, because V8 adds small
 * integers a third faster than sums of whole words, which are too large to be small integers.
 *
 * @module
 */

import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { fold, sumOfBytes } from "../wire/checksum.ts";
import { writeU16 } from "../wire/field.ts";
import { IPV4_CHECKSUM, IPV4_SOURCE, IPV6_SOURCE, PROTOCOL_UDP } from "../wire/ip_layout.ts";
import { parseTransport, TransportInfo } from "../wire/transport.ts";

/** Both addresses, which are adjacent. */
const IPV4_ADDRESSES_BYTES = 8;
const IPV6_ADDRESSES_BYTES = 32;

/**
 * Returns the folded sum, not complemented, of the `length` bytes at `at`, at most 128 KiB. Fast
 * when `at` is a multiple of 4, as all headers in a slot are.
 */
export function sumOf(pool: PacketPool, at: number, length: number): number {
  if ((at & 3) !== 0) return sumOfBytes(pool.bytes, at, length);
  const { words } = pool;
  const end = at + length >> 2;
  let low = 0;
  let high = 0;
  for (let i = at >> 2; i < end; i++) {
    const word = words[i]! | 0;
    low = low + (word & 0xffff) | 0;
    high = high + (word >>> 16) | 0;
  }
  const folded = fold(low + high);
  const swapped = (folded & 0xff) << 8 | folded >> 8;
  const rest = length & 3;
  return rest === 0 ? swapped : fold(swapped + sumOfBytes(pool.bytes, at + length - rest, rest));
}

/**
 * Returns the folded sum of the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1) of
 * the packet at `at`, for `length` bytes of transport header and payload.
 */
export function pseudoSum(
  pool: PacketPool,
  at: number,
  version: 4 | 6,
  protocol: number,
  length: number,
): number {
  const addresses = version === 4
    ? sumOf(pool, at + IPV4_SOURCE, IPV4_ADDRESSES_BYTES)
    : sumOf(pool, at + IPV6_SOURCE, IPV6_ADDRESSES_BYTES);
  return fold(addresses + protocol + length);
}

/** Tells whether the transport checksum of a packet that `info` describes is right. */
export function isChecksumRight(
  pool: PacketPool,
  at: number,
  length: number,
  info: TransportInfo,
): boolean {
  const transportBytes = length - info.ipBytes;
  const pseudo = pseudoSum(pool, at, info.version, info.protocol, transportBytes);
  return fold(pseudo + sumOf(pool, at + info.ipBytes, transportBytes)) === 0xffff;
}

const filled = new TransportInfo();

/**
 * Fills in the transport checksum that the packet in `slot` lacks. Returns false, and changes
 * nothing, when there is no place for one. For interfaces whose kernel cannot do it.
 */
export function fillChecksum(pool: PacketPool, slot: number): boolean {
  const { bytes } = pool;
  const at = pool.at(slot) + PACKET_OFFSET;
  const length = pool.lengths[slot]!;
  if (!parseTransport(bytes, at, length, filled)) return false;
  const transportBytes = length - filled.ipBytes;
  writeU16(bytes, at + filled.checksumAt, 0);
  const pseudo = pseudoSum(pool, at, filled.version, filled.protocol, transportBytes);
  const sum = ~fold(pseudo + sumOf(pool, at + filled.ipBytes, transportBytes)) & 0xffff;
  // In UDP 0 means "no checksum", and the other zero is sent instead (RFC 768).
  writeU16(bytes, at + filled.checksumAt, sum === 0 && filled.protocol === PROTOCOL_UDP ? ~0 : sum);
  pool.needsChecksum[slot] = 0;
  return true;
}

/** Writes the header checksum of the IPv4 header of `headerBytes` at `at`. */
export function writeIpv4Checksum(pool: PacketPool, at: number, headerBytes: number): void {
  writeU16(pool.bytes, at + IPV4_CHECKSUM, 0);
  writeU16(pool.bytes, at + IPV4_CHECKSUM, ~sumOf(pool, at, headerBytes));
}
