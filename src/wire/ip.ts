/**
 * The few fields of an inner IP packet that the tunnel looks at: is it well
 * formed, which flow does it belong to, and would its user notice a delay?
 *
 * Sources: RFC 791, RFC 8200 section 3, RFC 9293 section 3.1, RFC 3168, RFC 4594.
 *
 * @module
 */

import { readU16, readU32, writeU16 } from "./field.ts";
import {
  DESTINATION_PORT,
  FIN,
  IPV4_BYTES,
  IPV4_CHECKSUM,
  IPV4_DESTINATION,
  IPV4_DSCP_ECN,
  IPV4_FRAGMENT,
  IPV4_IS_FRAGMENT,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  IPV4_TOTAL_LENGTH,
  ipv4HeaderBytes,
  IPV6_BYTES,
  IPV6_NEXT_HEADER,
  IPV6_PAYLOAD_LENGTH,
  IPV6_SOURCE,
  ipVersion,
  PROTOCOL_ICMP,
  PROTOCOL_ICMP6,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  RST,
  SYN,
  TCP_BYTES,
  TCP_FLAGS,
  tcpHeaderBytes,
  UDP_BYTES,
} from "./ip_layout.ts";

const DNS_PORT = 53;
/** From CS4 up, with AF4x and EF, a DSCP asks for low delay (RFC 4594). */
const DSCP_CS4 = 32;

/** How much its user minds a packet waiting, and whether its flow must stay in order. */
export const KIND = {
  /** Ordered within its flow; may wait. */
  bulk: 0,
  /** Ordered within its flow; should not wait. */
  interactive: 1,
  /** Independent: delivered as soon as it arrives. */
  unordered: 2,
} as const;
/** One of the values of {@linkcode KIND}. */
export type Kind = typeof KIND[keyof typeof KIND];

/** In place of where ports begin: a fragment, another protocol, or less than a header. */
export const NO_PORTS = -1;

/** The fields of one packet. Reused: {@linkcode parsePacket} overwrites it. */
export class PacketInfo {
  version: 4 | 6 = 4;
  kind: Kind = KIND.bulk;
  /** Hash of addresses, protocol and ports. */
  flowHash = 0;
  /** What follows the IP header, by its number; with extension headers of IPv6 the first of them. */
  protocol = 0;
  dscp = 0;
  /** Where the ports of TCP or UDP begin in the memory; {@linkcode NO_PORTS} when there are none. */
  portsAt = NO_PORTS;
}

/**
 * Reads the packet of `length` bytes at `at` into `info`. Returns false for anything but a whole
 * IPv4 or IPv6 packet.
 */
export function parsePacket(
  bytes: Uint8Array,
  at: number,
  length: number,
  info: PacketInfo,
): boolean {
  if (length < IPV4_BYTES) return false;
  const version = ipVersion(bytes, at);
  if (version === 4) return parseIpv4(bytes, at, length, info);
  if (version === 6) return parseIpv6(bytes, at, length, info);
  return false;
}

function parseIpv4(bytes: Uint8Array, at: number, length: number, info: PacketInfo): boolean {
  const headerBytes = ipv4HeaderBytes(bytes, at);
  const total = readU16(bytes, at + IPV4_TOTAL_LENGTH);
  if (headerBytes < IPV4_BYTES || total < headerBytes || total > length) return false;
  info.version = 4;
  info.protocol = bytes[at + IPV4_PROTOCOL]!;
  info.dscp = bytes[at + IPV4_DSCP_ECN]! >> 2;
  const hash = Math.imul(
    readU32(bytes, at + IPV4_SOURCE) ^ Math.imul(readU32(bytes, at + IPV4_DESTINATION), 31),
    0x9e3779b1,
  );
  const fragment = (readU16(bytes, at + IPV4_FRAGMENT) & IPV4_IS_FRAGMENT) !== 0;
  readTransport(bytes, at + headerBytes, fragment ? 0 : total - headerBytes, hash, info);
  return true;
}

