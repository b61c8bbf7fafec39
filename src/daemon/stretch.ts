/**
 * Secrets of clients that are added while a tunnel runs: what a pass phrase costs is spent on another
 * thread, so that packets do not wait for it.
 *
 * @module
 */

import type { Secret } from "../config/config.ts";
import { PASSWORD_SALT, SCRYPT_COST } from "../crypto/psk.ts";

/** OpenSSL's check of what the parameters take: RFC 7914 section 2, and some more. */
const MAX_MEMORY = 2 * 128 * SCRYPT_COST.N * SCRYPT_COST.r;

/** Returns the 32 bytes of a secret. */
export async function keyBeside({ key, password = "" }: Secret): Promise<Uint8Array> {
  if (key) return key;
  // Not needed by most tunnels, and not small.
  const { scrypt } = await import("node:crypto");
  const { N, r, p, dkLen } = SCRYPT_COST;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const done = (error: Error | null, out: Uint8Array): void => error ? reject(error) : resolve(out);
  scrypt(password.normalize("NFC"), PASSWORD_SALT, dkLen, { N, r, p, maxmem: MAX_MEMORY }, done);
  return new Uint8Array(await promise);
}
