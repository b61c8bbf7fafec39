/**
 * The EVP_AEAD functions of LibreSSL over ciphers in JavaScript: EVP_AEAD_CTX_init(3).
 *
 * As strict as the original and more: lengths that are not those of the cipher, a context that was
 * freed and output that overlaps input are mistakes, and a refused call wipes what it was given.
 *
 * @module
 */

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { KEY_BYTES, NONCE_BYTES } from "../../../src/crypto/aead.ts";
import type { AeadSymbols } from "../../../src/platform/libcrypto/aead.ts";
import { TAG_BYTES } from "../../../src/wire/datagram.ts";
import { bytesAt } from "./memory.ts";

type Functions = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array) => {
  encrypt(plain: Uint8Array): Uint8Array;
  decrypt(sealed: Uint8Array): Uint8Array;
};

/** EVP_AEAD pointers. */
const CIPHERS: Readonly<Record<string, Functions>> = { "1": gcm, "2": chacha20poly1305 };

/** One process's libcrypto. */
export class FakeLibressl {
  /** Contexts that were made and not freed. */
  readonly contexts: Map<bigint, { cipher: Functions; key: Uint8Array } | undefined> = new Map();
  #made = 0n;

  readonly symbols: AeadSymbols = {
    EVP_aead_aes_256_gcm: () => 1n,
    EVP_aead_chacha20_poly1305: () => 2n,
    EVP_AEAD_CTX_new: () => {
      this.contexts.set(++this.#made, undefined);
      return this.#made;
    },
    EVP_AEAD_CTX_free: (context) => {
      if (!this.contexts.delete(BigInt(context))) throw new Error("Freed twice");
    },
    EVP_AEAD_CTX_init: (context, aead, key, keyLength, tagLength, engine) => {
      const cipher = CIPHERS[String(aead)];
      const right = keyLength === BigInt(KEY_BYTES) && tagLength === BigInt(TAG_BYTES) &&
        engine === 0n && cipher !== undefined && this.contexts.has(BigInt(context));
      if (!right) return 0;
      this.contexts.set(BigInt(context), { cipher, key: bytesAt(BigInt(key), KEY_BYTES).slice() });
      return 1;
    },
    EVP_AEAD_CTX_seal: (...args) => this.#run(args, 0n, (cipher, input) => cipher.encrypt(input)),
    EVP_AEAD_CTX_open: (...args) =>
      this.#run(args, BigInt(TAG_BYTES), (cipher, input) => cipher.decrypt(input)),
  };

  #run(
    args: readonly (bigint | number)[],
    least: bigint,
    step: (cipher: ReturnType<Functions>, input: Uint8Array) => Uint8Array,
  ): number {
    const [context, to, reported, room, nonce, nonceLength, from, length, aad, aadLength] = args
      .map(BigInt) as [
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
        bigint,
      ];
    const state = this.contexts.get(context);
    if (state === undefined) throw new Error("A context that was freed or never initialized");
    if (nonceLength !== BigInt(NONCE_BYTES)) throw new Error(`A nonce of ${nonceLength} bytes`);
    const view = new DataView(bytesAt(reported, 8).buffer);
    try {
      if (length < least || to > from && to < from + length) throw new Error("Bad input");
      const cipher = state.cipher(
        state.key,
        bytesAt(nonce, NONCE_BYTES).slice(),
        bytesAt(aad, Number(aadLength)).slice(),
      );
      const output = step(cipher, bytesAt(from, Number(length)).slice());
      if (BigInt(output.length) > room) throw new Error("No room");
      bytesAt(to, output.length).set(output);
      view.setBigUint64(0, BigInt(output.length), true);
      return 1;
    } catch {
      bytesAt(to, Number(room)).fill(0);
      view.setBigUint64(0, 0n, true);
      return 0;
    }
  }
}
