/**
 * The Noise protocol framework, revision 34, as far as `NNpsk0` over Curve25519
 * and SHA-256 needs it; section numbers below are that document's.
 *
 * Ephemeral secrets are arguments, so that the state machine is deterministic
 * and the public test vectors run against it. A message that does not verify leaves behind a state
 * that must be discarded: work on a {@linkcode SymmetricState.clone}. Keys that are replaced are
 * wiped, and the rest by {@linkcode SymmetricState.wipe}: as far as a language with a garbage
 * collector can, for copies that it or a library has made are out of reach.
 *
 * @module
 */

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { writeU64 } from "../wire/field.ts";
import { type Curve, NOBLE_CURVE } from "./curve.ts";

/** Bytes of a public key (section 12.1). */
const PUBLIC_KEY_BYTES = 32;
const HASH_BYTES = 32;
const EMPTY = new Uint8Array();

/** A cipher as section 12 names it, with its own layout of the nonce. */
export interface NoiseCipher {
  readonly name: string;
  seal(key: Uint8Array, counter: number, aad: Uint8Array, plain: Uint8Array): Uint8Array;
  /** Returns undefined when the tag does not verify. */
  open(
    key: Uint8Array,
    counter: number,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined;
}

type Construct = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array) => {
  encrypt(plain: Uint8Array): Uint8Array;
  decrypt(sealed: Uint8Array): Uint8Array;
};

function noiseCipher(
  name: string,
  construct: Construct,
  nonceOf: (counter: number) => Uint8Array,
): NoiseCipher {
  return {
    name,
    seal: (key, counter, aad, plain) => construct(key, nonceOf(counter), aad).encrypt(plain),
    open(key, counter, aad, sealed): Uint8Array | undefined {
      try {
        return construct(key, nonceOf(counter), aad).decrypt(sealed);
      } catch {
        return undefined;
      }
    },
  };
}

function bigEndianNonce(counter: number): Uint8Array {
  const nonce = new Uint8Array(12);
  writeU64(nonce, 4, counter);
  return nonce;
}

function littleEndianNonce(counter: number): Uint8Array {
  const nonce = bigEndianNonce(counter);
  nonce.subarray(4).reverse();
  return nonce;
}

/** Section 12.3. */
export const CHACHA_POLY: NoiseCipher = noiseCipher(
  "ChaChaPoly",
  chacha20poly1305,
  littleEndianNonce,
);
/** Section 12.4. */
export const AES_GCM: NoiseCipher = noiseCipher("AESGCM", gcm, bigEndianNonce);

/** One key of one direction with its counter (section 5.1). */
export class CipherState {
  #counter = 0;

  constructor(readonly cipher: NoiseCipher, readonly key: Uint8Array) {}

  clone(): CipherState {
    const copy = new CipherState(this.cipher, this.key.slice());
    copy.#counter = this.#counter;
    return copy;
  }

  wipe(): void {
    this.key.fill(0);
  }

  /** EncryptWithAd(). */
  seal(aad: Uint8Array, plain: Uint8Array): Uint8Array {
    return this.cipher.seal(this.key, this.#counter++, aad, plain);
  }

  /** DecryptWithAd(); a message that does not verify does not advance the counter. */
  open(aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const plain = this.cipher.open(this.key, this.#counter, aad, sealed);
    if (plain) this.#counter++;
    return plain;
  }
}

/** The running hash and key of one handshake (section 5.2). */
export class SymmetricState {
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState | undefined;

  constructor(readonly cipher: NoiseCipher, protocolName: string) {
    const name = new TextEncoder().encode(protocolName);
    this.#hash = name.length > HASH_BYTES ? sha256(name) : padded(name);
    this.#chainingKey = this.#hash.slice();
  }

  /** GetHandshakeHash(). */
  get handshakeHash(): Uint8Array {
    return this.#hash;
  }

  /** Returns an independent copy, on which to try a message that may not verify. */
  clone(): SymmetricState {
    const copy = new SymmetricState(this.cipher, "");
    copy.#chainingKey = this.#chainingKey.slice();
    copy.#hash = this.#hash;
    copy.#cipher = this.#cipher?.clone();
    return copy;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256.create().update(this.#hash).update(data).digest();
  }

  mixKey(material: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(material, 2);
    this.#replace(chainingKey!, key!);
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey, hash, key] = this.#hkdf(material, 3);
    this.mixHash(hash!);
    hash!.fill(0);
    this.#replace(chainingKey!, key!);
  }

  /** Forgets every key; what {@linkcode split} gave is the caller's. */
  wipe(): void {
    this.#chainingKey.fill(0);
    this.#cipher?.wipe();
  }

  #replace(chainingKey: Uint8Array, key: Uint8Array): void {
    this.wipe();
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(this.cipher, key);
  }

  /** EncryptAndHash(); a key must have been mixed in. */
  sealAndHash(plain: Uint8Array): Uint8Array {
    const sealed = this.#cipher!.seal(this.#hash, plain);
    this.mixHash(sealed);
    return sealed;
  }

  /** DecryptAndHash(); a key must have been mixed in. */
  openAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plain = this.#cipher!.open(this.#hash, sealed);
    if (plain) this.mixHash(sealed);
    return plain;
  }

