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
import { readU16, readU32, writeU16, writeU32 } from "./field.ts";
import {
  IPV4_BYTES,
  IPV4_CHECKSUM,
  IPV4_DSCP_ECN,
  IPV4_FRAGMENT,
  IPV4_IDENTIFICATION,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  IPV4_TOTAL_LENGTH,
  IPV4_TTL,
  IPV6_BYTES,
  IPV6_HOP_LIMIT,
  IPV6_NEXT_HEADER,
  IPV6_PAYLOAD_LENGTH,
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
  UDP_BYTES,
  UDP_CHECKSUM,
  UDP_LENGTH,
} from "./ip_layout.ts";

/** Bytes of the longest header that is compressed: IPv6 40, TCP 60. */
export const MAX_HEADER_BYTES = 100;
/** References that an end keeps: by the lowest bits of the flow ... */
export const CONTEXTS = 128;
/** ... and of their numbers, which count modulo {@linkcode NUMBERS}. */
export const KEPT = 4;
/** Reference numbers: what the bits of the flow field that a flow does not take can say. */
export const NUMBERS = 64;

/** Where the reference of a number is kept, for a flow bucket. */
export function placeOf(bucket: number, number: number): number {
  return bucket % CONTEXTS * KEPT + number % KEPT;
}

/** Bits of the mask: which fields differ. */
const CLASS = 0x01; // DSCP and ECN 1, TTL 1
const IDENTIFICATION = 0x02; // 2
const SEQUENCE = 0x04; // the difference
const ACKNOWLEDGMENT = 0x08; // the difference
const FLAGS = 0x10; // 1
const WINDOW = 0x20; // 2
const TIMESTAMPS = 0x40; // the differences of both
const OPTIONS = 0x80; // words 1, words * 4

/** Options that are nothing but time stamps (RFC 7323, appendix A): two NOPs, kind 8, length 10. */
const ONLY_TIMESTAMPS = 0x0101_080a;
const TIMESTAMPS_BYTES = 12;
const TIMESTAMP_VALUE = 4;
const TIMESTAMP_ECHO = 8;
/** The most that {@linkcode compressHeader} writes. */
export const MAX_COMPRESSED_BYTES = 64;
/** Bytes of the longest number: 7 bits in each. */
const MAX_NUMBER_BYTES = 5;

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
    out[0] = CLASS;
    out[end++] = octet;
    out[end++] = ttl;
  }
  const identification = readU16(bytes, at + IPV4_IDENTIFICATION);
  if (identification === readU16(reference, from + IPV4_IDENTIFICATION)) return end;
  out[0] = out[0]! | IDENTIFICATION;
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
  out[0] = CLASS;
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
  const offset = bytes[at + TCP_DATA_OFFSET]!;
  const oldOffset = reference[from + TCP_DATA_OFFSET]!;
  if ((offset & 0x0f) !== (oldOffset & 0x0f)) return 0;
  if (readU16(bytes, at + TCP_URGENT) !== readU16(reference, from + TCP_URGENT)) return 0;
  let mask = 0;
  let end = start;
  const sequence = readU32(bytes, at + TCP_SEQUENCE) - readU32(reference, from + TCP_SEQUENCE);
  if (sequence !== 0) {
    mask |= SEQUENCE;
    end = writeNumber(out, end, sequence >>> 0);
  }
  const acknowledgment = readU32(bytes, at + TCP_ACKNOWLEDGMENT) -
    readU32(reference, from + TCP_ACKNOWLEDGMENT);
  if (acknowledgment !== 0) {
    mask |= ACKNOWLEDGMENT;
    end = writeNumber(out, end, acknowledgment >>> 0);
  }
  if (bytes[at + TCP_FLAGS] !== reference[from + TCP_FLAGS]) {
    mask |= FLAGS;
    out[end++] = bytes[at + TCP_FLAGS]!;
  }
  const window = readU16(bytes, at + TCP_WINDOW);
  if (window !== readU16(reference, from + TCP_WINDOW)) {
    mask |= WINDOW;
    writeU16(out, end, window);
    end += 2;
  }
  const optionBytes = (offset >> 4) * 4 - TCP_BYTES;
  const options = at + TCP_BYTES;
  const oldOptions = from + TCP_BYTES;
  if (offset === oldOffset && isSame(bytes, options, reference, oldOptions, optionBytes)) {
    // nothing to write
  } else if (
    offset === oldOffset && hasOnlyTimestamps(bytes, options, optionBytes) &&
    hasOnlyTimestamps(reference, oldOptions, optionBytes)
  ) {
    mask |= TIMESTAMPS;
    for (let field = TIMESTAMP_VALUE; field <= TIMESTAMP_ECHO; field += 4) {
      const later = readU32(bytes, options + field) - readU32(reference, oldOptions + field);
      end = writeNumber(out, end, later >>> 0);
    }
  } else {
    mask |= OPTIONS;
    out[end++] = optionBytes / 4;
    for (let i = 0; i < optionBytes; i++) out[end++] = bytes[options + i]!;
  }
  out[0] = out[0]! | mask;
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

/** Reads compressed headers. Reused; the results are those of the last call. */
export class HeaderReader {
  /** The header as it was, but for lengths and the checksum of IPv4, which need the payload. */
  readonly header: Uint8Array<ArrayBuffer> = new Uint8Array(MAX_HEADER_BYTES);
  headerBytes = 0;
  /** Where the payload begins. */
  payloadAt = 0;
  /** Where to read next; beyond the end when too little was there. */
  #at = 0;
  #end = 0;

