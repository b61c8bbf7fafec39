/**
 * The outer datagram of a session: `type 1 | link id 1 | receiver session id 4 | counter 4`, then
 * sealed frames, then the tag. Normative text: docs/protocol.md.
 *
 * @module
 */

import { readU32, writeU32 } from "./field.ts";

/** First byte of a transport datagram; handshake datagrams have others. Never reuse it. */
export const TRANSPORT_TYPE = 4;
/** Bytes of the header; the ciphertext follows. */
export const OUTER_HEADER_BYTES = 10;
/** Bytes of the AEAD tag that ends a datagram (RFC 8439 section 2.8, RFC 5116 section 5.2). */
export const TAG_BYTES = 16;
/** A shorter datagram carries nothing. */
export const LEAST_TRANSPORT_BYTES: number = OUTER_HEADER_BYTES + TAG_BYTES + 1;

const LINK = 1;
const RECEIVER = 2;
const COUNTER = 6;

/** Writes the header; `counter` is truncated to its low half. */
export function writeTransportHeader(
  bytes: Uint8Array,
  at: number,
  link: number,
  receiverId: number,
  counter: number,
): void {
  bytes[at] = TRANSPORT_TYPE;
  bytes[at + LINK] = link;
  writeU32(bytes, at + RECEIVER, receiverId);
  writeU32(bytes, at + COUNTER, counter >>> 0);
}

/** Returns the type of a datagram, of any kind, that has at least a byte. */
export function readDatagramType(bytes: Uint8Array, at: number): number {
  return bytes[at]!;
}

/** Returns the id of the link. */
export function readLinkId(bytes: Uint8Array, at: number): number {
  return bytes[at + LINK]!;
}

/** Returns the id of the receiver's session. */
export function readReceiverId(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + RECEIVER);
}

/** Returns the low half of the counter. */
export function readCounterLow(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + COUNTER);
}

/** Bits of a session id that count the sessions of one instance. */
const COUNT_BITS = 8;

/** Makes a session id: an instance of 24 bits, and which of its sessions, modulo 256. */
export function sessionId(instance: number, count: number): number {
  return (instance << COUNT_BITS | count & 0xff) >>> 0;
}

/** Returns the instance of the end that chose a session id: it changes when that end restarts. */
export function instanceOf(id: number): number {
  return id >>> COUNT_BITS;
}
