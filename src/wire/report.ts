/**
 * The REPORT frame: what arrived on one link, as runs of counters. Normative text: docs/protocol.md.
 *
 * @module
 */

import { readU16, readU24, readU32, writeU16, writeU24, writeU32 } from "./field.ts";
import { FRAME, FRAME_HEADER_BYTES, writeFrameHeader } from "./frame.ts";
import { TIME_MASK } from "./time.ts";

/** Payload of a REPORT without its ranges. */
export const REPORT_BYTES = 35;
/** Bytes of a range: gap 2 | run 2. */
const RANGE_BYTES = 4;
/** Most ranges of one REPORT. */
export const MAX_RANGES = 32;
/** A REPORT covers at most this many counters, the highest included. */
export const MAX_REACH = 1024;
/** Bytes of the longest REPORT, its frame header included. */
export const MAX_REPORT_BYTES: number = FRAME_HEADER_BYTES + REPORT_BYTES +
  RANGE_BYTES * MAX_RANGES;
/** No datagram since the last report told when it had left. */
export const QUEUE_UNKNOWN = TIME_MASK;

/** What a REPORT says about the datagrams that arrived on one link. Reused on both ends. */
export class Report {
  linkId = 0;
  /** The receiver session id that the reported datagrams carried. */
  sessionId = 0;
  /** Low half of the highest counter received. */
  highest = 0;
  /** When it was received: microseconds modulo 2^32, clock of the reporter. */
  receivedAtUs = 0;
  /** Time from there to this report, in microseconds. */
  heldUs = 0;
  /** Datagrams and bytes received on this link and session, modulo 2^32 and 2^48. */
  datagrams = 0;
  bytes = 0;
  /** Least one-way delay since the last report: microseconds modulo 2^24, unsynchronised clocks. */
  owdUs = 0;
  /** How far that is above the recent least, in microseconds, or {@linkcode QUEUE_UNKNOWN}. */
  queueDelayUs = 0;
  /** Runs of received counters, from the highest downward: `runs[0]`, a gap of `gaps[1]`, `runs[1]`, ... */
  rangeCount = 0;
  readonly runs: Uint16Array<ArrayBuffer> = new Uint16Array(MAX_RANGES);
  readonly gaps: Uint16Array<ArrayBuffer> = new Uint16Array(MAX_RANGES);
}

/** Writes a REPORT frame; returns where it ends. */
export function writeReport(bytes: Uint8Array, at: number, report: Report): number {
  const length = REPORT_BYTES + RANGE_BYTES * report.rangeCount;
  const p = writeFrameHeader(bytes, at, FRAME.report, length);
  bytes[p] = report.linkId;
  writeU32(bytes, p + 1, report.sessionId);
  writeU32(bytes, p + 5, report.highest);
  writeU32(bytes, p + 9, report.receivedAtUs);
  writeU24(bytes, p + 13, Math.min(report.heldUs, TIME_MASK));
  writeU32(bytes, p + 16, report.datagrams);
  writeU16(bytes, p + 20, Math.floor(report.bytes / 0x1_0000_0000));
  writeU32(bytes, p + 22, report.bytes % 0x1_0000_0000);
  writeU24(bytes, p + 26, report.owdUs);
  writeU24(bytes, p + 29, Math.min(report.queueDelayUs, TIME_MASK));
  writeU16(bytes, p + 32, 0); // reserved
  bytes[p + 34] = report.rangeCount;
  for (let i = 0; i < report.rangeCount; i++) {
    writeU16(bytes, p + REPORT_BYTES + RANGE_BYTES * i, report.gaps[i]!);
    writeU16(bytes, p + REPORT_BYTES + RANGE_BYTES * i + 2, report.runs[i]!);
  }
  return p + length;
}

/** Reads the payload of a REPORT of `length` bytes at `p`; false when it is malformed. */
export function parseReport(bytes: Uint8Array, p: number, length: number, report: Report): boolean {
  if (length < REPORT_BYTES) return false;
  const ranges = bytes[p + 34]!;
  if (ranges === 0 || ranges > MAX_RANGES || length < REPORT_BYTES + RANGE_BYTES * ranges) {
    return false;
  }
  report.linkId = bytes[p]!;
  report.sessionId = readU32(bytes, p + 1);
  report.highest = readU32(bytes, p + 5);
  report.receivedAtUs = readU32(bytes, p + 9);
  report.heldUs = readU24(bytes, p + 13);
  report.datagrams = readU32(bytes, p + 16);
  report.bytes = readU16(bytes, p + 20) * 0x1_0000_0000 + readU32(bytes, p + 22);
  report.owdUs = readU24(bytes, p + 26);
  report.queueDelayUs = readU24(bytes, p + 29);
  report.rangeCount = ranges;
  for (let i = 0; i < ranges; i++) {
    report.gaps[i] = readU16(bytes, p + REPORT_BYTES + RANGE_BYTES * i);
    report.runs[i] = readU16(bytes, p + REPORT_BYTES + RANGE_BYTES * i + 2);
  }
  return true;
}

/**
 * Cuts off what a report says beyond {@linkcode MAX_REACH}: walking the counters costs time, while
 * a report of 32 runs of 65,535 costs its sender nothing.
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
