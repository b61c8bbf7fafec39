/**
 * X25519 (RFC 7748): by a library where there is one, else in TypeScript, which takes ten times as
 * long.
 *
 * @module
 */

import { x25519 } from "@noble/curves/ed25519.js";

/** Bytes of a secret, of a public key and of what two ends share. */
export const CURVE_BYTES = 32;

/** The two operations of a key exchange. */
export interface Curve {
  publicKey(secret: Uint8Array): Uint8Array;
  /**
   * Returns what `secret` shares with `publicKey`; undefined when that is a point of low order,
   * which makes it all zeros (RFC 7748 section 6.1).
   */
  shared(secret: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined;
}

/** The one that is always available. */
export const NOBLE_CURVE: Curve = {
  publicKey: (secret) => x25519.getPublicKey(secret),
  shared(secret, publicKey): Uint8Array | undefined {
    try {
      const shared = x25519.getSharedSecret(secret, publicKey);
      return shared.some((byte) => byte !== 0) ? shared : undefined;
    } catch {
      return undefined;
    }
  },
};
