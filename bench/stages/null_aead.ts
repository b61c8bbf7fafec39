/**
 * Ciphers that do not encrypt, to measure what the core costs without encryption.
 *
 * @module
 */

import type { AeadKey, AeadProvider } from "../../src/crypto/aead.ts";
import type { Slab } from "../../src/slab.ts";

/** Does nothing and accepts everything. */
export const NO_KEY: AeadKey = {
  seal: () => {},
  open: () => true,
  close: () => {},
};

/** Copies the body, without allocating; accepts everything. */
class CopyKey implements AeadKey {
  seal(
    _nonce: Uint8Array,
    _aad: Uint8Array,
    from: Slab,
    fromSlot: number,
    length: number,
    to: Slab,
    toSlot: number,
  ): void {
    copyBody(from, fromSlot, length, to, toSlot);
  }

  open(
    _nonce: Uint8Array,
    _aad: Uint8Array,
    from: Slab,
    fromSlot: number,
    length: number,
    to: Slab,
    toSlot: number,
  ): boolean {
    copyBody(from, fromSlot, length, to, toSlot);
    return true;
  }

  close(): void {}
}

/** A loop, since the views that `set` wants would be allocated. */
function copyBody(from: Slab, fromSlot: number, length: number, to: Slab, toSlot: number): void {
  const source = from.at(fromSlot) + from.bodyOffset;
  const target = to.at(toSlot) + to.bodyOffset;
  for (let i = 0; i < length; i++) to.bytes[target + i] = from.bytes[source + i]!;
}

/** Gives keys that copy. */
export const COPY_AEAD: AeadProvider = {
  name: "copy",
  hardwareAes: true,
  importKey: (): AeadKey => new CopyKey(),
};
