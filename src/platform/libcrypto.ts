/**
 * The ciphers of OpenSSL 3 or LibreSSL (3.6 and later) through FFI: the EVP
 * functions that both export.
 *
 * A key costs two contexts, made once. A packet costs five calls that take only
 * numbers and BigInts computed before, so that Deno calls them fast and nothing
 * is allocated.
 *
 * @module
 */

import {
  type AeadKey,
  type AeadProvider,
  type Cipher,
  KEY_BYTES,
  NONCE_BYTES,
  type Scrypt,
} from "../crypto/aead.ts";
import { fitsBodies } from "../crypto/body.ts";
import { AggvpnError } from "../errors.ts";
import { Slab, TAG_BYTES } from "../slab.ts";
import { addressOf, slotAddresses } from "./ffi.ts";

/** Pointers are `usize`, since a BigInt address is passed fastest; `int` is 32 bits wide. */
const SYMBOLS = {
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
  // int EVP_PBE_scrypt(const char *pass, size_t passlen, const unsigned char *salt,
  //                    size_t saltlen, uint64_t N, uint64_t r, uint64_t p, uint64_t maxmem,
  //                    unsigned char *key, size_t keylen);       OpenSSL only
  EVP_PBE_scrypt: {
    parameters: [
      "buffer",
      "usize",
      "buffer",
      "usize",
      "u64",
      "u64",
      "u64",
      "u64",
      "buffer",
      "usize",
    ],
    result: "i32",
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Symbols = Deno.StaticForeignLibraryInterface<typeof SYMBOLS>;

/** EVP_CTRL_AEAD_GET_TAG and EVP_CTRL_AEAD_SET_TAG: <openssl/evp.h>, the same in LibreSSL. */
const GET_TAG = 0x10;
const SET_TAG = 0x11;
const NULL = 0n;

/**
 * Loads libcrypto by its file name; `undefined` when there is none, when it
 * lacks a function, or when it fails a known answer. The library stays loaded.
 */
export function loadLibcrypto(name: string): AeadProvider | undefined {
  let library: Symbols;
  try {
    library = Deno.dlopen(name, SYMBOLS).symbols;
  } catch {
    return undefined;
  }
  try {
    if (!passesKnownAnswers(library)) return undefined;
  } catch {
    return undefined;
  }
  return {
    name: "libcrypto",
    hardwareAes: detectHardwareAes(library),
    scrypt: (password, salt, cost) => scrypt(library, password, salt, cost),
    importKey: (cipher, key) => new LibcryptoKey(library, cipher, key),
  };
}

function scrypt(
  library: Symbols,
  password: Uint8Array,
  salt: Uint8Array,
  { N, r, p, dkLen }: Parameters<Scrypt>[2],
): Uint8Array | undefined {
  const out = new Uint8Array(dkLen);
  const done = library.EVP_PBE_scrypt?.(
    password.slice(),
    BigInt(password.length),
    salt.slice(),
    BigInt(salt.length),
    BigInt(N),
    BigInt(r),
    BigInt(p),
    BigInt(128 * r * (N + p + 2)), // RFC 7914 section 2, and a little more
    out,
    BigInt(dkLen),
  );
  return done === 1 ? out : undefined;
}

/** Remembers the addresses of the object asked for last; the objects are few. */
class LastAddress {
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #address = NULL;

  of(memory: Uint8Array<ArrayBuffer>): bigint {
    if (memory !== this.#memory) {
      this.#address = addressOf(memory);
      this.#memory = memory;
    }
    return this.#address;
  }
}

/** The same for the bodies of a slab. */
class LastBodies {
  #slab: Slab | undefined;
  #addresses: readonly bigint[] = [];

  of(slab: Slab, slot: number): bigint {
    if (slab !== this.#slab) {
      this.#addresses = slotAddresses(slab, slab.bodyOffset);
      this.#slab = slab;
    }
    return this.#addresses[slot]!;
  }
}

/** One key with a context for each verb, for EVP wants to be told the direction beforehand. */
class LibcryptoKey implements AeadKey {
  readonly #library: Symbols;
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

  constructor(library: Symbols, cipher: Cipher, key: Uint8Array) {
    if (key.length !== KEY_BYTES) {
      throw new Error(`A key has ${KEY_BYTES} bytes, not ${key.length}`);
    }
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

/**
 * 16 bytes of zeros, sealed under a key and a nonce of zeros with 14 bytes of
 * zeros as associated data. The ciphertexts are those of GCM test case 14
 * (McGrew, Viega) and of RFC 8439 appendix A.1 test vector 2; the tags depend on
 * the associated data and are cross-checked against another implementation by
 * tests/platform/libcrypto_test.ts.
 */
const KNOWN_ANSWERS: Readonly<Record<Cipher, string>> = {
  aes256gcm: "cea7403d4d606b6e074ec5d3baf39d18b76f4b43e04b040f9b73b5d82cfd2e91",
  chacha20poly1305: "9f07e7be5551387a98ba977c732d080d3b0f079491eeee7b9344dfa3dc6b78ed",
};

function passesKnownAnswers(library: Symbols): boolean {
  return (Object.keys(KNOWN_ANSWERS) as Cipher[]).every((cipher) => {
    const key = new LibcryptoKey(library, cipher, new Uint8Array(KEY_BYTES));
    try {
      return passesKnownAnswer(key, KNOWN_ANSWERS[cipher]);
    } finally {
      key.close();
    }
  });
}

function passesKnownAnswer(key: AeadKey, answer: string): boolean {
  const nonce = new Uint8Array(NONCE_BYTES);
  const aad = new Uint8Array(14);
  const slab = new Slab(3, 0);
  key.seal(nonce, aad, slab, 0, 16, slab, 1);
  const sealed = slab.bytes.subarray(slab.at(1), slab.at(1) + 16 + TAG_BYTES);
  const known = sealed.toHex() === answer;
  const opens = key.open(nonce, aad, slab, 1, 16, slab, 2);
  sealed[0]! ^= 1;
  return known && opens && !key.open(nonce, aad, slab, 1, 16, slab, 2);
}

/** Linux says so; elsewhere the faster cipher tells. */
function detectHardwareAes(library: Symbols): boolean {
  try {
    const info = Deno.readTextFileSync("/proc/cpuinfo");
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(info)?.[1];
    if (flags !== undefined) return /\baes\b/.test(flags);
  } catch {
    // Not Linux, or hidden from us.
  }
  return sealUs(library, "aes256gcm") < sealUs(library, "chacha20poly1305");
}

/** Returns the shortest of a few times, in microseconds, that packets take: about 1 ms in all. */
function sealUs(library: Symbols, cipher: Cipher): number {
  const key = new LibcryptoKey(library, cipher, new Uint8Array(KEY_BYTES));
  const nonce = new Uint8Array(NONCE_BYTES);
  const slab = new Slab(2, 0);
  let best = Infinity;
  for (let round = 0; round < 20; round++) {
    const start = performance.now();
    for (let i = 0; i < 20; i++) key.seal(nonce, nonce, slab, 0, 1400, slab, 1);
    best = Math.min(best, performance.now() - start);
  }
  key.close();
  return best * 1000 / 20;
}
