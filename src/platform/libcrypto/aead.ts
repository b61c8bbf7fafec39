/**
 * The ciphers by the EVP_AEAD functions of LibreSSL: EVP_AEAD_CTX_init(3), OpenBSD 5.6.
 *
 * One call seals or opens a packet where the EVP functions take five, so expensive calls cost a
 * fifth. A context serves both directions and any number of nonces.
 *
 * @module
 */

import { type AeadKey, checkKey, type Cipher, KEY_BYTES, NONCE_BYTES } from "../../crypto/aead.ts";
import { fitsBodies } from "../../crypto/body.ts";
import { AggvpnError } from "../../errors.ts";
import { type Slab, SLOT_BYTES } from "../../slab.ts";
import { TAG_BYTES } from "../../wire/datagram.ts";
import { addressOf } from "../ffi.ts";
import { LastAddress, LastBodies } from "./addresses.ts";

/** The same for both verbs. */
const SEAL_OR_OPEN = {
  parameters: [
    "usize",
    "usize",
    "usize",
    "usize",
    "usize",
    "usize",
    "usize",
    "usize",
    "usize",
    "usize",
  ],
  result: "i32",
} as const;

/** Pointers and sizes are `usize`, since a BigInt is passed fastest. OpenSSL has none of these. */
export const AEAD = {
  // const EVP_AEAD *EVP_aead_aes_256_gcm(void);                         EVP_AEAD_CTX_init(3)
  EVP_aead_aes_256_gcm: { parameters: [], result: "usize" },
  // const EVP_AEAD *EVP_aead_chacha20_poly1305(void);
  EVP_aead_chacha20_poly1305: { parameters: [], result: "usize" },
  // EVP_AEAD_CTX *EVP_AEAD_CTX_new(void);                               since OpenBSD 7.1
  EVP_AEAD_CTX_new: { parameters: [], result: "usize" },
  // void EVP_AEAD_CTX_free(EVP_AEAD_CTX *ctx);
  EVP_AEAD_CTX_free: { parameters: ["usize"], result: "void" },
  // int EVP_AEAD_CTX_init(EVP_AEAD_CTX *ctx, const EVP_AEAD *aead, const unsigned char *key,
  //                       size_t key_len, size_t tag_len, ENGINE *impl);
  EVP_AEAD_CTX_init: {
    parameters: ["usize", "usize", "usize", "usize", "usize", "usize"],
    result: "i32",
  },
  // int EVP_AEAD_CTX_seal(const EVP_AEAD_CTX *ctx, unsigned char *out, size_t *out_len,
  //                       size_t max_out_len, const unsigned char *nonce, size_t nonce_len,
  //                       const unsigned char *in, size_t in_len, const unsigned char *ad,
  //                       size_t ad_len);
  EVP_AEAD_CTX_seal: SEAL_OR_OPEN,
  EVP_AEAD_CTX_open: SEAL_OR_OPEN,
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound functions. */
export type AeadSymbols = Deno.StaticForeignLibraryInterface<typeof AEAD>;

const NULL = 0n;
/** Every length of a body or of associated data, as C wants it: no packet converts one. */
const LENGTHS: readonly bigint[] = Array.from({ length: SLOT_BYTES + 1 }, (_, n) => BigInt(n));

/** One key for both directions. */
export class AeadContextKey implements AeadKey {
  readonly #library: AeadSymbols;
  readonly #context: bigint;
  /** Where the library reports the length, a size_t. */
  readonly #reported = new Uint8Array(8);
  readonly #reportedAddress = addressOf(this.#reported);
  readonly #nonces = new LastAddress();
  readonly #aads = new LastAddress();
  readonly #sources = new LastBodies();
  readonly #targets = new LastBodies();
  #closed = false;

  constructor(library: AeadSymbols, cipher: Cipher, key: Uint8Array) {
    checkKey(key);
    this.#library = library;
    const aead = cipher === "aes256gcm"
      ? library.EVP_aead_aes_256_gcm()
      : library.EVP_aead_chacha20_poly1305();
    const copy = key.slice();
    const [keyLength, tagLength] = [LENGTHS[KEY_BYTES]!, LENGTHS[TAG_BYTES]!];
    this.#context = library.EVP_AEAD_CTX_new();
    const ready = this.#context !== NULL &&
      library.EVP_AEAD_CTX_init(
          this.#context,
          aead,
          addressOf(copy),
          keyLength,
          tagLength,
          NULL,
        ) === 1;
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
    this.#refuseMisuse(nonce, aad);
    if (!fitsBodies(length, from, to)) throw new Error(`Cannot seal ${length} bytes`);
    const done = this.#library.EVP_AEAD_CTX_seal(
      this.#context,
      this.#targets.of(to, toSlot),
      this.#reportedAddress,
      LENGTHS[length + TAG_BYTES]!,
      this.#nonces.of(nonce),
      LENGTHS[NONCE_BYTES]!,
      this.#sources.of(from, fromSlot),
      LENGTHS[length]!,
      aad.length === 0 ? NULL : this.#aads.of(aad),
      LENGTHS[aad.length]!,
    );
    if (done !== 1) throw new Error("libcrypto refused to encrypt");
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
    this.#refuseMisuse(nonce, aad);
    if (!fitsBodies(length, to, from)) return false;
    // The room for the output is what gets wiped when the tag is wrong: no more than the body.
    return this.#library.EVP_AEAD_CTX_open(
      this.#context,
      this.#targets.of(to, toSlot),
      this.#reportedAddress,
      LENGTHS[length]!,
      this.#nonces.of(nonce),
      LENGTHS[NONCE_BYTES]!,
      this.#sources.of(from, fromSlot),
      LENGTHS[length + TAG_BYTES]!,
      aad.length === 0 ? NULL : this.#aads.of(aad),
      LENGTHS[aad.length]!,
    ) === 1;
  }

  /** libcrypto wipes the state of a context that it frees. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#library.EVP_AEAD_CTX_free(this.#context);
  }

  /** A freed context or a short nonce would be memory that is not ours. */
  #refuseMisuse(nonce: Uint8Array, aad: Uint8Array): void {
    if (this.#closed) throw new Error("AeadKey is closed");
    if (nonce.length !== NONCE_BYTES) throw new Error(`A nonce has ${NONCE_BYTES} bytes`);
    if (aad.length > SLOT_BYTES) throw new Error(`Cannot authenticate ${aad.length} bytes`);
  }
}
