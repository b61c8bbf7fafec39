/**
 * Frames that measure a link: FILL and ADDRESS. Normative text: docs/protocol.md.
 *
 * ```text
 * FILL     number 1 | wait 2 | duration 2      times in milliseconds
 * ADDRESS  nothing: a question, or port 2 | address 4 or 16: its answer
 * ```
 *
 * @module
 */

import { Address } from "../address.ts";
import { readU16, writeU16 } from "./field.ts";
import { FILL_BYTES, FRAME, FRAME_HEADER_BYTES, writeFrameHeader } from "./frame.ts";

const FILL_WAIT = 1;
const FILL_DURATION = 3;
const PORT_BYTES = 2;
/** Bytes of the longest ADDRESS with its header. */
export const MAX_ADDRESS_BYTES: number = FRAME_HEADER_BYTES + PORT_BYTES + 16;

/** What a FILL asks for: to be silent for a while, and then to send as much as the link carries. */
export interface Fill {
  /** 0 to 255: one that is repeated has the same. */
  readonly number: number;
  readonly waitMs: number;
  readonly durationMs: number;
}

/** Writes a FILL frame; returns where it ends. Times are cut to what 16 bits hold. */
export function writeFill(bytes: Uint8Array, at: number, fill: Fill): number {
  const payload = writeFrameHeader(bytes, at, FRAME.fill, FILL_BYTES);
  bytes[payload] = fill.number;
  writeU16(bytes, payload + FILL_WAIT, Math.min(fill.waitMs, 0xffff));
  writeU16(bytes, payload + FILL_DURATION, Math.min(fill.durationMs, 0xffff));
  return payload + FILL_BYTES;
}

/** Reads the payload of a FILL of at least {@linkcode FILL_BYTES}. */
export function readFill(bytes: Uint8Array, payload: number): Fill {
  return {
    number: bytes[payload]!,
    waitMs: readU16(bytes, payload + FILL_WAIT),
    durationMs: readU16(bytes, payload + FILL_DURATION),
  };
}

/** Writes an ADDRESS frame that asks; returns where it ends. */
export function writeAddressQuestion(bytes: Uint8Array, at: number): number {
  return writeFrameHeader(bytes, at, FRAME.address, 0);
}

/** Writes an ADDRESS frame that answers; returns where it ends. */
export function writeAddress(
  bytes: Uint8Array,
  at: number,
  address: Address,
  port: number,
): number {
  const length = PORT_BYTES + address.bytes.length;
  const payload = writeFrameHeader(bytes, at, FRAME.address, length);
  writeU16(bytes, payload, port);
  bytes.set(address.bytes, payload + PORT_BYTES);
  return payload + length;
}

/**
 * Reads the payload of an ADDRESS of `length` bytes; undefined unless it is an answer with an
 * address of either family.
 */
export function parseAddressAnswer(
  bytes: Uint8Array,
  payload: number,
  length: number,
): { readonly address: Address; readonly port: number } | undefined {
  const size = length - PORT_BYTES;
  if (size !== 4 && size !== 16) return undefined;
  const start = payload + PORT_BYTES;
  return { address: new Address(bytes.slice(start, start + size)), port: readU16(bytes, payload) };
}
