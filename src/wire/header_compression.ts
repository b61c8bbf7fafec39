/**
 * Compressed headers: IP with TCP or UDP, as differences from a header that the other end has.
 *
 * The idea is that of ROHC (RFC 3095, RFC 6846), made for a transport that tells what has arrived:
 * the reference is never the packet before, which may be lost or on another link, but one that was
 * acknowledged. So any packet may be lost or overtake others, and the next one is still understood.
 * Nothing is estimated: what comes out is what went in, bit by bit, but for a transport checksum that
 * is not filled in. Normative text: docs/protocol.md, section 6.10.
 *
 * ```text
 * mask 1 | fields, in the order of the bits of the mask | checksum 2, if it is filled in | payload
 * ```
 *
 * @module
 */

import { sumOfBytes } from "./checksum.ts";
import { readU16, readU32, writeU16 } from "./field.ts";
import {
  IPV4_BYTES,
  IPV4_CHECKSUM,
  IPV4_DSCP_ECN,
  IPV4_FRAGMENT,
  IPV4_IDENTIFICATION,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  IPV4_TTL,
  IPV6_BYTES,
  IPV6_HOP_LIMIT,
  IPV6_NEXT_HEADER,
  IPV6_SOURCE,
  ipVersion,
  PROTOCOL_TCP,
  TCP_ACKNOWLEDGMENT,
  TCP_BYTES,
  TCP_CHECKSUM,
  TCP_DATA_OFFSET,
  TCP_FLAGS,
  TCP_SEQUENCE,
  TCP_URGENT,
  TCP_WINDOW,
  tcpHeaderBytes,
  UDP_CHECKSUM,
} from "./ip_layout.ts";

/** Bytes of the longest header that is compressed: IPv6 40, TCP 60. */
export const MAX_HEADER_BYTES = 100;
/** Bits of the mask: which fields differ, and how many bytes say how. */
export const FIELD = {
  class: 0x01, // DSCP and ECN 1, TTL 1
  identification: 0x02, // 2
  sequence: 0x04, // the difference
  acknowledgment: 0x08, // the difference
  flags: 0x10, // 1
  window: 0x20, // 2
  timestamps: 0x40, // the differences of both
  options: 0x80, // words 1, words * 4
} as const;

/** Options that are nothing but time stamps (RFC 7323, appendix A): two NOPs, kind 8, length 10. */
const ONLY_TIMESTAMPS = 0x0101_080a;
export const TIMESTAMPS_BYTES = 12;
export const TIMESTAMP_VALUE = 4;
export const TIMESTAMP_ECHO = 8;
/** The most that {@linkcode compressHeader} writes. */
export const MAX_COMPRESSED_BYTES = 64;
/**
 * Writes the header at `at` as differences from the one at `from` in `reference` to the beginning of
 * `out`, of at least {@linkcode MAX_COMPRESSED_BYTES}. Both are headers that `parseTransport` takes.
 * Returns the bytes written; 0 when they differ where they must not.
 *
 * @param checksum whether the transport checksum is filled in
 */
export function compressHeader(
  bytes: Uint8Array,
  at: number,
  checksum: boolean,
  reference: Uint8Array,
  from: number,
  out: Uint8Array,
): number {
  const isIpv4 = ipVersion(bytes, at) === 4;
  if (isIpv4 ? !isSameIpv4(bytes, at, reference, from) : !isSameIpv6(bytes, at, reference, from)) {
    return 0;
  }
  const ipBytes = isIpv4 ? IPV4_BYTES : IPV6_BYTES;
  const transport = at + ipBytes;
  if (readU32(bytes, transport) !== readU32(reference, from + ipBytes)) return 0;
  out[0] = 0;
  let end = isIpv4
    ? writeIpv4(bytes, at, reference, from, out)
    : writeIpv6(bytes, at, reference, from, out);
  const isTcp = bytes[at + (isIpv4 ? IPV4_PROTOCOL : IPV6_NEXT_HEADER)] === PROTOCOL_TCP;
  if (isTcp) {
    end = writeTcp(bytes, transport, reference, from + ipBytes, out, end);
    if (end === 0) return 0;
  }
  if (!checksum) return end;
  writeU16(out, end, readU16(bytes, transport + (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM)));
  return end + 2;
}

function isSameIpv4(bytes: Uint8Array, at: number, reference: Uint8Array, from: number): boolean {
  const isChecked = sumOfBytes(bytes, at, IPV4_BYTES) === 0xffff &&
    readU16(bytes, at + IPV4_CHECKSUM) !== 0xffff; // which nobody computes
  return bytes[at] === reference[from] && isChecked &&
    readU16(bytes, at + IPV4_FRAGMENT) === readU16(reference, from + IPV4_FRAGMENT) &&
    bytes[at + IPV4_PROTOCOL] === reference[from + IPV4_PROTOCOL] &&
    isSame(bytes, at + IPV4_SOURCE, reference, from + IPV4_SOURCE, IPV4_BYTES - IPV4_SOURCE);
}

