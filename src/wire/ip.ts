/**
 * The few fields of an inner IP packet that the tunnel looks at: is it well
 * formed, which flow does it belong to, and would its user notice a delay?
 *
 * Sources: RFC 791, RFC 8200 section 3, RFC 9293 section 3.1, RFC 3168, RFC 4594.
 *
 * @module
 */

import { readU16, readU32, writeU16 } from "./field.ts";

const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
const PROTOCOL_ICMP6 = 58;

const TCP_SYN = 0x02;
const TCP_FIN = 0x01;
const TCP_RST = 0x04;

const DNS_PORT = 53;
/** From CS4 up, with AF4x and EF, a DSCP asks for low delay (RFC 4594). */
const DSCP_CS4 = 32;

/** How much a packet's user minds waiting, and whether its flow must stay in order. */
export const KIND = {
  /** Ordered within its flow; may wait. */
  bulk: 0,
  /** Ordered within its flow; should not wait. */
  interactive: 1,
  /** Stands alone: delivered as soon as it arrives. */
  unordered: 2,
} as const;
/** One of the values of {@linkcode KIND}. */
export type Kind = typeof KIND[keyof typeof KIND];

/** The fields of one packet. Reused: {@linkcode parsePacket} overwrites it. */
export class PacketInfo {
  version: 4 | 6 = 4;
  kind: Kind = KIND.bulk;
  /** Hash of addresses, protocol and ports. */
  flowHash = 0;
}

/**
 * Reads the packet of `length` bytes at `at` into `info`. Returns false for
 * what is not a whole IPv4 or IPv6 packet.
 */
export function parsePacket(
  bytes: Uint8Array,
  at: number,
  length: number,
  info: PacketInfo,
): boolean {
  if (length < 20) return false;
  const version = bytes[at]! >> 4;
  if (version === 4) return parseIpv4(bytes, at, length, info);
  if (version === 6) return parseIpv6(bytes, at, length, info);
  return false;
}

function parseIpv4(bytes: Uint8Array, at: number, length: number, info: PacketInfo): boolean {
  const headerBytes = (bytes[at]! & 0x0f) * 4;
  const total = readU16(bytes, at + 2);
  if (headerBytes < 20 || total < headerBytes || total > length) return false;
  info.version = 4;
  const protocol = bytes[at + 9]!;
  const hash = Math.imul(
    readU32(bytes, at + 12) ^ Math.imul(readU32(bytes, at + 16), 31),
    0x9e3779b1,
  );
  const fragment = (readU16(bytes, at + 6) & 0x3fff) !== 0;
  const payload = fragment ? 0 : total - headerBytes;
  readTransport(bytes, at + headerBytes, payload, protocol, bytes[at + 1]! >> 2, hash, info);
  return true;
}

function parseIpv6(bytes: Uint8Array, at: number, length: number, info: PacketInfo): boolean {
  if (length < 40) return false;
  const payload = readU16(bytes, at + 4);
  if (payload + 40 > length) return false;
  info.version = 6;
  let hash = 0;
  for (let i = 8; i < 40; i += 4) {
    hash = Math.imul(hash ^ readU32(bytes, at + i), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  const dscp = readU16(bytes, at) >> 6 & 0x3f;
  readTransport(bytes, at + 40, payload, bytes[at + 6]!, dscp, hash, info);
  return true;
}

function readTransport(
  bytes: Uint8Array,
  at: number,
  length: number,
  protocol: number,
  dscp: number,
  addressHash: number,
  info: PacketInfo,
): void {
  let hash = addressHash ^ protocol;
  info.kind = dscp >= DSCP_CS4 ? KIND.interactive : KIND.bulk;
  if (protocol === PROTOCOL_TCP && length >= 20) {
    hash ^= readU32(bytes, at);
    info.kind = tcpKind(bytes, at, length, info.kind);
  } else if (protocol === PROTOCOL_UDP && length >= 8) {
    hash ^= readU32(bytes, at);
    if (readU16(bytes, at) === DNS_PORT || readU16(bytes, at + 2) === DNS_PORT) {
      info.kind = KIND.unordered;
    }
  } else if (protocol === PROTOCOL_ICMP || protocol === PROTOCOL_ICMP6) {
    info.kind = KIND.unordered;
  }
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  info.flowHash = (hash ^ hash >>> 13) >>> 0;
}

/** A SYN, or an acknowledgement without data, stands alone: TCP ignores an old one. */
function tcpKind(bytes: Uint8Array, at: number, length: number, kind: Kind): Kind {
  const flags = bytes[at + 13]!;
  if ((flags & TCP_SYN) !== 0) return KIND.unordered;
  if ((flags & (TCP_FIN | TCP_RST)) !== 0) return kind;
  const dataBytes = length - (bytes[at + 12]! >> 4) * 4;
  return dataBytes <= 0 ? KIND.unordered : kind;
}

/** Tells whether the packet's sender understands ECN: ECT(0), ECT(1) or CE (RFC 3168 section 5). */
export function isEcnCapable(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! >> 4 === 4 ? bytes[at + 1]! & 3 : bytes[at + 1]! >> 4 & 3) !== 0;
}

/** Marks an ECN-capable packet "congestion experienced", mending the IPv4 checksum (RFC 1624). */
export function markCongestion(bytes: Uint8Array, at: number): void {
  if (bytes[at]! >> 4 === 6) {
    bytes[at + 1] = bytes[at + 1]! | 0x30;
    return;
  }
  const before = readU16(bytes, at);
  bytes[at + 1] = bytes[at + 1]! | 3;
  let sum = (~readU16(bytes, at + 10) & 0xffff) + (~before & 0xffff) + readU16(bytes, at);
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  writeU16(bytes, at + 10, ~sum & 0xffff);
}
