/**
 * Which packets of a flow may become one super-packet: those that cutting it reproduces byte for
 * byte. The rules are those by which Linux merges what a network card received.
 *
 * Sources: `inet_gro_receive()` of net/ipv4/af_inet.c, `ipv6_gro_receive()` of
 * net/ipv6/ip6_offload.c, `tcp_gro_receive()` of net/ipv4/tcp_offload.c; RFC 6864 section 4 (the
 * identification of a packet that must not be fragmented means nothing).
 *
 * @module
 */

import type { PacketPool } from "../slab.ts";
import { readU16, readU32 } from "../wire/field.ts";
import {
  ACK,
  FIN,
  IPV4_BYTES,
  IPV4_DONT_FRAGMENT,
  IPV4_DSCP_ECN,
  IPV4_FRAGMENT,
  IPV4_IDENTIFICATION,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  IPV4_TTL,
  IPV6_HOP_LIMIT,
  IPV6_NEXT_HEADER,
  IPV6_SOURCE,
  ipVersion,
  PROTOCOL_TCP,
  PSH,
  TCP_ACKNOWLEDGMENT,
  TCP_BYTES,
  TCP_DATA_OFFSET,
  TCP_FLAGS,
  TCP_SEQUENCE,
  TCP_URGENT,
  TCP_WINDOW,
  UDP_CHECKSUM,
} from "../wire/ip_layout.ts";
import type { TransportInfo } from "../wire/transport.ts";
import { isChecksumRight, sumOf } from "./checksum.ts";

/** How the IPv4 identification goes from one packet of a run to the next. */
export const ID_STEP = { unknown: 0, one: 1, fixed: 2 } as const;

/** Tells whether a packet could be one of several at all; its checksum is looked at later. */
export function isCandidate(
  pool: PacketPool,
  at: number,
  slot: number,
  info: TransportInfo,
  mergesUdp: boolean,
): boolean {
  if (pool.lengths[slot]! <= info.headerBytes) return false;
  if (info.protocol === PROTOCOL_TCP) {
    return (pool.bytes[at + info.ipBytes + TCP_FLAGS]! & ~(PSH | FIN)) === ACK;
  }
  // Having no checksum at all is not the same as having a right one.
  return mergesUdp &&
    (pool.needsChecksum[slot] !== 0 || readU16(pool.bytes, at + info.ipBytes + UDP_CHECKSUM) !== 0);
}

/** A number that packets of one flow have in common. */
export function flowKey(words: Uint32Array, at: number, info: TransportInfo): number {
  const ports = at + info.ipBytes >> 2;
  // Before the ports: both addresses of IPv4, half of the destination of IPv6.
  return words[ports]! ^ words[ports - 1]! ^ Math.imul(words[ports - 2]!, 31) ^ info.protocol;
}

/** Tells whether the packets at `a` and `b` have addresses, protocol and ports in common. */
export function isSameFlow(pool: PacketPool, a: number, b: number, info: TransportInfo): boolean {
  const { bytes, words } = pool;
  if (ipVersion(bytes, a) !== info.version) return false;
  const protocolAt = info.version === 4 ? IPV4_PROTOCOL : IPV6_NEXT_HEADER;
  if (bytes[a + protocolAt] !== bytes[b + protocolAt]) return false;
  const from = a + (info.version === 4 ? IPV4_SOURCE : IPV6_SOURCE) >> 2;
  const delta = b - a >> 2;
  const end = a + info.ipBytes >> 2;
  for (let i = from; i <= end; i++) if (words[i] !== words[i + delta]) return false;
  return true;
}

/** Tells whether the IP headers of two packets of a flow differ at most in length and number. */
export function haveSameIp(pool: PacketPool, a: number, b: number, info: TransportInfo): boolean {
  const { bytes, words } = pool;
  // Traffic class and flow label; hop limit.
  if (info.version === 6) {
    return words[a >> 2] === words[b >> 2] &&
      bytes[a + IPV6_HOP_LIMIT] === bytes[b + IPV6_HOP_LIMIT];
  }
  return bytes[a + IPV4_DSCP_ECN] === bytes[b + IPV4_DSCP_ECN] &&
    readU16(bytes, a + IPV4_FRAGMENT) === readU16(bytes, b + IPV4_FRAGMENT) &&
    bytes[a + IPV4_TTL] === bytes[b + IPV4_TTL];
}

/**
 * Returns how the IPv4 identification continues from the `count` packets of a run, the first of
 * which is at `first`, to the one at `at`: one of {@linkcode ID_STEP}, `unknown` when it does not.
 * `step` is how it went so far.
 */
export function idStep(
  bytes: Uint8Array,
  first: number,
  at: number,
  count: number,
  step: number,
): number {
  const number = readU16(bytes, at + IPV4_IDENTIFICATION);
  const distance = number - readU16(bytes, first + IPV4_IDENTIFICATION) & 0xffff;
  if (distance === count && step !== ID_STEP.fixed) return ID_STEP.one;
  const mayBeFixed = step !== ID_STEP.one &&
    (readU16(bytes, at + IPV4_FRAGMENT) & IPV4_DONT_FRAGMENT) !== 0;
  return distance === 0 && mayBeFixed ? ID_STEP.fixed : ID_STEP.unknown;
}

/** Tells whether two TCP headers differ at most in sequence number, checksum, PSH and FIN. */
export function haveSameTcp(pool: PacketPool, a: number, b: number, info: TransportInfo): boolean {
  const { bytes, words } = pool;
  const one = a + info.ipBytes;
  const other = b + info.ipBytes;
  const delta = other - one >> 2;
  const acknowledgment = one + TCP_ACKNOWLEDGMENT >> 2;
  if (words[acknowledgment] !== words[acknowledgment + delta]) return false;
  if (bytes[one + TCP_DATA_OFFSET] !== bytes[other + TCP_DATA_OFFSET]) return false;
  if (readU16(bytes, one + TCP_WINDOW) !== readU16(bytes, other + TCP_WINDOW)) return false;
  if (readU16(bytes, one + TCP_URGENT) !== readU16(bytes, other + TCP_URGENT)) return false;
  const end = a + info.headerBytes >> 2;
  for (let i = one + TCP_BYTES >> 2; i < end; i++) if (words[i] !== words[i + delta]) return false;
  return true;
}

/** Tells whether nothing in the packet at `at` contradicts a checksum; O(bytes) unless one is missing. */
export function isRight(pool: PacketPool, at: number, slot: number, info: TransportInfo): boolean {
  if (info.version === 4 && sumOf(pool, at, IPV4_BYTES) !== 0xffff) return false;
  return pool.needsChecksum[slot] !== 0 || isChecksumRight(pool, at, pool.lengths[slot]!, info);
}

/** Returns the sequence number of the TCP segment at `at`. */
export function sequenceOf(bytes: Uint8Array, at: number, info: TransportInfo): number {
  return readU32(bytes, at + info.ipBytes + TCP_SEQUENCE);
}
