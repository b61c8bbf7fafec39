/**
 * What comes of a compressed header: the way back from `header_compression.ts`. Whatever the bytes are,
 * nothing is read beyond their end, and no packet becomes longer than it may be.
 *
 * @module
 */

import { sumOfBytes } from "./checksum.ts";
import { readU16, readU32, writeU16, writeU32 } from "./field.ts";
import {
  FIELD,
  MAX_HEADER_BYTES,
  TIMESTAMP_ECHO,
  TIMESTAMP_VALUE,
  TIMESTAMPS_BYTES,
} from "./header_compression.ts";
import {
  IPV4_BYTES,
  IPV4_CHECKSUM,
  IPV4_DSCP_ECN,
  IPV4_IDENTIFICATION,
  IPV4_PROTOCOL,
  IPV4_TOTAL_LENGTH,
  IPV4_TTL,
  IPV6_BYTES,
  IPV6_HOP_LIMIT,
  IPV6_NEXT_HEADER,
  IPV6_PAYLOAD_LENGTH,
  ipVersion,
  PROTOCOL_TCP,
  TCP_ACKNOWLEDGMENT,
  TCP_BYTES,
  TCP_CHECKSUM,
  TCP_DATA_OFFSET,
  TCP_FLAGS,
  TCP_SEQUENCE,
  TCP_WINDOW,
  UDP_BYTES,
  UDP_CHECKSUM,
  UDP_LENGTH,
} from "./ip_layout.ts";

/** Bytes of the longest number: 7 bits in each. */
const MAX_NUMBER_BYTES = 5;
/** Bytes of the longest TCP header. */
const MAX_TCP_BYTES = 60;

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
    if ((mask & FIELD.class) !== 0) this.#readClass(bytes, isIpv4);
    if ((mask & FIELD.identification) !== 0) {
      if (!isIpv4) return false;
      this.#copy(bytes, IPV4_IDENTIFICATION, 2);
    }
    if (isTcp) this.#readTcp(bytes, mask, ipBytes);
    else if (mask > (FIELD.class | FIELD.identification)) return false;
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
    if ((mask & FIELD.sequence) !== 0) this.#add(bytes, at + TCP_SEQUENCE);
    if ((mask & FIELD.acknowledgment) !== 0) this.#add(bytes, at + TCP_ACKNOWLEDGMENT);
    if ((mask & FIELD.flags) !== 0) this.#copy(bytes, at + TCP_FLAGS, 1);
    if ((mask & FIELD.window) !== 0) this.#copy(bytes, at + TCP_WINDOW, 2);
    if ((mask & FIELD.timestamps) !== 0) {
      // Without them in the reference these bytes are not options: the packet is malformed.
      if (this.headerBytes < at + TCP_BYTES + TIMESTAMPS_BYTES) this.#fail();
      this.#add(bytes, at + TCP_BYTES + TIMESTAMP_VALUE);
      this.#add(bytes, at + TCP_BYTES + TIMESTAMP_ECHO);
    }
    if ((mask & FIELD.options) !== 0) this.#readOptions(bytes, at);
  }

  #readOptions(bytes: Uint8Array, at: number): void {
    const words = this.#at < this.#end ? bytes[this.#at]! : 0;
    this.#at++;
    const headerBytes = at + TCP_BYTES + 4 * words;
    if (headerBytes > at + MAX_TCP_BYTES) return this.#fail();
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