  /** Split(): the keys of initiator to responder and back. */
  split(): [CipherState, CipherState] {
    const [first, second] = this.#hkdf(EMPTY, 2);
    return [new CipherState(this.cipher, first!), new CipherState(this.cipher, second!)];
  }

  /** Noise's HKDF (section 4.3) is RFC 5869's with an empty info. */
  #hkdf(material: Uint8Array, outputs: number): Uint8Array[] {
    const prk = extract(sha256, material, this.#chainingKey);
    const okm = expand(sha256, prk, EMPTY, outputs * HASH_BYTES);
    const parts = Array.from(
      { length: outputs },
      (_, i) => okm.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
    );
    prk.fill(0);
    okm.fill(0);
    return parts;
  }
}

function padded(name: Uint8Array): Uint8Array {
  const out = new Uint8Array(HASH_BYTES);
  out.set(name);
  return out;
}

/** Begins `NNpsk0` and does its first token `psk` (section 9), the same on both sides. */
export function startNnPsk0(
  cipher: NoiseCipher,
  prologue: Uint8Array,
  psk: Uint8Array,
): SymmetricState {
  const state = new SymmetricState(cipher, `Noise_NNpsk0_25519_${cipher.name}_SHA256`);
  state.mixHash(prologue);
  state.mixKeyAndHash(psk);
  return state;
}

/** Writes `psk, e` with `payload`: the first message, whose psk token is already done. */
export function writeMessage1(
  state: SymmetricState,
  ephemeralSecret: Uint8Array,
  payload: Uint8Array,
  curve: Curve = NOBLE_CURVE,
): Uint8Array {
  const publicKey = writeEphemeral(state, ephemeralSecret, curve);
  return joined(publicKey, state.sealAndHash(payload));
}

/** Reads the first message; no public-key operation. Returns the payload. */
export function readMessage1(
  state: SymmetricState,
  message: Uint8Array,
): { remoteEphemeral: Uint8Array; payload: Uint8Array } | undefined {
  const remoteEphemeral = message.slice(0, PUBLIC_KEY_BYTES);
  readEphemeral(state, remoteEphemeral);
  const payload = state.openAndHash(message.subarray(PUBLIC_KEY_BYTES));
  return payload && { remoteEphemeral, payload };
}

/** Writes `e, ee` with `payload`; undefined when the peer's key is of low order. */
export function writeMessage2(
  state: SymmetricState,
  ephemeralSecret: Uint8Array,
  remoteEphemeral: Uint8Array,
  payload: Uint8Array,
  curve: Curve = NOBLE_CURVE,
): Uint8Array | undefined {
  const shared = curve.shared(ephemeralSecret, remoteEphemeral);
  if (!shared) return undefined;
  const publicKey = writeEphemeral(state, ephemeralSecret, curve);
  state.mixKey(shared);
  shared.fill(0);
  return joined(publicKey, state.sealAndHash(payload));
}

/** Reads the second message; returns the payload, or undefined when it does not verify. */
export function readMessage2(
  state: SymmetricState,
  ephemeralSecret: Uint8Array,
  message: Uint8Array,
  curve: Curve = NOBLE_CURVE,
): Uint8Array | undefined {
  const remoteEphemeral = message.slice(0, PUBLIC_KEY_BYTES);
  const shared = curve.shared(ephemeralSecret, remoteEphemeral);
  if (!shared) return undefined;
  readEphemeral(state, remoteEphemeral);
  state.mixKey(shared);
  shared.fill(0);
  return state.openAndHash(message.subarray(PUBLIC_KEY_BYTES));
}

/** Token `e`; with a psk modifier the public key is also mixed into the key (section 9.2). */
function writeEphemeral(state: SymmetricState, secret: Uint8Array, curve: Curve): Uint8Array {
  const publicKey = curve.publicKey(secret);
  readEphemeral(state, publicKey);
  return publicKey;
}

function readEphemeral(state: SymmetricState, publicKey: Uint8Array): void {
  state.mixHash(publicKey);
  state.mixKey(publicKey);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const out = new Uint8Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
}
