/**
 * The handshake: one round trip that ends in a fresh key per direction.
 *
 * A Noise message inside a datagram that carries a hint (which key) and a MAC
 * (checked before any public-key operation). One Noise message serves all links: only the clear
 * header and the MAC differ. Whoever holds the pre-shared key is the peer; nothing here throws on
 * what the network sends, and an observer cannot tell which check failed.
 *
 * @module
 */

import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { readU32, writeU32, writeU64 } from "../wire/field.ts";
import {
  INIT_HEADER_BYTES,
  initMessage,
  type InitPayload,
  isInit,
  MAC_BYTES,
  parseInitHeader,
  parseInitPayload,
  parseResponseHeader,
  parseResponsePayload,
  RESPONSE_HEADER_BYTES,
  responseMessage,
  TIMESTAMP_BYTES,
  writeInitHeader,
  writeInitPayload,
  writeResponseHeader,
  writeResponsePayload,
} from "../wire/handshake.ts";
import { CIPHER, type Cipher } from "./aead.ts";
import {
  CHACHA_POLY,
  readMessage1,
  readMessage2,
  startNnPsk0,
  type SymmetricState,
  writeMessage1,
  writeMessage2,
} from "./noise.ts";
import type { PskKeys } from "./psk.ts";

export type { InitPayload, LinkOffer } from "../wire/handshake.ts";

/** The version of the protocol that this program speaks. */
export const PROTOCOL_VERSION = 1;

/** Both ends must agree on it, or no message verifies: label and version. */
const PROLOGUE = new Uint8Array([...new TextEncoder().encode("aggvpn"), PROTOCOL_VERSION]);
/** 2^62 (TAI64 labels of our era) plus the 10 s by which TAI led UTC in 1970. */
const TAI64_EPOCH_HIGH = 0x4000_0000;
const TAI_MINUS_UTC_SECONDS = 10;

/** What the responder says about itself and decides. */
export interface ResponsePayload {
  version: number;
  /** Bits of `FEATURE` of src/wire/handshake.ts. */
  features: number;
  cipher: Cipher;
  /** Largest inner packet the responder accepts, in bytes. */
  mtu: number;
}

/** The keys of a new session as one end uses them. */
export interface SessionKeys {
  sendKey: Uint8Array;
  receiveKey: Uint8Array;
  /** The same on both ends and unique to the session. */
  handshakeHash: Uint8Array;
}

/**
 * Returns the TAI64N label of an instant in microseconds since 1970, not counting leap seconds
 * (POSIX time). Later instants compare greater bytewise.
 */
export function tai64n(epochUs: number): Uint8Array {
  const out = new Uint8Array(TIMESTAMP_BYTES);
  const seconds = Math.floor(epochUs / 1_000_000);
  writeU64(out, 0, seconds + TAI_MINUS_UTC_SECONDS);
  writeU32(out, 0, readU32(out, 0) + TAI64_EPOCH_HIGH);
  writeU32(out, 8, Math.floor(epochUs - seconds * 1_000_000) * 1000);
  return out;
}

/** The initiating end. Serves one attempt: INITs for every link, then the first good RESPONSE. */
export class Initiator {
  readonly #state: SymmetricState;
  readonly #ephemeralSecret: Uint8Array;
  readonly #message: Uint8Array;
  #done = false;
  readonly #keys: PskKeys;

  /**
   * @param ephemeralSecret 32 random bytes, used once; copied
   * @param sessionId unsigned 32-bit number by which this end will know the session
   */
  constructor(
    keys: PskKeys,
    ephemeralSecret: Uint8Array,
    readonly sessionId: number,
    payload: InitPayload,
  ) {
    this.#keys = keys;
    this.#ephemeralSecret = ephemeralSecret.slice();
    this.#state = startNnPsk0(CHACHA_POLY, PROLOGUE, keys.psk);
    this.#message = writeMessage1(this.#state, this.#ephemeralSecret, writeInitPayload(payload));
  }

