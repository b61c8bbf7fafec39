/**
 * A library is trusted once it has given the right answers.
 *
 * @module
 */

import {
  AAD_BYTES,
  type AeadKey,
  type AeadProvider,
  type Cipher,
  KEY_BYTES,
  NONCE_BYTES,
} from "../../crypto/aead.ts";
import { Slab } from "../../slab.ts";
import { TAG_BYTES } from "../../wire/datagram.ts";

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

/** Tells whether keys that `importKey` makes give the known answers. */
export function passesKnownAnswers(importKey: AeadProvider["importKey"]): boolean {
  return (Object.keys(KNOWN_ANSWERS) as Cipher[]).every((cipher) => {
    const key = importKey(cipher, new Uint8Array(KEY_BYTES));
    try {
      return passesKnownAnswer(key, KNOWN_ANSWERS[cipher]);
    } finally {
      key.close();
    }
  });
}

function passesKnownAnswer(key: AeadKey, answer: string): boolean {
  const nonce = new Uint8Array(NONCE_BYTES);
  const aad = new Uint8Array(AAD_BYTES);
  const slab = new Slab(3, 0);
  key.seal(nonce, aad, slab, 0, 16, slab, 1);
  const sealed = slab.bytes.subarray(slab.at(1), slab.at(1) + 16 + TAG_BYTES);
  const known = sealed.toHex() === answer;
  const opens = key.open(nonce, aad, slab, 1, 16, slab, 2);
  sealed[0]! ^= 1;
  return known && opens && !key.open(nonce, aad, slab, 1, 16, slab, 2);
}
