/**
 * Where the transport header of a packet is, for those packets whose checksum may be left to
 * somebody else: TCP or UDP directly behind an IPv4 header without options or an IPv6 header,
 * not a fragment, and exactly as long as their headers say.
 *
 * The narrow definition is on purpose. Options and extension headers may change what the
 * checksum is computed over (a route's last address instead of the destination); in
 * such packets, which are rare, it is always filled in.
 *
 * Sources: RFC 791, RFC 8200 section 3, RFC 9293 section 3.1, RFC 768.
 *
 * @module
 */

import { readU16 } from "./field.ts";
import { PROTOCOL_TCP, PROTOCOL_UDP } from "./ip.ts";

/** Bytes of an IPv4 header without options, and of an IPv6 header. */
export const IPV4_BYTES = 20;
export const IPV6_BYTES = 40;
/** Bytes of a TCP header without options, and of a UDP header. */
export const TCP_BYTES = 20;
export const UDP_BYTES = 8;
/** Where the checksum is in a TCP header, and in a UDP header. */
export const TCP_CHECKSUM = 16;
export const UDP_CHECKSUM = 6;

/** IPv4: "more fragments" and the fragment offset (RFC 791 section 3.1). */
const FRAGMENT = 0x3fff;

/** The headers of one packet. Reused: {@linkcode parseTransport} overwrites it. */
export class TransportInfo {
  version: 4 | 6 = 4;
  /** TCP or UDP, by its number. */
  protocol = 0;
  /** Bytes in front of the transport header. */
  ipBytes = 0;
  /** Bytes in front of the payload: IP and transport header. */
  headerBytes = 0;
  /** Offset of the checksum field from the start of the packet. */
  checksumAt = 0;
}

/**
 * Reads the headers of the packet of `length` bytes at `at` into `info`. Returns false, with
 * `info` of no meaning, when the packet is not of the kind described above.
 */
export function parseTransport(
  bytes: Uint8Array,
  at: number,
  length: number,
  info: TransportInfo,
): boolean {
  if (length < IPV4_BYTES) return false;
  if (bytes[at] === 0x45) {
    if (readU16(bytes, at + 2) !== length || (readU16(bytes, at + 6) & FRAGMENT) !== 0) {
      return false;
    }
    info.version = 4;
    info.ipBytes = IPV4_BYTES;
    info.protocol = bytes[at + 9]!;
  } else {
    if (bytes[at]! >> 4 !== 6 || readU16(bytes, at + 4) + IPV6_BYTES !== length) return false;
    info.version = 6;
    info.ipBytes = IPV6_BYTES;
    info.protocol = bytes[at + 6]!;
  }
  return parsePorts(bytes, at + info.ipBytes, length - info.ipBytes, info);
}

function parsePorts(bytes: Uint8Array, at: number, length: number, info: TransportInfo): boolean {
  if (info.protocol === PROTOCOL_TCP && length >= TCP_BYTES) {
    const tcpBytes = (bytes[at + 12]! >> 4) * 4;
    info.headerBytes = info.ipBytes + tcpBytes;
    info.checksumAt = info.ipBytes + TCP_CHECKSUM;
    return tcpBytes >= TCP_BYTES && tcpBytes <= length;
  }
  if (info.protocol !== PROTOCOL_UDP || length < UDP_BYTES) return false;
  info.headerBytes = info.ipBytes + UDP_BYTES;
  info.checksumAt = info.ipBytes + UDP_CHECKSUM;
  return readU16(bytes, at + 4) === length;
}
