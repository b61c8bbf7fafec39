/**
 * The ciphers of OpenSSL 3 or LibreSSL (3.6 and later) through FFI.
 *
 * @module
 */

import { type AeadProvider, type Cipher, KEY_BYTES, NONCE_BYTES } from "../crypto/aead.ts";
import { Slab } from "../slab.ts";
import { type CallWay, openLibrary } from "./c_library.ts";
import { AEAD, AeadContextKey } from "./libcrypto/aead.ts";
import { EVP, EvpKey } from "./libcrypto/evp.ts";
import { HMAC, hmacOf } from "./libcrypto/hmac.ts";
import { keepAtExit } from "./libcrypto/init.ts";
import { passesKnownAnswers } from "./libcrypto/known_answers.ts";
import { SCRYPT, scrypt } from "./libcrypto/scrypt.ts";
import { curveOf, X25519 } from "./libcrypto/x25519.ts";

type ImportKey = AeadProvider["importKey"];

/**
 * Loads libcrypto by its file name; `undefined` when there is none, when it
 * lacks a function, or when it fails a known answer. The library stays loaded.
 */
export function loadLibcrypto(name: string, way: CallWay = "stubs"): AeadProvider | undefined {
  const importKey = bindWhere(bindAead, name, way) ?? bindWhere(bindEvp, name, way);
  if (importKey === undefined) return undefined;
  const stretching = openLibrary(name, SCRYPT, way);
  const curve = curveOf(openLibrary(name, X25519, way));
  const mac = hmacOf(openLibrary(name, HMAC, way));
  return {
    ...curve && { curve },
    ...mac && { mac },
    name: "libcrypto",
    hardwareAes: detectHardwareAes(importKey),
    scrypt: (password, salt, cost) => scrypt(stretching, password, salt, cost),
    importKey,
  };
}

/** LibreSSL has these, OpenSSL does not. */
function bindAead(name: string, way: CallWay): ImportKey {
  const library = openLibrary(name, AEAD, way);
  return (cipher, key) => new AeadContextKey(library, cipher, key);
}

function bindEvp(name: string, way: CallWay): ImportKey {
  const library = openLibrary(name, EVP, way);
  return (cipher, key) => new EvpKey(library, cipher, key);
}

type Bind = (name: string, way: CallWay) => ImportKey;

function bindWhere(bind: Bind, name: string, way: CallWay): ImportKey | undefined {
  try {
    keepAtExit(name, way);
    const importKey = bind(name, way);
    return passesKnownAnswers(importKey) ? importKey : undefined;
  } catch {
    return undefined;
  }
}

/** Linux says so; elsewhere whichever cipher is faster tells. */
function detectHardwareAes(importKey: ImportKey): boolean {
  try {
    const info = Deno.readTextFileSync("/proc/cpuinfo");
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(info)?.[1];
    if (flags !== undefined) return /\baes\b/.test(flags);
  } catch {
    // Not Linux, or hidden from us.
  }
  return sealUs(importKey, "aes256gcm") < sealUs(importKey, "chacha20poly1305");
}

/** Returns the shortest of a few timings of packets, in microseconds: takes about 1 ms in all. */
function sealUs(importKey: ImportKey, cipher: Cipher): number {
  const key = importKey(cipher, new Uint8Array(KEY_BYTES));
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