function isSameIpv6(bytes: Uint8Array, at: number, reference: Uint8Array, from: number): boolean {
  // Of the first word the version and the flow label.
  return ((readU32(bytes, at) ^ readU32(reference, from)) & 0xf00f_ffff) === 0 &&
    bytes[at + IPV6_NEXT_HEADER] === reference[from + IPV6_NEXT_HEADER] &&
    isSame(bytes, at + IPV6_SOURCE, reference, from + IPV6_SOURCE, IPV6_BYTES - IPV6_SOURCE);
}

function isSame(
  bytes: Uint8Array,
  at: number,
  reference: Uint8Array,
  from: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (bytes[at + i] !== reference[from + i]) return false;
  return true;
}

function writeIpv4(
  bytes: Uint8Array,
  at: number,
  reference: Uint8Array,
  from: number,
  out: Uint8Array,
): number {
  let end = 1;
  const octet = bytes[at + IPV4_DSCP_ECN]!;
  const ttl = bytes[at + IPV4_TTL]!;
  if (octet !== reference[from + IPV4_DSCP_ECN] || ttl !== reference[from + IPV4_TTL]) {
    out[0] = FIELD.class;
    out[end++] = octet;
    out[end++] = ttl;
  }
  const identification = readU16(bytes, at + IPV4_IDENTIFICATION);
  if (identification === readU16(reference, from + IPV4_IDENTIFICATION)) return end;
  out[0] = out[0]! | FIELD.identification;
  writeU16(out, end, identification);
  return end + 2;
}

function writeIpv6(
  bytes: Uint8Array,
  at: number,
  reference: Uint8Array,
  from: number,
  out: Uint8Array,
): number {
  const octet = readU16(bytes, at) >> 4 & 0xff;
  const limit = bytes[at + IPV6_HOP_LIMIT]!;
  const isOld = octet === (readU16(reference, from) >> 4 & 0xff) &&
    limit === reference[from + IPV6_HOP_LIMIT];
  if (isOld) return 1;
  out[0] = FIELD.class;
  out[1] = octet;
  out[2] = limit;
  return 3;
}

function writeTcp(
  bytes: Uint8Array,
  at: number,
  reference: Uint8Array,
  from: number,
  out: Uint8Array,
  start: number,
): number {
  const reserved = bytes[at + TCP_DATA_OFFSET]! ^ reference[from + TCP_DATA_OFFSET]!;
  if ((reserved & 0x0f) !== 0) return 0;
  if (readU16(bytes, at + TCP_URGENT) !== readU16(reference, from + TCP_URGENT)) return 0;
  let mask = 0;
  let end = start;
  const sequence = readU32(bytes, at + TCP_SEQUENCE) - readU32(reference, from + TCP_SEQUENCE);
  if (sequence !== 0) {
    mask |= FIELD.sequence;
    end = writeNumber(out, end, sequence >>> 0);
  }
  const acknowledgment = readU32(bytes, at + TCP_ACKNOWLEDGMENT) -
    readU32(reference, from + TCP_ACKNOWLEDGMENT);
  if (acknowledgment !== 0) {
    mask |= FIELD.acknowledgment;
    end = writeNumber(out, end, acknowledgment >>> 0);
  }
  if (bytes[at + TCP_FLAGS] !== reference[from + TCP_FLAGS]) {
    mask |= FIELD.flags;
    out[end++] = bytes[at + TCP_FLAGS]!;
  }
  const window = readU16(bytes, at + TCP_WINDOW);
  if (window !== readU16(reference, from + TCP_WINDOW)) {
    mask |= FIELD.window;
    writeU16(out, end, window);
    end += 2;
  }
  out[0] = out[0]! | mask;
  return writeOptions(bytes, at, reference, from, out, end);
}

function writeOptions(
  bytes: Uint8Array,
  at: number,
  reference: Uint8Array,
  from: number,
  out: Uint8Array,
  start: number,
): number {
  const length = tcpHeaderBytes(bytes, at) - TCP_BYTES;
  const options = at + TCP_BYTES;
  const oldOptions = from + TCP_BYTES;
  const isAsLong = length === tcpHeaderBytes(reference, from) - TCP_BYTES;
  if (isAsLong && isSame(bytes, options, reference, oldOptions, length)) return start;
  let end = start;
  if (
    isAsLong && hasOnlyTimestamps(bytes, options, length) &&
    hasOnlyTimestamps(reference, oldOptions, length)
  ) {
    out[0] = out[0]! | FIELD.timestamps;
    for (let field = TIMESTAMP_VALUE; field <= TIMESTAMP_ECHO; field += 4) {
      const later = readU32(bytes, options + field) - readU32(reference, oldOptions + field);
      end = writeNumber(out, end, later >>> 0);
    }
    return end;
  }
  out[0] = out[0]! | FIELD.options;
  out[end++] = length / 4;
  for (let i = 0; i < length; i++) out[end++] = bytes[options + i]!;
  return end;
}

function hasOnlyTimestamps(bytes: Uint8Array, at: number, length: number): boolean {
  return length === TIMESTAMPS_BYTES && readU32(bytes, at) === ONLY_TIMESTAMPS;
}

/** Seven bits a byte, the lowest first; all but the last have the highest bit set. */
function writeNumber(out: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  while (rest > 0x7f) {
    out[end++] = rest & 0x7f | 0x80;
    rest >>>= 7;
  }
  out[end++] = rest;
  return end;
}