  /**
   * Reads the compressed header from `at` on, of a packet that goes to `end`. It refers to the one of
   * `referenceBytes` at `from` in `reference`. Returns false when it is malformed.
   *
   * @param checksum whether the transport checksum is there
   */
  read(
    bytes: Uint8Array,
    at: number,
    end: number,
    checksum: boolean,
    reference: Uint8Array,
    from: number,
    referenceBytes: number,
  ): boolean {
    if (at >= end) return false;
    const { header } = this;
    for (let i = 0; i < referenceBytes; i++) header[i] = reference[from + i]!;
    this.headerBytes = referenceBytes;
    this.#at = at + 1;
    this.#end = end;
    const isIpv4 = ipVersion(header, 0) === 4;
    const ipBytes = isIpv4 ? IPV4_BYTES : IPV6_BYTES;
    const isTcp = header[isIpv4 ? IPV4_PROTOCOL : IPV6_NEXT_HEADER] === PROTOCOL_TCP;
    const mask = bytes[at]!;
    if ((mask & CLASS) !== 0) this.#readClass(bytes, isIpv4);
    if ((mask & IDENTIFICATION) !== 0) {
      if (!isIpv4) return false;
      this.#copy(bytes, IPV4_IDENTIFICATION, 2);
    }
    if (isTcp) this.#readTcp(bytes, mask, ipBytes);
    else if (mask > (CLASS | IDENTIFICATION)) return false;
    if (checksum) this.#copy(bytes, ipBytes + (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM), 2);
    this.payloadAt = this.#at;
    if (this.#at > end) return false;
    this.#writeLengths(end - this.#at, isIpv4, isTcp);
    return true;
  }

  /**
   * Puts the header in the place of the compressed one, which {@linkcode read} has found from `at` on
   * in a packet that goes to `end`. Returns the packet's bytes; 0, and nothing is done, when they
   * are more than `most`.
   */
  expand(bytes: Uint8Array, at: number, end: number, most: number): number {
    const { header, headerBytes, payloadAt } = this;
    const length = headerBytes + end - payloadAt;
    if (length > most) return 0;
    bytes.copyWithin(at + headerBytes, payloadAt, end);
    for (let i = 0; i < headerBytes; i++) bytes[at + i] = header[i]!;
    return length;
  }

  #readClass(bytes: Uint8Array, isIpv4: boolean): void {
    if (isIpv4) {
      this.#copy(bytes, IPV4_DSCP_ECN, 1);
      this.#copy(bytes, IPV4_TTL, 1);
      return;
    }
    const octet = this.#at < this.#end ? bytes[this.#at]! : 0;
    this.#at++;
    writeU16(this.header, 0, readU16(this.header, 0) & 0xf00f | octet << 4);
    this.#copy(bytes, IPV6_HOP_LIMIT, 1);
  }

  #readTcp(bytes: Uint8Array, mask: number, at: number): void {
    if ((mask & SEQUENCE) !== 0) this.#add(bytes, at + TCP_SEQUENCE);
    if ((mask & ACKNOWLEDGMENT) !== 0) this.#add(bytes, at + TCP_ACKNOWLEDGMENT);
    if ((mask & FLAGS) !== 0) this.#copy(bytes, at + TCP_FLAGS, 1);
    if ((mask & WINDOW) !== 0) this.#copy(bytes, at + TCP_WINDOW, 2);
    if ((mask & TIMESTAMPS) !== 0) {
      // Without them in the reference these bytes are not options: the packet is malformed.
      if (this.headerBytes < at + TCP_BYTES + TIMESTAMPS_BYTES) this.#fail();
      this.#add(bytes, at + TCP_BYTES + TIMESTAMP_VALUE);
      this.#add(bytes, at + TCP_BYTES + TIMESTAMP_ECHO);
    }
    if ((mask & OPTIONS) !== 0) this.#readOptions(bytes, at);
  }

  #readOptions(bytes: Uint8Array, at: number): void {
    const words = this.#at < this.#end ? bytes[this.#at]! : 0;
    this.#at++;
    const headerBytes = at + TCP_BYTES + 4 * words;
    if (headerBytes > at + 60) return this.#fail();
    const offsetAt = at + TCP_DATA_OFFSET;
    this.header[offsetAt] = this.header[offsetAt]! & 0x0f | (TCP_BYTES / 4 + words) << 4;
    this.headerBytes = headerBytes;
    this.#copy(bytes, at + TCP_BYTES, 4 * words);
  }

  #fail(): void {
    this.#at = this.#end + 1;
  }

  #copy(bytes: Uint8Array, to: number, length: number): void {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#end) return;
    for (let i = 0; i < length; i++) this.header[to + i] = bytes[from + i]!;
  }

  #add(bytes: Uint8Array, to: number): void {
    let value = 0;
    for (let i = 0; i < MAX_NUMBER_BYTES; i++) {
      const byte = this.#at < this.#end ? bytes[this.#at]! : 0;
      this.#at++;
      value |= (byte & 0x7f) << 7 * i;
      if (byte < 0x80) return writeU32(this.header, to, readU32(this.header, to) + (value >>> 0));
    }
    this.#fail();
  }

  #writeLengths(payloadBytes: number, isIpv4: boolean, isTcp: boolean): void {
    const { header } = this;
    const total = this.headerBytes + payloadBytes;
    if (isIpv4) {
      writeU16(header, IPV4_TOTAL_LENGTH, total);
      writeU16(header, IPV4_CHECKSUM, 0);
      writeU16(header, IPV4_CHECKSUM, ~sumOfBytes(header, 0, IPV4_BYTES));
    } else writeU16(header, IPV6_PAYLOAD_LENGTH, total - IPV6_BYTES);
    const ipBytes = isIpv4 ? IPV4_BYTES : IPV6_BYTES;
    if (!isTcp) writeU16(header, ipBytes + UDP_LENGTH, UDP_BYTES + payloadBytes);
  }
}
