/**
 * An AEAD that costs next to nothing and protects nothing: the body is copied and
 * the tag is a mix of key, nonce, associated data and length. A wrong key,
 * nonce or header still makes it fail.
 *
 * @module
 */

import type { AeadKey, AeadProvider, Cipher } from "../../src/crypto/aead.ts";
import type { Slab } from "../../src/slab.ts";
import { TAG_BYTES } from "../../src/wire/datagram.ts";

function mix(hash: number, bytes: Uint8Array): number {
  let h = hash;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return h;
}

function copyBody(from: Slab, fromSlot: number, length: number, to: Slab, toSlot: number): void {
  const start = from.at(fromSlot) + from.bodyOffset;
  to.bytes.set(from.bytes.subarray(start, start + length), to.at(toSlot) + to.bodyOffset);
}

class SimKey implements AeadKey {
  readonly #hash: number;

  constructor(key: Uint8Array) {
    this.#hash = mix(0x811c9dc5, key);
  }

  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    from: Slab,
    fromSlot: number,
    length: number,
    to: Slab,
    toSlot: number,
  ): void {
    copyBody(from, fromSlot, length, to, toSlot);
    const at = to.at(toSlot) + to.bodyOffset + length;
    const tag = this.#tag(nonce, aad, length);
    for (let i = 0; i < TAG_BYTES; i++) to.bytes[at + i] = tag >>> (8 * (i & 3));
  }

  open(
    nonce: Uint8Array,
    aad: Uint8Array,
    from: Slab,
    fromSlot: number,
    length: number,
    to: Slab,
    toSlot: number,
  ): boolean {
    const at = from.at(fromSlot) + from.bodyOffset + length;
    const tag = this.#tag(nonce, aad, length);
    for (let i = 0; i < TAG_BYTES; i++) {
      if (from.bytes[at + i] !== ((tag >>> (8 * (i & 3))) & 0xff)) return false;
    }
    copyBody(from, fromSlot, length, to, toSlot);
    return true;
  }

  close(): void {}

  #tag(nonce: Uint8Array, aad: Uint8Array, length: number): number {
    return Math.imul(mix(mix(this.#hash, nonce), aad) ^ length, 0x01000193);
  }
}

/** The provider that scenarios use. */
export const SIM_AEAD: AeadProvider = {
  name: "sim",
  hardwareAes: true,
  importKey: (_cipher: Cipher, key: Uint8Array): AeadKey => new SimKey(key),
};