function parseIpv6(bytes: Uint8Array, at: number, length: number, info: PacketInfo): boolean {
  if (length < IPV6_BYTES) return false;
  const payload = readU16(bytes, at + IPV6_PAYLOAD_LENGTH);
  if (payload + IPV6_BYTES > length) return false;
  info.version = 6;
  info.protocol = bytes[at + IPV6_NEXT_HEADER]!;
  info.dscp = readU16(bytes, at) >> 6 & 0x3f;
  let hash = 0;
  for (let i = IPV6_SOURCE; i < IPV6_BYTES; i += 4) {
    hash = Math.imul(hash ^ readU32(bytes, at + i), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  readTransport(bytes, at + IPV6_BYTES, payload, hash, info);
  return true;
}

function readTransport(
  bytes: Uint8Array,
  at: number,
  length: number,
  addressHash: number,
  info: PacketInfo,
): void {
  const { protocol } = info;
  let hash = addressHash ^ protocol;
  info.kind = info.dscp >= DSCP_CS4 ? KIND.interactive : KIND.bulk;
  info.portsAt = NO_PORTS;
  if (protocol === PROTOCOL_TCP && length >= TCP_BYTES) {
    info.portsAt = at;
    hash ^= readU32(bytes, at);
    info.kind = tcpKind(bytes, at, length, info.kind);
  } else if (protocol === PROTOCOL_UDP && length >= UDP_BYTES) {
    info.portsAt = at;
    hash ^= readU32(bytes, at);
    const isDns = readU16(bytes, at) === DNS_PORT ||
      readU16(bytes, at + DESTINATION_PORT) === DNS_PORT;
    if (isDns) info.kind = KIND.unordered;
  } else if (protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMP6) {
    info.kind = KIND.unordered;
  }
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  info.flowHash = (hash ^ hash >>> 13) >>> 0;
}

/** A SYN, or an acknowledgement without data, is independent: TCP ignores an old one. */
function tcpKind(bytes: Uint8Array, at: number, length: number, kind: Kind): Kind {
  const flags = bytes[at + TCP_FLAGS]!;
  if ((flags & SYN) !== 0) return KIND.unordered;
  if ((flags & (FIN | RST)) !== 0) return kind;
  return length <= tcpHeaderBytes(bytes, at) ? KIND.unordered : kind;
}

/** Tells whether the packet carries TCP, and nothing stands between that and its IP header. */
export function isTcp(bytes: Uint8Array, at: number): boolean {
  const protocolAt = at + (ipVersion(bytes, at) === 4 ? IPV4_PROTOCOL : IPV6_NEXT_HEADER);
  return bytes[protocolAt] === PROTOCOL_TCP;
}

/** Tells whether the packet's sender understands ECN: ECT(0), ECT(1) or CE (RFC 3168 section 5). */
export function isEcnCapable(bytes: Uint8Array, at: number): boolean {
  const octet = bytes[at + IPV4_DSCP_ECN]!;
  return (ipVersion(bytes, at) === 4 ? octet & 3 : octet >> 4 & 3) !== 0;
}

/** Marks an ECN-capable packet "congestion experienced", updating the IPv4 checksum (RFC 1624). */
export function markCongestion(bytes: Uint8Array, at: number): void {
  const octetAt = at + IPV4_DSCP_ECN;
  if (ipVersion(bytes, at) === 6) {
    bytes[octetAt] = bytes[octetAt]! | 0x30;
    return;
  }
  const before = readU16(bytes, at);
  bytes[octetAt] = bytes[octetAt]! | 3;
  const checksum = ~readU16(bytes, at + IPV4_CHECKSUM) & 0xffff;
  let sum = checksum + (~before & 0xffff) + readU16(bytes, at);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  writeU16(bytes, at + IPV4_CHECKSUM, ~sum & 0xffff);
}
