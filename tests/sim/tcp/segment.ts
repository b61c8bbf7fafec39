/**
 * TCP headers with the options of a bulk transfer: maximum segment size and window
 * scale on SYN, timestamps (RFC 7323) and selective acknowledgements (RFC 2018).
 *
 * @module
 */

import { IPV4_BYTES, read16, read32, type Side, write16, write32, writePorts } from "../packet.ts";

/** TCP flags. */
export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;
/** Shift of the advertised window. */
export const WINDOW_SCALE = 10;
/** Bytes of the headers of a segment with data: IPv4, TCP, timestamps. */
export const DATA_HEADERS_BYTES = IPV4_BYTES + 32;
/** Blocks that fit along with timestamps. */
export const MAX_SACK_BLOCKS = 3;

/** The fields of one segment; one object is reused. */
export class Segment {
  seq = 0;
  ack = 0;
  flags = 0;
  /** Bytes. */
  window = 0;
  /** Milliseconds. */
  tsValue = 0;
  tsEcho = 0;
  /** 0 except on SYN. */
  mss = 0;
  payloadBytes = 0;
  sackCount = 0;
  readonly sackStart = new Float64Array(MAX_SACK_BLOCKS);
  readonly sackEnd = new Float64Array(MAX_SACK_BLOCKS);
}

/** Writes ports and TCP header after the IPv4 header; returns where the payload starts. */
export function writeSegment(out: Uint8Array, side: Side, port: number, from: Segment): number {
  writePorts(out, side, port);
  write32(out, IPV4_BYTES + 4, from.seq);
  write32(out, IPV4_BYTES + 8, from.ack);
  write16(out, IPV4_BYTES + 14, Math.min(0xffff, from.window >>> WINDOW_SCALE));
  write32(out, IPV4_BYTES + 16, 0);
  const end = writeOptions(out, IPV4_BYTES + 20, from);
  out[IPV4_BYTES + 12] = (end - IPV4_BYTES) << 2;
  out[IPV4_BYTES + 13] = from.flags;
  return end;
}

function writeOptions(out: Uint8Array, start: number, from: Segment): number {
  let at = start;
  const option = (kind: number, length: number): number => {
    out[at] = kind;
    out[at + 1] = length;
    at += length;
    return at - length + 2;
  };
  if (from.mss > 0) {
    write16(out, option(2, 4), from.mss);
    option(4, 2);
    out[option(3, 3)] = WINDOW_SCALE;
    out[at++] = 1;
    out[at++] = 1;
    out[at++] = 1;
  } else {
    out[at++] = 1;
    out[at++] = 1;
  }
  const stamps = option(8, 10);
  write32(out, stamps, from.tsValue);
  write32(out, stamps + 4, from.tsEcho);
  if (from.sackCount > 0) {
    out[at++] = 1;
    out[at++] = 1;
    const blocks = option(5, 2 + 8 * from.sackCount);
    for (let i = 0; i < from.sackCount; i++) {
      write32(out, blocks + 8 * i, from.sackStart[i]!);
      write32(out, blocks + 8 * i + 4, from.sackEnd[i]!);
    }
  }
  while ((at - start) % 4 !== 0) out[at++] = 0;
  return at;
}

/** Reads the segment of the IPv4 packet at `at` into `to`. */
export function readSegment(bytes: Uint8Array, at: number, length: number, to: Segment): void {
  const tcp = at + IPV4_BYTES;
  to.seq = read32(bytes, tcp + 4);
  to.ack = read32(bytes, tcp + 8);
  to.flags = bytes[tcp + 13]!;
  to.window = read16(bytes, tcp + 14) << WINDOW_SCALE;
  to.mss = to.sackCount = 0;
  const end = tcp + (bytes[tcp + 12]! >> 2);
  to.payloadBytes = at + length - end;
  for (let o = tcp + 20; o < end && bytes[o] !== 0;) {
    const kind = bytes[o]!;
    if (kind === 1) {
      o++;
      continue;
    }
    if (kind === 2) to.mss = read16(bytes, o + 2);
    else if (kind === 8) {
      to.tsValue = read32(bytes, o + 2);
      to.tsEcho = read32(bytes, o + 6);
    } else if (kind === 5) readBlocks(bytes, o, to);
    o += Math.max(1, bytes[o + 1]!);
  }
}

function readBlocks(bytes: Uint8Array, option: number, to: Segment): void {
  to.sackCount = Math.min(MAX_SACK_BLOCKS, (bytes[option + 1]! - 2) >> 3);
  for (let i = 0; i < to.sackCount; i++) {
    to.sackStart[i] = read32(bytes, option + 2 + 8 * i);
    to.sackEnd[i] = read32(bytes, option + 6 + 8 * i);
  }
}
