/**
 * The internet checksum (RFC 1071) of bytes anywhere, two at a time. Of whole packets in a pool
 * `offload/checksum.ts` computes it several times as fast.
 *
 * @module
 */

import { readU16 } from "./field.ts";

/** Folds a sum, below 2^53, to 16 bits; 0 only when everything was 0. */
export function fold(sum: number): number {
  let folded = Math.floor(sum / 0x1_0000_0000) + (sum >>> 0);
  folded = Math.floor(folded / 0x1_0000) + (folded & 0xffff);
  folded = (folded >>> 16) + (folded & 0xffff);
  return (folded >>> 16) + (folded & 0xffff);
}

/** Returns the folded sum, not complemented, of the `length` bytes at `at`. */
export function sumOfBytes(bytes: Uint8Array, at: number, length: number): number {
  let sum = 0;
  for (let i = 0; i + 1 < length; i += 2) sum += readU16(bytes, at + i);
  if ((length & 1) !== 0) sum += bytes[at + length - 1]! << 8;
  return fold(sum);
}
