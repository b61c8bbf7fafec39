/**
 * The structures of recvmmsg(2) and sendmmsg(2), in words of 4 bytes because that is
 * how they are accessed:
 *
 * ```text
 * mmsghdr 16: name 0:2, name length 2, iov 4:2, iov count 6:2, control 8:2,
 *             control length 10:2, flags 12, datagram length 14
 * iovec    4: base 0:2, length 2:2
 * cmsghdr  4: length 0:2, level 2, type 3; the data follows, padded to 2 words
 * ```
 *
 * Linux on 64-bit little-endian machines. glibc and musl differ in the width of the
 * lengths; with their upper halves zero both read the same.
 *
 * @module
 */

import { addressWords } from "../ffi.ts";
import { CMSG_HEADER_BYTES } from "./sockaddr.ts";

export const HEADER_WORDS = 16;
export const NAME = 0;
export const NAME_LENGTH = 2;
export const IOV = 4;
export const IOV_COUNT = 6;
export const CONTROL = 8;
export const CONTROL_LENGTH = 10;
export const FLAGS = 12;
export const DATAGRAM_LENGTH = 14;

export const IOVEC_WORDS = 4;
export const IOVEC_LENGTH = 2;

export const CMSG_LEVEL = 2;
export const CMSG_TYPE = 3;
export const CMSG_DATA: number = CMSG_HEADER_BYTES / 4;

/** Stores `address` as the two words a pointer takes. */
export function setAddress(words: Uint32Array, at: number, address: bigint): void {
  const { low, high } = addressWords(address);
  words[at] = low;
  words[at + 1] = high;
}
