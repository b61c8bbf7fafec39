/**
 * Frames: what a sealed datagram carries. Normative text: docs/protocol.md.
 *
 * A datagram holds any number of control frames and at most one DATA frame,
 * which comes last and needs no length. Control frames are `type 1 | length 2 | payload`; an
 * unknown type is skipped by its length.
 *
 * @module
 */

import { readU16, readU24, readU32, writeU16, writeU24, writeU32 } from "./field.ts";
import { encodeName, type LinkTier, MAX_NAME_BYTES, parseName, TIERS } from "./handshake.ts";

/** Control frame types. The numbers are on the wire: never reuse one. */
export const FRAME = {
  probe: 1,
  probeAck: 2,
  report: 3,
  close: 4,
  padding: 5,
  link: 6,
  mtu: 7,
  fill: 8,
  address: 9,
} as const;

/** Bytes in front of a control frame's payload. */
export const FRAME_HEADER_BYTES = 3;
const FRAME_LENGTH = 1;
/** Payload of PROBE and PROBE-ACK: number 4 | send time 3. */
export const PROBE_BYTES = 7;
const PROBE_SENT_AT = 4;
/** Payload of CLOSE: reason 1. */
const CLOSE_BYTES = 1;
/** Payload of MTU: size 2. */
export const MTU_BYTES = 2;
/** Payload of FILL: number 1 | wait 2 | duration 2; it is written and read by `measure.ts`. */
export const FILL_BYTES = 5;
/** Payload of LINK: link id 1 | tier 1 | flags 1, then, of a spare link, name length 1 | name. */
export const LINK_BYTES = 3;
const LINK_TIER = 1;
const LINK_FLAGS = 2;
const LINK_NAME_LENGTH = 3;
const LINK_NAME = 4;

/** Why a peer closes its session. */
export const CLOSE_REASON = { shutdown: 0, replaced: 1 } as const;

/** Writes the header of a control frame; returns where its payload starts. */
export function writeFrameHeader(
  bytes: Uint8Array,
  at: number,
  type: number,
  length: number,
): number {
  bytes[at] = type;
  writeU16(bytes, at + FRAME_LENGTH, length);
  return at + FRAME_HEADER_BYTES;
}

/** Returns the type of the control frame that begins at `at`. */
export function readFrameType(bytes: Uint8Array, at: number): number {
  return bytes[at]!;
}

/** Returns the length of its payload. */
export function readFrameLength(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at + FRAME_LENGTH);
}

/**
 * Tells whether `length` bytes are too few for a control frame of `type`. REPORT and LINK are
 * checked by their parsers, and an unknown type may have any length.
 */
export function isTooShort(type: number, length: number): boolean {
  if (type === FRAME.probe || type === FRAME.probeAck) return length < PROBE_BYTES;
  if (type === FRAME.mtu) return length < MTU_BYTES;
  if (type === FRAME.fill) return length < FILL_BYTES;
  return type === FRAME.close && length < CLOSE_BYTES;
}

/** Writes an MTU frame; returns where it ends. `sizeBytes` is that of the IP packet. */
export function writeMtu(bytes: Uint8Array, at: number, sizeBytes: number): number {
  const payload = writeFrameHeader(bytes, at, FRAME.mtu, MTU_BYTES);
  writeU16(bytes, payload, sizeBytes);
  return payload + MTU_BYTES;
}

/** Returns the size in the payload of an MTU of at least {@linkcode MTU_BYTES}. */
export function readMtu(bytes: Uint8Array, payload: number): number {
  return readU16(bytes, payload);
}

/** Writes a PADDING frame of `length` bytes with its header; returns where it ends. */
export function writePadding(bytes: Uint8Array, at: number, length: number): number {
  const payload = writeFrameHeader(bytes, at, FRAME.padding, length - FRAME_HEADER_BYTES);
  bytes.fill(0, payload, at + length);
  return at + length;
}

