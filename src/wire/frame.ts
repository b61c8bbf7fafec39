/**
 * Frames: what a sealed datagram carries. Normative text: docs/protocol.md.
 *
 * A datagram holds any number of control frames and at most one DATA frame,
 * which comes last and needs no length. Control frames are `type 1 | length 2 |
 * payload`; a type that is not known is skipped by its length.
 *
 * @module
 */

import { readU16, readU24, readU32, writeU16, writeU24, writeU32 } from "./field.ts";
import { type Tier, TIERS } from "./handshake.ts";

/** First byte of a transport datagram, beside those of handshake datagrams. Never reuse it. */
export const TRANSPORT_TYPE = 4;

/** First byte of a DATA frame: this bit, flags, and the kind of the packet in the low two bits. */
export const DATA = 0x80;
/** DATA flag: this packet was sent before, on this or another link. */
export const DATA_RESENT = 0x10;
/** DATA flag: the packet's transport checksum is not filled in; its field means nothing. */
export const DATA_NEEDS_CHECKSUM = 0x20;
/** DATA: bits of the packet's kind. */
export const DATA_KIND = 0x03;

/** Control frame types. The numbers are on the wire: never reuse one. */
export const FRAME = { probe: 1, probeAck: 2, report: 3, close: 4, padding: 5, link: 6 } as const;

/** Bytes in front of a control frame's payload. */
export const FRAME_HEADER_BYTES = 3;
/** Payload of PROBE and PROBE-ACK: number 4 | send time 3. */
export const PROBE_BYTES = 7;
/** Payload of CLOSE: reason 1. */
export const CLOSE_BYTES = 1;
/** Payload of LINK: link id 1 | tier 1 | flags 1. */
export const LINK_BYTES = 3;
/** Payload of a REPORT without its ranges. */
export const REPORT_BYTES = 35;
/** Most ranges of one REPORT. */
export const MAX_RANGES = 32;
/** A REPORT tells of this many counters at most, the highest included. */
export const MAX_REACH = 1024;

/** Why a peer closes its session. */
export const CLOSE_REASON = { shutdown: 0, replaced: 1 } as const;

/** Times on the wire are microseconds modulo 2^24. */
export const TIME_MASK = 0xff_ffff;
/** REPORT: nothing that arrived since the last one told when it had left. */
export const QUEUE_UNKNOWN = TIME_MASK;

/** Returns `now` (microseconds) as a time of the wire. */
export function wireTime(now: number): number {
  return Math.floor(now % 0x100_0000);
}

/** Returns `a - b` of two times of the wire, between -2^23 and 2^23 - 1 microseconds. */
export function timeDifference(a: number, b: number): number {
  return (a - b) << 8 >> 8;
}

/** Writes the DATA header (12 bytes) that stands in front of a packet. */
export function writeDataHeader(
  bytes: Uint8Array,
  at: number,
  flags: number,
  bucket: number,
  flowSequence: number,
  globalSequence: number,
  sentAt: number,
): void {
  bytes[at] = DATA | flags;
  writeU16(bytes, at + 1, bucket);
  writeU16(bytes, at + 3, flowSequence);
  writeU32(bytes, at + 5, globalSequence);
  writeU24(bytes, at + 9, sentAt);
}

/** Writes the header of a control frame; returns where its payload starts. */
export function writeFrameHeader(
  bytes: Uint8Array,
  at: number,
  type: number,
  length: number,
): number {
  bytes[at] = type;
  writeU16(bytes, at + 1, length);
  return at + FRAME_HEADER_BYTES;
}

/** Writes a PROBE or a PROBE-ACK frame; returns where it ends. */
export function writeProbe(
  bytes: Uint8Array,
  at: number,
  type: number,
  number: number,
  sentAt: number,
): number {
  const payload = writeFrameHeader(bytes, at, type, PROBE_BYTES);
  writeU32(bytes, payload, number);
  writeU24(bytes, payload + 4, sentAt);
  return payload + PROBE_BYTES;
}

const LINK_METERED = 1;

/** What a LINK says. Reused on both ends. */
export class LinkUpdate {
  linkId = 0;
  tier: Tier = "primary";
  metered = false;
}

/** Writes a LINK frame; returns where it ends. */
export function writeLinkUpdate(
  bytes: Uint8Array,
  at: number,
  linkId: number,
  tier: Tier,
  metered: boolean,
): number {
  const payload = writeFrameHeader(bytes, at, FRAME.link, LINK_BYTES);
  bytes[payload] = linkId;
  bytes[payload + 1] = TIERS.indexOf(tier);
  bytes[payload + 2] = metered ? LINK_METERED : 0;
  return payload + LINK_BYTES;
}

/**
 * Reads the payload of a LINK of `length` bytes at `p`; false, and `update` as it was, when it is
 * too short or of a tier that is not known.
 */
