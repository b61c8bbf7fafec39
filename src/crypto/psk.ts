/**
 * From a shared secret to the keys of the handshake.
 *
 * Each use has a key of its own, derived with its own label (HKDF-SHA256, RFC 5869), so that the
 * hint and the MAC, which an observer sees, reveal nothing about the key that Noise mixes in.
 *
 * @module
 */

import { hkdf } from "@noble/hashes/hkdf.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { HINT_BYTES } from "../wire/handshake.ts";
import { KEY_BYTES, type Scrypt } from "./aead.ts";

const SALT = ascii("aggvpn v1");
/** Fixed, since the phrase is all that the two ends share. */
export const PASSWORD_SALT = ascii("aggvpn v1 password");
/** About a quarter of a second and 32 MiB, once per start (RFC 7914). */
export const SCRYPT_COST = { N: 2 ** 15, r: 8, p: 1, dkLen: KEY_BYTES } as const;

/** What both ends derive from one pre-shared key. */
export interface PskKeys {
  /** The Noise pre-shared key, {@linkcode KEY_BYTES}. */
  psk: Uint8Array;
  /** Tells a server which client calls, {@linkcode HINT_BYTES}; not secret. */
  hint: Uint8Array;
  /** Key of the MAC around handshake messages, {@linkcode KEY_BYTES}. */
  macKey: Uint8Array;
}

/** Derives the keys of the handshake from the 32 bytes that both ends share. */
export function derivePsk(psk32: Uint8Array): PskKeys {
  return {
    psk: hkdf(sha256, psk32, SALT, ascii("noise psk"), KEY_BYTES),
    hint: hkdf(sha256, psk32, SALT, ascii("key hint"), HINT_BYTES),
    macKey: hkdf(sha256, psk32, SALT, ascii("mac"), KEY_BYTES),
  };
}

/**
 * Turns a pass phrase into a pre-shared key: scrypt of its NFC form. The salt is
 * fixed, because the phrase is all that the two ends share; a phrase of few words can therefore be
 * guessed by anyone who recorded a handshake, and a generated key is better. Takes about 0.1 s with
 * `fast`, 0.3 s without.
 *
 * @param fast a library's scrypt; without it the one in JavaScript is used
 */
export function stretchPassword(password: string, fast?: Scrypt): Uint8Array {
  const bytes = new TextEncoder().encode(password.normalize("NFC"));
  return fast?.(bytes, PASSWORD_SALT, SCRYPT_COST) ?? scrypt(bytes, PASSWORD_SALT, SCRYPT_COST);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