/** Writes a CLOSE frame; returns where it ends. */
export function writeClose(bytes: Uint8Array, at: number, reason: number): number {
  const payload = writeFrameHeader(bytes, at, FRAME.close, CLOSE_BYTES);
  bytes[payload] = reason;
  return payload + CLOSE_BYTES;
}

/** Returns the number in the payload of a PROBE or PROBE-ACK of at least {@linkcode PROBE_BYTES}. */
export function readProbeNumber(bytes: Uint8Array, payload: number): number {
  return readU32(bytes, payload);
}

/** Returns when that probe was sent, in wire time. */
export function readProbeSentAt(bytes: Uint8Array, payload: number): number {
  return readU24(bytes, payload + PROBE_SENT_AT);
}

/** Writes a PROBE or a PROBE-ACK frame; returns where it ends. */
export function writeProbe(
  bytes: Uint8Array,
  at: number,
  type: number,
  number: number,
  sentAtUs: number,
): number {
  const payload = writeFrameHeader(bytes, at, type, PROBE_BYTES);
  writeU32(bytes, payload, number);
  writeU24(bytes, payload + PROBE_SENT_AT, sentAtUs);
  return payload + PROBE_BYTES;
}

const LINK_METERED = 1;
const LINK_GONE = 2;
const LINK_LAST = 4;

/** What a LINK says. Reused on both ends. */
export class LinkUpdate {
  linkId = 0;
  tier: LinkTier = "primary";
  metered = false;
  /** Whether a spare link stands for nothing any more. */
  gone = false;
  /** What a spare link is called; empty when that is not said. */
  name = "";
}

/** Bytes of the longest LINK with its header. */
export const MAX_LINK_BYTES = FRAME_HEADER_BYTES + LINK_NAME + MAX_NAME_BYTES;

/** Writes a LINK frame; returns where it ends. */
export function writeLinkUpdate(
  bytes: Uint8Array,
  at: number,
  { linkId, tier, metered, gone, name }: Readonly<LinkUpdate>,
): number {
  const text = encodeName(name);
  const named = text.length === 0 ? 0 : 1 + text.length;
  const payload = writeFrameHeader(bytes, at, FRAME.link, LINK_BYTES + named);
  bytes[payload] = linkId;
  bytes[payload + LINK_TIER] = TIERS.indexOf(tier === "last" ? "backup" : tier);
  bytes[payload + LINK_FLAGS] = (metered ? LINK_METERED : 0) | (gone ? LINK_GONE : 0) |
    (tier === "last" ? LINK_LAST : 0);
  if (named === 0) return payload + LINK_BYTES;
  bytes[payload + LINK_NAME_LENGTH] = text.length;
  bytes.set(text, payload + LINK_NAME);
  return payload + LINK_BYTES + named;
}

/**
 * Reads the payload of a LINK of `length` bytes at `p`; false, with `update` unchanged, when it is
 * too short, or its tier or its name make no sense.
 */
export function parseLinkUpdate(
  bytes: Uint8Array,
  p: number,
  length: number,
  update: LinkUpdate,
): boolean {
  if (length < LINK_BYTES) return false;
  const tier = TIERS[bytes[p + LINK_TIER]!];
  const name = length === LINK_BYTES ? "" : readName(bytes, p, length);
  if (tier === undefined || name === undefined) return false;
  const flags = bytes[p + LINK_FLAGS]!;
  update.linkId = bytes[p]!;
  update.tier = tier === "backup" && (flags & LINK_LAST) !== 0 ? "last" : tier;
  update.metered = (flags & LINK_METERED) !== 0;
  update.gone = (flags & LINK_GONE) !== 0;
  update.name = name;
  return true;
}

function readName(bytes: Uint8Array, p: number, length: number): string | undefined {
  const size = bytes[p + LINK_NAME_LENGTH]!;
  return LINK_NAME + size > length ? undefined : parseName(bytes, p + LINK_NAME, size);
}