export function parseLinkUpdate(
  bytes: Uint8Array,
  p: number,
  length: number,
  update: LinkUpdate,
): boolean {
  if (length < LINK_BYTES) return false;
  const tier = TIERS[bytes[p + 1]!];
  if (tier === undefined) return false;
  update.linkId = bytes[p]!;
  update.tier = tier;
  update.metered = (bytes[p + 2]! & LINK_METERED) !== 0;
  return true;
}

/** What a REPORT says of the datagrams that arrived on one link. Reused on both ends. */
export class Report {
  linkId = 0;
  /** The receiver session id that the reported datagrams carried. */
  sessionId = 0;
  /** Low half of the highest counter received. */
  highest = 0;
  /** When it was received: microseconds modulo 2^32, clock of the reporter. */
  receivedAt = 0;
  /** Time from there to this report, in microseconds. */
  heldUs = 0;
  /** Datagrams and bytes received on this link and session, modulo 2^32 and 2^48. */
  datagrams = 0;
  bytes = 0;
  /** Least one-way delay since the last report: microseconds modulo 2^24, of unsynchronised clocks. */
  owdUs = 0;
  /** How far that is above the least of the recent past, in microseconds, or {@linkcode QUEUE_UNKNOWN}. */
  queueDelayUs = 0;
  /** Runs of received counters, from the highest downward: `runs[0]`, a gap of `gaps[1]`, `runs[1]`, ... */
  rangeCount = 0;
  readonly runs: Uint16Array<ArrayBuffer> = new Uint16Array(MAX_RANGES);
  readonly gaps: Uint16Array<ArrayBuffer> = new Uint16Array(MAX_RANGES);
}

/** Writes a REPORT frame; returns where it ends. */
export function writeReport(bytes: Uint8Array, at: number, report: Report): number {
  const length = REPORT_BYTES + 4 * report.rangeCount;
  const p = writeFrameHeader(bytes, at, FRAME.report, length);
  bytes[p] = report.linkId;
  writeU32(bytes, p + 1, report.sessionId);
  writeU32(bytes, p + 5, report.highest);
  writeU32(bytes, p + 9, report.receivedAt);
  writeU24(bytes, p + 13, Math.min(report.heldUs, TIME_MASK));
  writeU32(bytes, p + 16, report.datagrams);
  writeU16(bytes, p + 20, Math.floor(report.bytes / 0x1_0000_0000));
  writeU32(bytes, p + 22, report.bytes % 0x1_0000_0000);
  writeU24(bytes, p + 26, report.owdUs);
  writeU24(bytes, p + 29, Math.min(report.queueDelayUs, TIME_MASK));
  writeU16(bytes, p + 32, 0); // reserved
  bytes[p + 34] = report.rangeCount;
  for (let i = 0; i < report.rangeCount; i++) {
    writeU16(bytes, p + REPORT_BYTES + 4 * i, report.gaps[i]!);
    writeU16(bytes, p + REPORT_BYTES + 4 * i + 2, report.runs[i]!);
  }
  return p + length;
}

/** Reads the payload of a REPORT of `length` bytes at `p`; false when it is malformed. */
export function parseReport(bytes: Uint8Array, p: number, length: number, report: Report): boolean {
  if (length < REPORT_BYTES) return false;
  const ranges = bytes[p + 34]!;
  if (ranges === 0 || ranges > MAX_RANGES || length < REPORT_BYTES + 4 * ranges) return false;
  report.linkId = bytes[p]!;
  report.sessionId = readU32(bytes, p + 1);
  report.highest = readU32(bytes, p + 5);
  report.receivedAt = readU32(bytes, p + 9);
  report.heldUs = readU24(bytes, p + 13);
  report.datagrams = readU32(bytes, p + 16);
  report.bytes = readU16(bytes, p + 20) * 0x1_0000_0000 + readU32(bytes, p + 22);
  report.owdUs = readU24(bytes, p + 26);
  report.queueDelayUs = readU24(bytes, p + 29);
  report.rangeCount = ranges;
  for (let i = 0; i < ranges; i++) {
    report.gaps[i] = readU16(bytes, p + REPORT_BYTES + 4 * i);
    report.runs[i] = readU16(bytes, p + REPORT_BYTES + 4 * i + 2);
  }
  return true;
}

/**
 * Cuts off what a report tells beyond {@linkcode MAX_REACH}: walking the counters costs time,
 * which whoever sends a report of 32 runs of 65,535 does not pay for.
 */
export function limitReach(report: Report): void {
  let left = MAX_REACH;
  for (let i = 0; i < report.rangeCount; i++) {
    left -= report.gaps[i]!;
    if (left <= 0) {
      report.rangeCount = i;
      return;
    }
    report.runs[i] = Math.min(report.runs[i]!, left);
    left -= report.runs[i]!;
  }
}
