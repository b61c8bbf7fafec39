/**
 * Authenticated encryption as the tunnel uses it: bodies of slots in, bodies of
 * slots out, nothing allocated.
 *
 * @module
 */

import type { Slab } from "../slab.ts";
import type { Curve } from "./curve.ts";
import type { Mac } from "./mac.ts";

/** The ciphers of the protocol; the numbers are on the wire. */
export const CIPHER = { aes256gcm: 1, chacha20poly1305: 2 } as const;
/** Name of a cipher. */
export type Cipher = keyof typeof CIPHER;

/** Bytes of a key of either cipher. */
export const KEY_BYTES = 32;
/** Throws when `key` has the wrong length. */
export function checkKey(key: Uint8Array): void {
  if (key.length === KEY_BYTES) return;
  throw new Error(`A key has ${KEY_BYTES} bytes, not ${key.length}`);
}

/** Bytes of a nonce of either cipher: link id 4, counter 8, big-endian. */
export const NONCE_BYTES = 12;
/** Bytes of associated data: the 10 of the header, then the high half of the counter. */
export const AAD_BYTES = 14;

/**
 * One key of one direction. `nonce` ({@linkcode NONCE_BYTES}) and `aad` ({@linkcode AAD_BYTES}) are
 * the caller's scratch memory. An implementation may remember the addresses of slabs and scratch,
 * so both should be few and long-lived.
 */
export interface AeadKey {
  /**
   * Encrypts the first `length` bytes of the body of `fromSlot` into the body of `toSlot` and
   * appends the tag. The source is not changed.
   */
  seal(
    nonce: Uint8Array<ArrayBuffer>,
    aad: Uint8Array<ArrayBuffer>,
    from: Slab,
    fromSlot: number,
    length: number,
    to: Slab,
    toSlot: number,
  ): void;
  /**
   * Decrypts `length` bytes of ciphertext, followed by the tag, from the body of
   * `fromSlot` into the body of `toSlot`. Returns false, with undefined
   * bytes in `toSlot`, when the tag does not verify.
   */
  open(
    nonce: Uint8Array<ArrayBuffer>,
    aad: Uint8Array<ArrayBuffer>,
    from: Slab,
    fromSlot: number,
    length: number,
    to: Slab,
    toSlot: number,
  ): boolean;
  /** Wipes the key and frees what the library holds for it. */
  close(): void;
}

/** scrypt (RFC 7914); `undefined` when the library refuses. `N` and `r` say how much memory it takes. */
export type Scrypt = (
  password: Uint8Array,
  salt: Uint8Array,
  cost: { readonly N: number; readonly r: number; readonly p: number; readonly dkLen: number },
) => Uint8Array | undefined;

/** A library that implements the ciphers. */
export interface AeadProvider {
  /** What `status` and the log call it, such as `libcrypto` or `noble`. */
  readonly name: string;
  /** Whether AES runs in hardware, so that AES-256-GCM is the faster cipher. */
  readonly hardwareAes: boolean;
  /** Unlike JavaScript's, returns its memory to the system; absent where the library has none. */
  readonly scrypt?: Scrypt;
  /** For handshakes; absent where the library has none. */
  readonly curve?: Curve;
  readonly mac?: Mac;
  /** Prepares `key` ({@linkcode KEY_BYTES}); the caller wipes its copy. */
  importKey(cipher: Cipher, key: Uint8Array): AeadKey;
}
