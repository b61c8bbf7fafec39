/**
 * The ciphers by the EVP functions that OpenSSL 3 and LibreSSL (3.6 and later) both export.
 *
 * A key costs two contexts, made once. A packet costs five calls that take only
 * numbers and BigInts computed before, so that Deno calls them fast and nothing
 * is allocated.
 *
 * @module
 */

import { type AeadKey, checkKey, type Cipher, NONCE_BYTES } from "../../crypto/aead.ts";
import { fitsBodies } from "../../crypto/body.ts";
import { AggvpnError } from "../../errors.ts";
import type { Slab } from "../../slab.ts";
import { TAG_BYTES } from "../../wire/datagram.ts";
import { addressOf } from "../ffi.ts";
import { LastAddress, LastBodies } from "./addresses.ts";

/** Pointers are `usize`, since a BigInt address is passed fastest; `int` is 32 bits wide. */
export const EVP = {
  // EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);                     EVP_EncryptInit(3)
  EVP_CIPHER_CTX_new: { parameters: [], result: "usize" },
  // void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx);
  EVP_CIPHER_CTX_free: { parameters: ["usize"], result: "void" },
  // int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr);
  EVP_CIPHER_CTX_ctrl: { parameters: ["usize", "i32", "i32", "usize"], result: "i32" },
  // int EVP_EncryptInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *type, ENGINE *impl,
  //                        const unsigned char *key, const unsigned char *iv);
  EVP_EncryptInit_ex: {
    parameters: ["usize", "usize", "usize", "usize", "usize"],
    result: "i32",
  },
  EVP_DecryptInit_ex: {
    parameters: ["usize", "usize", "usize", "usize", "usize"],
    result: "i32",
  },
  // int EVP_EncryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
  //                       const unsigned char *in, int inl);
  EVP_EncryptUpdate: { parameters: ["usize", "usize", "usize", "usize", "i32"], result: "i32" },
  EVP_DecryptUpdate: { parameters: ["usize", "usize", "usize", "usize", "i32"], result: "i32" },
  // int EVP_EncryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl);
  EVP_EncryptFinal_ex: { parameters: ["usize", "usize", "usize"], result: "i32" },
  EVP_DecryptFinal_ex: { parameters: ["usize", "usize", "usize"], result: "i32" },
  // const EVP_CIPHER *EVP_aes_256_gcm(void);
  EVP_aes_256_gcm: { parameters: [], result: "usize" },
  // const EVP_CIPHER *EVP_chacha20_poly1305(void);
  EVP_chacha20_poly1305: { parameters: [], result: "usize" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound functions. */
export type EvpSymbols = Deno.StaticForeignLibraryInterface<typeof EVP>;

/** EVP_CTRL_AEAD_GET_TAG and EVP_CTRL_AEAD_SET_TAG: <openssl/evp.h>, the same in LibreSSL. */
const GET_TAG = 0x10;
const SET_TAG = 0x11;
const NULL = 0n;

/** One key with a context for each verb, for EVP wants to be told the direction beforehand. */
export class EvpKey implements AeadKey {
  readonly #library: EvpSymbols;
  readonly #encrypt: bigint;
  readonly #decrypt: bigint;
  #closed = false;
  readonly #tag = new Uint8Array(TAG_BYTES);
  /** Where libcrypto reports lengths, and what Final may write to: nothing, in these modes. */
  readonly #scratch = new Uint8Array(32);
  readonly #tagAddress = addressOf(this.#tag);
  readonly #scratchAddress = addressOf(this.#scratch);
  readonly #nonces = new LastAddress();
  readonly #aads = new LastAddress();
  readonly #sources = new LastBodies();
  readonly #targets = new LastBodies();

  constructor(library: EvpSymbols, cipher: Cipher, key: Uint8Array) {
    checkKey(key);
    this.#library = library;
    const type = cipher === "aes256gcm"
      ? library.EVP_aes_256_gcm()
      : library.EVP_chacha20_poly1305();
    const copy = key.slice();
    const address = addressOf(copy);
    this.#encrypt = library.EVP_CIPHER_CTX_new();
    this.#decrypt = library.EVP_CIPHER_CTX_new();
    const ready = this.#encrypt !== NULL && this.#decrypt !== NULL &&
      library.EVP_EncryptInit_ex(this.#encrypt, type, NULL, address, NULL) === 1 &&
      library.EVP_DecryptInit_ex(this.#decrypt, type, NULL, address, NULL) === 1;
    copy.fill(0);
    if (ready) return;
    this.close();
    throw new AggvpnError(`Cannot use ${cipher} of libcrypto`);
  }

  seal(
    nonce: Uint8Array<ArrayBuffer>,
    aad: Uint8Array<ArrayBuffer>,
    from: Slab,
    fromSlot: number,
    length: number,
    to: Slab,
    toSlot: number,
  ): void {
    this.#refuseMisuse(nonce);
    if (!fitsBodies(length, from, to)) throw new Error(`Cannot seal ${length} bytes`);
    const library = this.#library;
    const context = this.#encrypt;
    const out = this.#scratchAddress;
    const done =
      library.EVP_EncryptInit_ex(context, NULL, NULL, NULL, this.#nonces.of(nonce)) === 1 &&
      (aad.length === 0 ||
        library.EVP_EncryptUpdate(context, NULL, out, this.#aads.of(aad), aad.length) === 1) &&
      (length === 0 || library.EVP_EncryptUpdate(
            context,
            this.#targets.of(to, toSlot),
            out,
            this.#sources.of(from, fromSlot),
            length,
          ) === 1) &&
      library.EVP_EncryptFinal_ex(context, out, out) === 1 &&
      library.EVP_CIPHER_CTX_ctrl(context, GET_TAG, TAG_BYTES, this.#tagAddress) === 1;
    if (!done) throw new Error("libcrypto refused to encrypt");
    copyTag(this.#tag, 0, to.bytes, to.at(toSlot) + to.bodyOffset + length);
  }

  open(
    nonce: Uint8Array<ArrayBuffer>,
    aad: Uint8Array<ArrayBuffer>,
    from: Slab,
    fromSlot: number,
    length: number,
    to: Slab,
    toSlot: number,
  ): boolean {
    this.#refuseMisuse(nonce);
    if (!fitsBodies(length, to, from)) return false;
    copyTag(from.bytes, from.at(fromSlot) + from.bodyOffset + length, this.#tag, 0);
    const library = this.#library;
    const context = this.#decrypt;
    const out = this.#scratchAddress;
    return library.EVP_DecryptInit_ex(context, NULL, NULL, NULL, this.#nonces.of(nonce)) === 1 &&
      library.EVP_CIPHER_CTX_ctrl(context, SET_TAG, TAG_BYTES, this.#tagAddress) === 1 &&
      (aad.length === 0 ||
        library.EVP_DecryptUpdate(context, NULL, out, this.#aads.of(aad), aad.length) === 1) &&
      (length === 0 || library.EVP_DecryptUpdate(
            context,
            this.#targets.of(to, toSlot),
            out,
            this.#sources.of(from, fromSlot),
            length,
          ) === 1) &&
      library.EVP_DecryptFinal_ex(context, out, out) === 1;
  }

  /** libcrypto wipes the key schedule of a context that it frees. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#library.EVP_CIPHER_CTX_free(this.#encrypt);
    this.#library.EVP_CIPHER_CTX_free(this.#decrypt);
  }

  /** A freed context or a short nonce would be memory that is not ours. */
  #refuseMisuse(nonce: Uint8Array): void {
    if (this.#closed) throw new Error("AeadKey is closed");
    if (nonce.length !== NONCE_BYTES) throw new Error(`A nonce has ${NONCE_BYTES} bytes`);
  }
}

/** A loop, since views for `set` would be allocated. */
function copyTag(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number): void {
  for (let i = 0; i < TAG_BYTES; i++) to[toAt + i] = from[fromAt + i]!;
}
