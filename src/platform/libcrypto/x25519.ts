/**
 * X25519 of libcrypto: LibreSSL has a function for it, X25519(3); OpenSSL wants keys and a context
 * of its own, EVP_PKEY-X25519(7).
 *
 * @module
 */

import { type Curve, CURVE_BYTES } from "../../crypto/curve.ts";

/** Symbol table: of the two libraries one has the first function, the other the rest. */
export const X25519 = {
  // int X25519(uint8_t out_shared_key[32], const uint8_t private_key[32],
  //            const uint8_t peer_public_value[32]);                  LibreSSL, OpenBSD 6.0
  X25519: { parameters: ["buffer", "buffer", "buffer"], result: "i32", optional: true },
  // EVP_PKEY *EVP_PKEY_new_raw_private_key(int type, ENGINE *e, const unsigned char *key,
  //                                        size_t keylen);            EVP_PKEY_new(3)
  EVP_PKEY_new_raw_private_key: {
    parameters: ["i32", "usize", "buffer", "usize"],
    result: "usize",
    optional: true,
  },
  EVP_PKEY_new_raw_public_key: {
    parameters: ["i32", "usize", "buffer", "usize"],
    result: "usize",
    optional: true,
  },
  // int EVP_PKEY_get_raw_public_key(const EVP_PKEY *pkey, unsigned char *pub, size_t *len);
  EVP_PKEY_get_raw_public_key: {
    parameters: ["usize", "buffer", "buffer"],
    result: "i32",
    optional: true,
  },
  // void EVP_PKEY_free(EVP_PKEY *key);
  EVP_PKEY_free: { parameters: ["usize"], result: "void", optional: true },
  // EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *pkey, ENGINE *e);        EVP_PKEY_CTX_new(3)
  EVP_PKEY_CTX_new: { parameters: ["usize", "usize"], result: "usize", optional: true },
  // void EVP_PKEY_CTX_free(EVP_PKEY_CTX *ctx);
  EVP_PKEY_CTX_free: { parameters: ["usize"], result: "void", optional: true },
  // int EVP_PKEY_derive_init(EVP_PKEY_CTX *ctx);                      EVP_PKEY_derive(3)
  EVP_PKEY_derive_init: { parameters: ["usize"], result: "i32", optional: true },
  // int EVP_PKEY_derive_set_peer(EVP_PKEY_CTX *ctx, EVP_PKEY *peer);
  EVP_PKEY_derive_set_peer: { parameters: ["usize", "usize"], result: "i32", optional: true },
  // int EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *key, size_t *keylen);
  EVP_PKEY_derive: { parameters: ["usize", "buffer", "buffer"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound functions. */
export type X25519Symbols = Deno.StaticForeignLibraryInterface<typeof X25519>;
type Bound = { readonly [K in keyof X25519Symbols]: NonNullable<X25519Symbols[K]> };

const NULL = 0n;
/** EVP_PKEY_X25519 of OpenSSL: <openssl/obj_mac.h>. */
const TYPE = 1034;
const LENGTH = BigInt(CURVE_BYTES);
/** The point whose multiple by a secret is its public key: RFC 7748 section 4.1. */
const BASE_POINT = Uint8Array.of(9, ...new Array<number>(CURVE_BYTES - 1).fill(0));
/** Alice's secret, Bob's public key and what they share: RFC 7748 section 6.1. */
const KNOWN_ANSWER = {
  secret: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
  publicKey: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
  shared: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
} as const;

/** Returns X25519 of the library; undefined when it has none, or does not know the right answer. */
export function curveOf(library: X25519Symbols): Curve | undefined {
  const curve = library.X25519
    ? new OneCall(library.X25519)
    : library.EVP_PKEY_new_raw_private_key && library.EVP_PKEY_derive
    ? new KeyObjects(library as Bound)
    : undefined;
  return curve && passesKnownAnswer(curve) ? curve : undefined;
}

function passesKnownAnswer(curve: Curve): boolean {
  const { secret, publicKey, shared } = KNOWN_ANSWER;
  return curve.shared(Uint8Array.fromHex(secret), Uint8Array.fromHex(publicKey))?.toHex() ===
    shared;
}

/** LibreSSL's function, which refuses points of low order itself. */
class OneCall implements Curve {
  readonly #multiply: NonNullable<X25519Symbols["X25519"]>;

  constructor(multiply: NonNullable<X25519Symbols["X25519"]>) {
    this.#multiply = multiply;
  }

  publicKey(secret: Uint8Array): Uint8Array {
    const out = this.shared(secret, BASE_POINT);
    if (!out) throw new Error("libcrypto refused a secret");
    return out;
  }

  shared(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    if (secret.length !== CURVE_BYTES || publicKey.length !== CURVE_BYTES) return undefined;
    const [out, copy] = [new Uint8Array(CURVE_BYTES), secret.slice()];
    const done = this.#multiply(out, copy, publicKey.slice());
    copy.fill(0);
    return done === 1 ? out : undefined;
  }
}

/** OpenSSL's key objects; it refuses points of low order itself. */
class KeyObjects implements Curve {
  readonly #library: Bound;

  constructor(library: Bound) {
    this.#library = library;
  }

  publicKey(secret: Uint8Array): Uint8Array {
    const out = new Uint8Array(CURVE_BYTES);
    const done = this.#withSecret(
      secret,
      (key) => this.#library.EVP_PKEY_get_raw_public_key(key, out, lengthOf(out)) === 1,
    );
    if (!done) throw new Error("libcrypto refused a secret");
    return out;
  }

  shared(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    if (secret.length !== CURVE_BYTES || publicKey.length !== CURVE_BYTES) return undefined;
    const out = new Uint8Array(CURVE_BYTES);
    return this.#withSecret(secret, (key) => this.#derive(key, publicKey, out)) ? out : undefined;
  }

  #withSecret(secret: Uint8Array, use: (key: bigint) => boolean): boolean {
    const copy = secret.slice();
    const key = this.#library.EVP_PKEY_new_raw_private_key(TYPE, NULL, copy, LENGTH);
    copy.fill(0);
    const done = key !== NULL && use(key);
    this.#library.EVP_PKEY_free(key);
    return done;
  }

  #derive(key: bigint, publicKey: Uint8Array, out: Uint8Array<ArrayBuffer>): boolean {
    const library = this.#library;
    const peer = library.EVP_PKEY_new_raw_public_key(TYPE, NULL, publicKey.slice(), LENGTH);
    const context = library.EVP_PKEY_CTX_new(key, NULL);
    const done = peer !== NULL && context !== NULL &&
      library.EVP_PKEY_derive_init(context) === 1 &&
      library.EVP_PKEY_derive_set_peer(context, peer) === 1 &&
      library.EVP_PKEY_derive(context, out, lengthOf(out)) === 1;
    library.EVP_PKEY_CTX_free(context);
    library.EVP_PKEY_free(peer);
    return done;
  }
}

/** A size_t that says how much room there is, and then how much was written. */
function lengthOf(out: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.of(BigInt(out.length)).buffer);
}
