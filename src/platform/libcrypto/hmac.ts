/**
 * HMAC-SHA256 of libcrypto in one call: HMAC(3), of OpenSSL and of LibreSSL.
 *
 * @module
 */

import { type Mac, NOBLE_MAC } from "../../crypto/mac.ts";
import { SLOT_BYTES } from "../../slab.ts";

/** Symbol table. */
export const HMAC = {
  // const EVP_MD *EVP_sha256(void);                                   EVP_sha1(3)
  EVP_sha256: { parameters: [], result: "usize", optional: true },
  // unsigned char *HMAC(const EVP_MD *evp_md, const void *key, int key_len,
  //                     const unsigned char *d, size_t n, unsigned char *md,
  //                     unsigned int *md_len);                        HMAC(3)
  HMAC: {
    parameters: ["usize", "buffer", "i32", "buffer", "usize", "buffer", "usize"],
    result: "usize",
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The bound functions. */
export type HmacSymbols = Deno.StaticForeignLibraryInterface<typeof HMAC>;

/** SHA-256 gives as many. */
const BYTES = 32;
/** No longer key makes sense: RFC 2104 section 3. */
const BLOCK_BYTES = 64;
const LENGTHS: readonly bigint[] = Array.from({ length: SLOT_BYTES + 1 }, (_, n) => BigInt(n));
const NULL = 0n;
/** RFC 4231 section 4.3. */
const KNOWN_ANSWER = {
  key: "4a656665",
  data: "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
  mac: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
} as const;

/** Returns the library's HMAC-SHA256; undefined when it has none, or not the right one. */
export function hmacOf(library: HmacSymbols): Mac | undefined {
  const hmac = library.HMAC;
  const sha256 = library.EVP_sha256?.();
  if (!hmac || sha256 === undefined) return undefined;
  // Small arrays that are handed to C are moved out of V8's heap, which takes longer than the MAC.
  const secret = new Uint8Array(BLOCK_BYTES);
  const input = new Uint8Array(SLOT_BYTES);
  const out = new Uint8Array(BYTES);
  const mac: Mac = (key, data) => {
    if (key.length > secret.length || data.length > input.length) return NOBLE_MAC(key, data);
    secret.set(key);
    input.set(data);
    const done = hmac(sha256, secret, key.length, input, LENGTHS[data.length]!, out, NULL);
    secret.fill(0);
    if (done === NULL) throw new Error("libcrypto refused to compute a MAC");
    return out.slice();
  };
  const { key, data, mac: answer } = KNOWN_ANSWER;
  const given = mac(Uint8Array.fromHex(key), Uint8Array.fromHex(data));
  return given.toHex() === answer ? mac : undefined;
}
