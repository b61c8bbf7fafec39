/**
 * Where the transport header of a packet is, for those packets whose checksum may be left to
 * somebody else: TCP or UDP directly after an IPv4 header without options or an IPv6 header, not a
 * fragment, and exactly as long as their headers say.
 *
 * The narrow definition is deliberate. Options and extension headers may change what the checksum
 * is computed over (a route's last address instead of the destination); in such packets, which are
 * rare, it is always filled in.
 *
 * Sources: RFC 791, RFC 8200 section 3, RFC 9293 section 3.1, RFC 768.
 *
 * @module
 */

import { readU16 } from "./field.ts";
import {
  IPV4_BYTES,
  IPV4_FRAGMENT,
  IPV4_IS_FRAGMENT,
  IPV4_PROTOCOL,
  IPV4_TOTAL_LENGTH,
  IPV6_BYTES,
  IPV6_NEXT_HEADER,
  IPV6_PAYLOAD_LENGTH,
  ipVersion,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_BYTES,
  TCP_CHECKSUM,
  tcpHeaderBytes,
  UDP_BYTES,
  UDP_CHECKSUM,
  UDP_LENGTH,
} from "./ip_layout.ts";

/** First byte of an IPv4 header without options. */
const IPV4_WITHOUT_OPTIONS = 0x45;

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
 * Reads the headers of the packet of `length` bytes at `at` into `info`. Returns false, with `info`
 * meaningless, when the packet is not of the kind described above.
 */
export function parseTransport(
  bytes: Uint8Array,
  at: number,
  length: number,
  info: TransportInfo,
): boolean {
  if (length < IPV4_BYTES) return false;
  if (bytes[at] === IPV4_WITHOUT_OPTIONS) {
    if (readU16(bytes, at + IPV4_TOTAL_LENGTH) !== length) return false;
    if ((readU16(bytes, at + IPV4_FRAGMENT) & IPV4_IS_FRAGMENT) !== 0) return false;
    info.version = 4;
    info.ipBytes = IPV4_BYTES;
    info.protocol = bytes[at + IPV4_PROTOCOL]!;
  } else {
    if (ipVersion(bytes, at) !== 6) return false;
    if (readU16(bytes, at + IPV6_PAYLOAD_LENGTH) + IPV6_BYTES !== length) return false;
    info.version = 6;
    info.ipBytes = IPV6_BYTES;
    info.protocol = bytes[at + IPV6_NEXT_HEADER]!;
  }
  return parsePorts(bytes, at + info.ipBytes, length - info.ipBytes, info);
}

function parsePorts(bytes: Uint8Array, at: number, length: number, info: TransportInfo): boolean {
  if (info.protocol === PROTOCOL_TCP && length >= TCP_BYTES) {
    const tcpBytes = tcpHeaderBytes(bytes, at);
    info.headerBytes = info.ipBytes + tcpBytes;
    info.checksumAt = info.ipBytes + TCP_CHECKSUM;
    return tcpBytes >= TCP_BYTES && tcpBytes <= length;
  }
  if (info.protocol !== PROTOCOL_UDP || length < UDP_BYTES) return false;
  info.headerBytes = info.ipBytes + UDP_BYTES;
  info.checksumAt = info.ipBytes + UDP_CHECKSUM;
  return readU16(bytes, at + UDP_LENGTH) === length;
}
