/**
 * The ciphers in TypeScript, for hosts without libcrypto: slower by an order of magnitude or more,
 * and allocating, but without dependencies on the host.
 *
 * @module
 */

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { Slab } from "../slab.ts";
import { TAG_BYTES } from "../wire/datagram.ts";
import { type AeadKey, type AeadProvider, checkKey, type Cipher } from "./aead.ts";
import { fitsBodies } from "./body.ts";

type Construct = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array) => {
  encrypt(plain: Uint8Array): Uint8Array;
  decrypt(sealed: Uint8Array): Uint8Array;
};

const CONSTRUCT: Readonly<Record<Cipher, Construct>> = {
  aes256gcm: gcm,
  chacha20poly1305,
};

/** Returns the provider that is always available. */
export function nobleProvider(): AeadProvider {
  return {
    name: "noble",
    hardwareAes: false,
    importKey: (cipher, key) => new NobleKey(CONSTRUCT[cipher], key),
  };
}

class NobleKey implements AeadKey {
  readonly #construct: Construct;
  readonly #key: Uint8Array;
  #closed = false;

  constructor(construct: Construct, key: Uint8Array) {
    checkKey(key);
    this.#construct = construct;
    this.#key = key.slice();
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
    this.#refuseWhenClosed();
    if (!fitsBodies(length, from, to)) throw new Error(`Cannot seal ${length} bytes`);
    const plain = body(from, fromSlot, length);
    const sealed = this.#construct(this.#key, nonce, aad).encrypt(plain);
    to.bytes.set(sealed, to.at(toSlot) + to.bodyOffset);
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
    this.#refuseWhenClosed();
    if (!fitsBodies(length, to, from)) return false;
    const cipher = this.#construct(this.#key, nonce, aad);
    let plain;
    try {
      plain = cipher.decrypt(body(from, fromSlot, length + TAG_BYTES));
    } catch {
      return false;
    }
    to.bytes.set(plain, to.at(toSlot) + to.bodyOffset);
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#key.fill(0);
  }

  /** A wiped key would still work, as an all-zero key. */
  #refuseWhenClosed(): void {
    if (this.#closed) throw new Error("AeadKey is closed");
  }
}

function body(slab: Slab, slot: number, length: number): Uint8Array {
  const start = slab.at(slot) + slab.bodyOffset;
  return slab.bytes.subarray(start, start + length);
}
