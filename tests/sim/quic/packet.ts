/**
 * The packets of the model of QUIC, in UDP: what matters of a packet with data is its number and
 * which piece of the stream it carries; what matters of an acknowledgement is its ranges.
 *
 * @module
 */

import { IPV4_BYTES, read16, read32, type Side, write16, write32, writePorts } from "../packet.ts";

const UDP_BYTES = 8;
/** Where the content begins. */
const CONTENT = IPV4_BYTES + UDP_BYTES;
/** Bytes that real QUIC needs besides stream data: its headers, that of the frame, the tag. */
const OVERHEAD_BYTES = 36;
/** ECT(0), which quinn sets in all it sends, and "congestion experienced" (RFC 3168). */
export const ECN_CAPABLE = 2;
const MARKED = 3;
const DATA = 1;
const ACK = 2;
/** Ranges that fit what the simulator copies of a packet. */
export const MAX_RANGES = 7;
const MARKS = CONTENT + 8;
const RANGES = CONTENT + 11;

/** Stream data in an IP packet of this many bytes. */
export function payloadOf(packetBytes: number): number {
  return packetBytes - CONTENT - OVERHEAD_BYTES;
}

/** A packet with data. */
export interface DataPacket {
  number: number;
  /** Piece of the stream. */
  piece: number;
  /** Whether a router, or the tunnel, has marked it "congestion experienced". */
  marked: boolean;
}

/** An acknowledgement. */
export interface AckPacket {
  /** Pieces below this one may be sent. */
  limit: number;
  /** Microseconds that the largest number has waited for this, up to 65 ms. */
  delayUs: number;
  /** Marked packets that have come so far, modulo 2^16 (RFC 9000 section 13.4). */
  marks: number;
  rangeCount: number;
  /** Packets from `starts[i]` to before `ends[i]` have come; the latest first. */
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

/** Returns an acknowledgement of nothing. */
export function emptyAck(): AckPacket {
  return {
    limit: 0,
    delayUs: 0,
    marks: 0,
    rangeCount: 0,
    starts: new Float64Array(MAX_RANGES),
    ends: new Float64Array(MAX_RANGES),
  };
}

/** Writes a packet with data of `totalBytes`. */
export function writeData(
  out: Uint8Array,
  from: Side,
  port: number,
  packet: Pick<DataPacket, "number" | "piece">,
  totalBytes: number,
): void {
  writeUdp(out, from, port, totalBytes);
  out[CONTENT] = DATA;
  write32(out, CONTENT + 1, packet.number);
  write32(out, CONTENT + 5, packet.piece);
}

/** Writes an acknowledgement; returns the bytes of its IP packet. */
export function writeAck(out: Uint8Array, from: Side, port: number, ack: AckPacket): number {
  const totalBytes = RANGES + 8 * ack.rangeCount;
  writeUdp(out, from, port, totalBytes);
  out[CONTENT] = ACK;
  write32(out, CONTENT + 1, ack.limit);
  write16(out, CONTENT + 5, Math.min(0xffff, ack.delayUs));
  out[CONTENT + 7] = ack.rangeCount;
  write16(out, MARKS, ack.marks);
  for (let i = 0; i < ack.rangeCount; i++) {
    write32(out, RANGES + 8 * i, ack.starts[i]!);
    write32(out, RANGES + 8 * i + 4, ack.ends[i]!);
  }
  return totalBytes;
}

/** Reads a packet with data at `at`; returns false when it is something else. */
export function readData(bytes: Uint8Array, at: number, packet: DataPacket): boolean {
  if (bytes[at + CONTENT] !== DATA) return false;
  packet.number = read32(bytes, at + CONTENT + 1);
  packet.piece = read32(bytes, at + CONTENT + 5);
  packet.marked = (bytes[at + 1]! & 3) === MARKED;
  return true;
}

/** Reads an acknowledgement at `at`; returns false when it is something else. */
export function readAck(bytes: Uint8Array, at: number, ack: AckPacket): boolean {
  if (bytes[at + CONTENT] !== ACK) return false;
  ack.limit = read32(bytes, at + CONTENT + 1);
  ack.delayUs = read16(bytes, at + CONTENT + 5);
  ack.rangeCount = bytes[at + CONTENT + 7]!;
  ack.marks = read16(bytes, at + MARKS);
  for (let i = 0; i < ack.rangeCount; i++) {
    ack.starts[i] = read32(bytes, at + RANGES + 8 * i);
    ack.ends[i] = read32(bytes, at + RANGES + 8 * i + 4);
  }
  return true;
}

function writeUdp(out: Uint8Array, from: Side, port: number, totalBytes: number): void {
  writePorts(out, from, port);
  write16(out, IPV4_BYTES + 4, totalBytes - IPV4_BYTES);
  write16(out, IPV4_BYTES + 6, 0);
}
