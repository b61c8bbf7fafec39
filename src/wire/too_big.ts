/**
 * What a router answers to a packet that is too long for the next link: "fragmentation needed" of
 * ICMP, or "packet too big" of ICMPv6.
 *
 * The message comes from the address that the packet was going to. The tunnel has no other that its
 * receiver would believe in: Linux drops as "martian" what comes in from one of its own IPv4
 * addresses (fib_validate_source() of net/ipv4/fib_frontend.c), and the other end's may be anything
 * or nothing. From the destination it is what an ordinary host there would send, and it passes
 * filters of the reverse path, since the packet was routed into the tunnel.
 *
 * So nothing is due when the destination is a multicast address, although RFC 4443 section 2.4 would
 * allow it.
 *
 * Sources: RFC 792, RFC 1191 section 4, RFC 1122 section 3.2.2, RFC 1812 sections 4.3.2.3, 4.3.2.5
 * and 4.3.2.7, RFC 4443 sections 2.4 and 3.2, RFC 8200 section 4, RFC 8201 section 4.
 *
 * @module
 */

import { fold, sumOfBytes } from "./checksum.ts";
import { readU16, readU32, writeU16, writeU32 } from "./field.ts";
import type { PacketInfo } from "./ip.ts";
import {
  ICMP6_MTU,
  ICMP_BYTES,
  ICMP_CHECKSUM,
  ICMP_CODE,
  ICMP_MTU,
  ICMP_TYPE,
  IPV4_BYTES,
  IPV4_CHECKSUM,
  IPV4_DESTINATION,
  IPV4_DONT_FRAGMENT,
  IPV4_DSCP_ECN,
  IPV4_FRAGMENT,
  IPV4_IDENTIFICATION,
  IPV4_OFFSET,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  IPV4_TOTAL_LENGTH,
  IPV4_TTL,
  ipv4HeaderBytes,
  IPV6_BYTES,
  IPV6_DESTINATION,
  IPV6_HOP_LIMIT,
  IPV6_MIN_MTU,
  IPV6_NEXT_HEADER,
  IPV6_PAYLOAD_LENGTH,
  IPV6_SOURCE,
  PROTOCOL_ICMP,
  PROTOCOL_ICMP6,
} from "./ip_layout.ts";

/** Longest message over IPv4 in bytes, all headers included: RFC 1812 section 4.3.2.3. */
const MOST_IPV4_BYTES = 576;
/** Longest message in bytes that {@linkcode writeTooBig} writes; over IPv6. */
export const MOST_TOO_BIG_BYTES: number = IPV6_MIN_MTU;

/** "Destination unreachable", "fragmentation needed and DF set". */
const UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;
/** Types of ICMP that report an error: RFC 1812 section 4.3.2.7. */
const ICMP_ERRORS: ReadonlySet<number> = new Set([UNREACHABLE, 4, 5, 11, 12]);
/** "Packet too big". */
const TOO_BIG = 2;
/** Types of ICMPv6 below this report an error. */
const FIRST_ICMP6_QUERY = 128;
const ICMP6_REDIRECT = 137;
/** Precedence "internetwork control": RFC 1812 section 4.3.2.5. */
const CONTROL = 0xc0;
const TTL = 64;

/** Extension headers of IPv6 that have a length: RFC 8200 section 4; and the one that has none. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;
/** Where a fragment begins, in the third and fourth byte of its header. */
const FRAGMENT_OFFSET = 0xfff8;

/**
 * Writes to `at` of `out` the message for a packet that is longer than `mtu` bytes: the one of
 * `length` bytes at `packetAt` of `packet`, which `info` describes (`parsePacket()`). Returns the
 * bytes written, at most {@linkcode MOST_TOO_BIG_BYTES}; 0 when nothing is due. Its source need not
 * be right about the transport checksum, which receivers do not look at. The two ranges must not
 * overlap.
 */
export function writeTooBig(
  out: Uint8Array,
  at: number,
  packet: Uint8Array,
  packetAt: number,
  length: number,
  mtu: number,
  info: PacketInfo,
): number {
  return info.version === 4
    ? writeFragmentationNeeded(out, at, packet, packetAt, length, mtu)
    : writePacketTooBig(out, at, packet, packetAt, length, mtu);
}

function writeFragmentationNeeded(
  out: Uint8Array,
  at: number,
  packet: Uint8Array,
  packetAt: number,
  length: number,
  mtu: number,
): number {
  if (!isDueOverIpv4(packet, packetAt, length)) return 0;
  const quoted = Math.min(length, MOST_IPV4_BYTES - IPV4_BYTES - ICMP_BYTES);
  const total = IPV4_BYTES + ICMP_BYTES + quoted;
  const icmpAt = at + IPV4_BYTES;
  out.fill(0, at, icmpAt + ICMP_BYTES);
  out[at] = 0x45;
  out[at + IPV4_DSCP_ECN] = CONTROL;
  writeU16(out, at + IPV4_TOTAL_LENGTH, total);
  // Never fragmented, so it needs no number: RFC 6864.
  writeU16(out, at + IPV4_IDENTIFICATION, 0);
  writeU16(out, at + IPV4_FRAGMENT, IPV4_DONT_FRAGMENT);
  out[at + IPV4_TTL] = TTL;
  out[at + IPV4_PROTOCOL] = PROTOCOL_ICMP;
  copy(out, at + IPV4_SOURCE, packet, packetAt + IPV4_DESTINATION, 4);
  copy(out, at + IPV4_DESTINATION, packet, packetAt + IPV4_SOURCE, 4);
  writeU16(out, at + IPV4_CHECKSUM, ~sumOfBytes(out, at, IPV4_BYTES));
  out[icmpAt + ICMP_TYPE] = UNREACHABLE;
  out[icmpAt + ICMP_CODE] = FRAGMENTATION_NEEDED;
  writeU16(out, icmpAt + ICMP_MTU, mtu);
  copy(out, icmpAt + ICMP_BYTES, packet, packetAt, quoted);
  writeU16(out, icmpAt + ICMP_CHECKSUM, ~sumOfBytes(out, icmpAt, ICMP_BYTES + quoted));
  return total;
}

