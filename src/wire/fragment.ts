/**
 * Fragments of IPv4 packets that may be cut, as a router makes them for a narrower link.
 *
 * Sources: RFC 791 section 3.2, RFC 1812 section 4.2.2.7.
 *
 * @module
 */

import { sumOfBytes } from "./checksum.ts";
import { readU16, writeU16 } from "./field.ts";
import {
  IPV4_BYTES,
  IPV4_CHECKSUM,
  IPV4_DONT_FRAGMENT,
  IPV4_FRAGMENT,
  IPV4_MORE_FRAGMENTS,
  IPV4_OFFSET,
  IPV4_TOTAL_LENGTH,
  ipv4HeaderBytes,
} from "./ip_layout.ts";

/** Fragments begin at multiples of this, in bytes. */
const UNIT_BYTES = 8;
const FIRST_BYTE = 0x45;

/**
 * Whether the packet at `at` may be cut into fragments of at most `mtu` bytes. Headers with options
 * are left alone: only some of those belong into every fragment, and hardly anybody sends them.
 */
export function mayFragment(bytes: Uint8Array, at: number, mtu: number): boolean {
  if (bytes[at] !== FIRST_BYTE || mtu < IPV4_BYTES + UNIT_BYTES) return false;
  return (readU16(bytes, at + IPV4_FRAGMENT) & IPV4_DONT_FRAGMENT) === 0;
}

/** Bytes of payload in each fragment but the last. */
export function fragmentPayload(mtu: number): number {
  return Math.floor((mtu - IPV4_BYTES) / UNIT_BYTES) * UNIT_BYTES;
}

/**
 * Writes to `at` of `out` the fragment that begins `offset` bytes into the payload of the packet at
 * `packetAt`; its payload is at most {@linkcode fragmentPayload} of `mtu`. Returns its length in
 * bytes. The packet must be one that {@linkcode mayFragment}, `offset` a multiple of that payload and
 * less than the packet's.
 */
export function writeFragment(
  out: Uint8Array,
  at: number,
  packet: Uint8Array,
  packetAt: number,
  offset: number,
  mtu: number,
): number {
  const header = ipv4HeaderBytes(packet, packetAt);
  const payload = readU16(packet, packetAt + IPV4_TOTAL_LENGTH) - header;
  const size = Math.min(fragmentPayload(mtu), payload - offset);
  const from = packetAt + header + offset;
  out.set(packet.subarray(packetAt, packetAt + header), at);
  out.set(packet.subarray(from, from + size), at + header);
  const before = readU16(packet, packetAt + IPV4_FRAGMENT);
  // What is cut may be a fragment itself, with others behind it.
  const more = offset + size < payload ? IPV4_MORE_FRAGMENTS : before & IPV4_MORE_FRAGMENTS;
  writeU16(out, at + IPV4_FRAGMENT, more | (before & IPV4_OFFSET) + offset / UNIT_BYTES);
  writeU16(out, at + IPV4_TOTAL_LENGTH, header + size);
  writeU16(out, at + IPV4_CHECKSUM, 0);
  writeU16(out, at + IPV4_CHECKSUM, ~sumOfBytes(out, at, header));
  return header + size;
}