  /** Returns the INIT datagram for a link. */
  init(linkId: number): Uint8Array {
    const datagram = new Uint8Array(INIT_HEADER_BYTES + this.#message.length + MAC_BYTES);
    writeInitHeader(datagram, linkId, this.sessionId, this.#keys.hint);
    datagram.set(this.#message, INIT_HEADER_BYTES);
    writeMac(this.#keys, datagram);
    return datagram;
  }

  /**
   * Reads a RESPONSE; `undefined` when it is not one for this attempt, or not
   * from the holder of the key. The attempt continues after a bad answer, and ends with the first
   * good one: copies that arrive on other links give `undefined`.
   */
  handleResponse(
    datagram: Uint8Array,
  ): { remoteSessionId: number; payload: ResponsePayload; keys: SessionKeys } | undefined {
    const header = this.#done ? undefined : parseResponseHeader(datagram);
    if (header?.receiverId !== this.sessionId) return undefined;
    if (!verifyMac(this.#keys, datagram)) return undefined;
    const state = this.#state.clone();
    const plain = readMessage2(state, this.#ephemeralSecret, responseMessage(datagram));
    const payload = plain && readResponse(plain);
    if (!payload) return undefined;
    this.close();
    const [sendKey, receiveKey] = state.split();
    return {
      remoteSessionId: header.senderId,
      payload,
      keys: sessionKeys(state, sendKey.key, receiveKey.key),
    };
  }

  /** Ends the attempt and wipes its secret. */
  close(): void {
    this.#done = true;
    this.#ephemeralSecret.fill(0);
  }
}

/** Tells whether a holder of the key made an INIT: about 25 us, before anything expensive. */
export function verifyInitMac(keys: PskKeys, datagram: Uint8Array): boolean {
  return isInit(datagram) && verifyMac(keys, datagram);
}

/** What {@linkcode respond} returns for a good INIT. */
export interface Responder {
  init: InitPayload;
  initiatorSessionId: number;
  /** By which this end will know the session. */
  sessionId: number;
  /** Returns the RESPONSE datagram for the link that an INIT arrived on. */
  response(linkId: number): Uint8Array;
  keys: SessionKeys;
  /** The Noise message, the same in the copies of an INIT that arrive on other links. */
  noiseMessage: Uint8Array;
}

/**
 * Answers an INIT; `undefined` when it does not verify, or `choose` refuses it.
 * `choose` is asked before the public-key operations (about 2.5 ms), and must
 * refuse a time stamp that is not later than the last one of this key.
 *
 * An initiator that gets an answer holds the pre-shared key, but the INIT may be a delayed one:
 * send with the new keys only after a datagram was opened with them.
 *
 * @param ephemeralSecret 32 random bytes, used once
 * @param newSessionId asked, after `choose`, for the unsigned 32-bit number by which this end will
 *   know the session
 */
export function respond(
  keys: PskKeys,
  datagram: Uint8Array,
  ephemeralSecret: Uint8Array,
  newSessionId: () => number,
  choose: (init: InitPayload) => ResponsePayload | undefined,
): Responder | undefined {
  const header = parseInitHeader(datagram);
  if (!header || !verifyMac(keys, datagram)) return undefined;
  const noiseMessage = initMessage(datagram).slice();
  const state = startNnPsk0(CHACHA_POLY, PROLOGUE, keys.psk);
  const first = readMessage1(state, noiseMessage);
  const init = first && parseInitPayload(first.payload);
  const chosen = init && choose(init);
  if (!chosen) return undefined;
  const sessionId = newSessionId();
  const answer = writeMessage2(
    state,
    ephemeralSecret,
    first.remoteEphemeral,
    writeResponsePayload({ ...chosen, cipher: CIPHER[chosen.cipher] }),
  );
  if (!answer) return undefined;
  const [receiveKey, sendKey] = state.split();
  const initiatorSessionId = header.sessionId;
  return {
    init,
    initiatorSessionId,
    sessionId,
    response: (linkId) => writeResponse(keys, linkId, initiatorSessionId, sessionId, answer),
    keys: sessionKeys(state, sendKey.key, receiveKey.key),
    noiseMessage,
  };
}

function writeResponse(
  keys: PskKeys,
  linkId: number,
  receiverId: number,
  senderId: number,
  message: Uint8Array,
): Uint8Array {
  const datagram = new Uint8Array(RESPONSE_HEADER_BYTES + message.length + MAC_BYTES);
  writeResponseHeader(datagram, linkId, receiverId, senderId);
  datagram.set(message, RESPONSE_HEADER_BYTES);
  writeMac(keys, datagram);
  return datagram;
}

function readResponse(plain: Uint8Array): ResponsePayload | undefined {
  const raw = parseResponsePayload(plain);
  const cipher = raw && cipherOf(raw.cipher);
  return cipher && { ...raw, cipher };
}

function cipherOf(number: number): Cipher | undefined {
  return (Object.keys(CIPHER) as Cipher[]).find((name) => CIPHER[name] === number);
}

function sessionKeys(
  state: SymmetricState,
  sendKey: Uint8Array,
  receiveKey: Uint8Array,
): SessionKeys {
  return { sendKey, receiveKey, handshakeHash: state.handshakeHash };
}

function macOf(keys: PskKeys, datagram: Uint8Array): Uint8Array {
  const covered = datagram.subarray(0, datagram.length - MAC_BYTES);
  return hmac(sha256, keys.macKey, covered).subarray(0, MAC_BYTES);
}

function writeMac(keys: PskKeys, datagram: Uint8Array): void {
  datagram.set(macOf(keys, datagram), datagram.length - MAC_BYTES);
}

function verifyMac(keys: PskKeys, datagram: Uint8Array): boolean {
  return timingSafeEqual(macOf(keys, datagram), datagram.subarray(datagram.length - MAC_BYTES));
}
