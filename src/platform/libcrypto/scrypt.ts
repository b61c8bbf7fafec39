/**
 * OpenSSL's scrypt; LibreSSL has none that does what RFC 7914 says.
 *
 * @module
 */

import type { Scrypt } from "../../crypto/aead.ts";

/** Symbol table. */
export const SCRYPT = {
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

/** Stretches a pass phrase (RFC 7914); undefined when the library cannot, or refuses. */
export function scrypt(
  library: Deno.StaticForeignLibraryInterface<typeof SCRYPT>,
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