function writePacketTooBig(
  out: Uint8Array,
  at: number,
  packet: Uint8Array,
  packetAt: number,
  length: number,
  mtu: number,
): number {
  // A smaller MTU is not believed: RFC 8201 section 4.
  if (mtu < IPV6_MIN_MTU || !isDueOverIpv6(packet, packetAt, length)) return 0;
  const quoted = Math.min(length, MOST_TOO_BIG_BYTES - IPV6_BYTES - ICMP_BYTES);
  const payload = ICMP_BYTES + quoted;
  const icmpAt = at + IPV6_BYTES;
  out.fill(0, at, icmpAt + ICMP_BYTES);
  out[at] = 0x60;
  writeU16(out, at + IPV6_PAYLOAD_LENGTH, payload);
  out[at + IPV6_NEXT_HEADER] = PROTOCOL_ICMP6;
  out[at + IPV6_HOP_LIMIT] = TTL;
  copy(out, at + IPV6_SOURCE, packet, packetAt + IPV6_DESTINATION, 16);
  copy(out, at + IPV6_DESTINATION, packet, packetAt + IPV6_SOURCE, 16);
  out[icmpAt + ICMP_TYPE] = TOO_BIG;
  writeU32(out, icmpAt + ICMP6_MTU, mtu);
  copy(out, icmpAt + ICMP_BYTES, packet, packetAt, quoted);
  // Addresses, then length and protocol of the pseudo header: RFC 8200 section 8.1.
  const pseudo = sumOfBytes(out, at + IPV6_SOURCE, 32) + payload + PROTOCOL_ICMP6;
  writeU16(out, icmpAt + ICMP_CHECKSUM, ~fold(pseudo + sumOfBytes(out, icmpAt, payload)));
  return IPV6_BYTES + payload;
}

function isDueOverIpv4(packet: Uint8Array, at: number, length: number): boolean {
  const fragment = readU16(packet, at + IPV4_FRAGMENT);
  if ((fragment & IPV4_DONT_FRAGMENT) === 0 || (fragment & IPV4_OFFSET) !== 0) return false;
  if (!isHostIpv4(packet, at + IPV4_SOURCE)) return false;
  if (!isHostIpv4(packet, at + IPV4_DESTINATION)) return false;
  if (packet[at + IPV4_PROTOCOL] !== PROTOCOL_ICMP) return true;
  const icmpAt = ipv4HeaderBytes(packet, at);
  return icmpAt < length && !ICMP_ERRORS.has(packet[at + icmpAt + ICMP_TYPE]!);
}

/** Not any, this host, loopback, multicast, broadcast or reserved. */
function isHostIpv4(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at]!;
  return first > 0 && first < 224 && first !== 127;
}

function isDueOverIpv6(packet: Uint8Array, at: number, length: number): boolean {
  if (!isHostIpv6(packet, at + IPV6_SOURCE) || !isHostIpv6(packet, at + IPV6_DESTINATION)) {
    return false;
  }
  return !isIcmp6Error(packet, at, length);
}

/** Not any, loopback or multicast. */
function isHostIpv6(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === 0xff) return false;
  const isLow = readU32(bytes, at) === 0 && readU32(bytes, at + 4) === 0 &&
    readU32(bytes, at + 8) === 0 && readU32(bytes, at + 12) <= 1;
  return !isLow;
}

/** Also true when it cannot be told. */
function isIcmp6Error(packet: Uint8Array, at: number, length: number): boolean {
  const end = at + length;
  let next = packet[at + IPV6_NEXT_HEADER]!;
  let headerAt = at + IPV6_BYTES;
  while (next !== PROTOCOL_ICMP6) {
    const isFragment = next === FRAGMENT;
    if (!isFragment && next !== HOP_BY_HOP && next !== ROUTING && next !== DESTINATION_OPTIONS) {
      return false;
    }
    if (headerAt + 8 > end) return true;
    // What a later fragment continues is not known, but no error message is that long.
    if (isFragment && (readU16(packet, headerAt + 2) & FRAGMENT_OFFSET) !== 0) return false;
    next = packet[headerAt]!;
    headerAt += isFragment ? 8 : (packet[headerAt + 1]! + 1) * 8;
  }
  if (headerAt >= end) return true;
  const type = packet[headerAt + ICMP_TYPE]!;
  return type < FIRST_ICMP6_QUERY || type === ICMP6_REDIRECT;
}

function copy(to: Uint8Array, at: number, from: Uint8Array, fromAt: number, length: number): void {
  for (let i = 0; i < length; i++) to[at + i] = from[fromAt + i]!;
}
