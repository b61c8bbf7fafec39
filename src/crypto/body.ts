/**
 * Bounds of the bodies that an AEAD reads and writes. Lengths come from the network, and a C
 * library knows nothing about slots: check before every call.
 *
 * @module
 */

import { type Slab, SLOT_BYTES } from "../slab.ts";
import { TAG_BYTES } from "../wire/datagram.ts";

/** Tells whether `length` bytes fit the body of `plain` and, with a tag, that of `sealed`. */
export function fitsBodies(length: number, plain: Slab, sealed: Slab): boolean {
  return length >= 0 && length <= SLOT_BYTES - plain.bodyOffset &&
    length <= SLOT_BYTES - TAG_BYTES - sealed.bodyOffset;
}
