/**
 * Keeps libcrypto from tidying up when the process ends: OPENSSL_init_crypto(3).
 *
 * OpenSSL frees its tables in exit(3). A thread that ends at that moment frees what it had in the
 * same tables, which crashes the process. The system takes the memory back in any case, and keys
 * are wiped when they are closed.
 *
 * @module
 */

import { type CallWay, openLibrary } from "../c_library.ts";

const INIT = {
  // int OPENSSL_init_crypto(uint64_t opts, const OPENSSL_INIT_SETTINGS *settings);
  OPENSSL_init_crypto: { parameters: ["u64", "usize"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

/** OPENSSL_INIT_NO_ATEXIT: <openssl/crypto.h>. LibreSSL ignores bits that it does not know. */
const NO_ATEXIT = 0x0008_0000n;

/** Has an effect only before the first use of the library. Throws when there is no such library. */
export function keepAtExit(name: string, way: CallWay): void {
  openLibrary(name, INIT, way).OPENSSL_init_crypto?.(NO_ATEXIT, 0n);
}
