/**
 * The DATA frame, then a packet to the end of the datagram:
 *
 * ```text
 * flags 1 | flow bucket and reference 2 | flow sequence 2 | global sequence 4 | send time 3
 * ```
 *
 * Normative text: docs/protocol.md.
 *
 * @module
 */

import { readU16, readU24, readU32, writeU16, writeU24, writeU32 } from "./field.ts";

/** Bytes of the header that is written in front of a packet. */
export const DATA_HEADER_BYTES = 12;

/** First byte: this bit, flags, and the kind of the packet in the low two bits. */
export const DATA = 0x80;
/** Flag: this packet was sent before, on this or another link. */
export const DATA_RESENT = 0x10;
/** Flag: the packet's transport checksum is not filled in; its field is meaningless. */
export const DATA_NEEDS_CHECKSUM = 0x20;
/** Flag: the packet's headers are compressed; see `header_compression.ts`. */
export const DATA_COMPRESSED = 0x40;
/** Flag: the packet's headers are to be kept: later ones may refer to them. */
export const DATA_REFERENCE = 0x08;
/** Bits of the packet's kind. */
export const DATA_KIND = 0x03;

/** Bits of the flow field that are the bucket; above them is the number of a reference. */
const BUCKET_BITS = 10;
const BUCKET_MASK = (1 << BUCKET_BITS) - 1;

const BUCKET = 1;
const FLOW_SEQUENCE = 3;
const GLOBAL_SEQUENCE = 5;
const SENT_AT = 9;

/** Writes the header in front of a packet; `flags` include the kind. */
export function writeDataHeader(
  bytes: Uint8Array,
  at: number,
  flags: number,
  bucket: number,
  flowSequence: number,
  globalSequence: number,
  sentAtUs: number,
): void {
  bytes[at] = DATA | flags;
  writeU16(bytes, at + BUCKET, bucket);
  writeU16(bytes, at + FLOW_SEQUENCE, flowSequence);
  writeU32(bytes, at + GLOBAL_SEQUENCE, globalSequence);
  writeU24(bytes, at + SENT_AT, sentAtUs);
}

/** Turns the header at `at` into that of a packet that is sent again. */
export function markResent(bytes: Uint8Array, at: number, sentAtUs: number): void {
  bytes[at] = bytes[at]! | DATA_RESENT;
  writeU24(bytes, at + SENT_AT, sentAtUs);
}

/** Tells whether a frame that begins at `at` is a DATA frame. */
export function isData(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & DATA) !== 0;
}

/** Returns the kind of the packet, 0 to 3. */
export function readKind(bytes: Uint8Array, at: number): number {
  return bytes[at]! & DATA_KIND;
}

/** Tells whether the packet's transport checksum is not filled in. */
export function lacksChecksum(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & DATA_NEEDS_CHECKSUM) !== 0;
}

/** Returns the flow bucket. */
export function readBucket(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at + BUCKET) & BUCKET_MASK;
}

/** Tells whether the packet's headers are compressed. */
export function isCompressed(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & DATA_COMPRESSED) !== 0;
}

/** Tells whether the packet's headers are to be kept. */
export function isReference(bytes: Uint8Array, at: number): boolean {
  return (bytes[at]! & DATA_REFERENCE) !== 0;
}

/** Returns the number of the reference that a packet is, or that its headers refer to. */
export function readReference(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at + BUCKET) >> BUCKET_BITS;
}

/** Makes the packet a reference (`flag`: {@linkcode DATA_REFERENCE}), or one compressed by it. */
export function markReference(bytes: Uint8Array, at: number, flag: number, number: number): void {
  bytes[at] = bytes[at]! | flag;
  writeU16(bytes, at + BUCKET, readBucket(bytes, at) | number << BUCKET_BITS);
}

/** Takes back what {@linkcode markReference} has said. */
export function clearReference(bytes: Uint8Array, at: number): void {
  bytes[at] = bytes[at]! & ~(DATA_COMPRESSED | DATA_REFERENCE);
  writeU16(bytes, at + BUCKET, readBucket(bytes, at));
}

/** Returns the number of the packet in its flow. */
export function readFlowSequence(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at + FLOW_SEQUENCE);
}

/** Returns the number of the packet among all. */
export function readGlobalSequence(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + GLOBAL_SEQUENCE);
}

/** Returns when the packet left, in wire time. */
export function readSentAt(bytes: Uint8Array, at: number): number {
  return readU24(bytes, at + SENT_AT);
}
