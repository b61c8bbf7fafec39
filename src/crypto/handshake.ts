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

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { readU32, writeU32, writeU64 } from "../wire/field.ts";
import {
  HANDSHAKE_TYPE,
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
import type { Curve } from "./curve.ts";
import { type Mac, NOBLE_MAC } from "./mac.ts";
import {
  CHACHA_POLY,
  readMessage1,
  readMessage2,
  startNnPsk0,
  type SymmetricState,
  writeMessage1,
  writeMessage2,
} from "./noise.ts";
import { openCookie, withProof } from "./cookie.ts";
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

/** What a handshake is computed by: a library, or what is always available. */
export interface Primitives {
  readonly curve?: Curve;
  readonly mac?: Mac;
}

/** The keys of a new session as one end uses them. */
export interface SessionKeys {
  sendKey: Uint8Array;
  receiveKey: Uint8Array;
  /** The same on both ends and unique to the session. */
  handshakeHash: Uint8Array;
  /** 32 bytes that this end alone knows, for what the other must not guess. */
  ownSecret: Uint8Array;
}

/** What the secret of this end alone is derived with, from its ephemeral one. */
const OWN_SECRET = new TextEncoder().encode("aggvpn own secret");

/** The state after the first token, which is the same in every handshake with a key. */
const started = new WeakMap<PskKeys, SymmetricState>();

function startOf(keys: PskKeys): SymmetricState {
  let state = started.get(keys);
  if (!state) started.set(keys, state = startNnPsk0(CHACHA_POLY, PROLOGUE, keys.psk));
  return state.clone();
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
  readonly #by: Primitives;

  /**
   * @param ephemeralSecret 32 random bytes, used once; copied
   * @param sessionId unsigned 32-bit number by which this end will know the session
   */
  constructor(
    keys: PskKeys,
    ephemeralSecret: Uint8Array,
    readonly sessionId: number,
    payload: InitPayload,
    by: Primitives = {},
  ) {
    this.#keys = keys;
    this.#by = by;
    this.#ephemeralSecret = ephemeralSecret.slice();
    this.#state = startOf(keys);
    this.#message = writeMessage1(
      this.#state,
      this.#ephemeralSecret,
      writeInitPayload(payload),
      by.curve,
    );
  }

  /** Returns the INIT datagram for a link; with a cookie the PROVEN. */
  init(linkId: number, cookie?: Uint8Array): Uint8Array {
    const datagram = new Uint8Array(INIT_HEADER_BYTES + this.#message.length + MAC_BYTES);
    const type = cookie ? HANDSHAKE_TYPE.proven : HANDSHAKE_TYPE.init;
    writeInitHeader(datagram, linkId, this.sessionId, this.#keys.hint, type);
    datagram.set(this.#message, INIT_HEADER_BYTES);
    writeMac(this.#keys, datagram, this.#by);
    return cookie ? withProof(datagram, cookie, this.#by.mac) : datagram;
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
    if (!verifyMac(this.#keys, datagram, this.#by)) return undefined;
    const state = this.#state.clone();
    const message = responseMessage(datagram);
    const plain = readMessage2(state, this.#ephemeralSecret, message, this.#by.curve);
    const payload = plain && readResponse(plain);
    if (!payload) {
      state.wipe();
      return undefined;
    }
    const ownSecret = ownSecretOf(this.#ephemeralSecret, this.#by);
    this.close();
    const [sendKey, receiveKey] = state.split();
    return {
      remoteSessionId: header.senderId,
      payload,
      keys: sessionKeys(state, sendKey.key, receiveKey.key, ownSecret),
    };
  }

  /** The MAC key's owner sealed a cookie for INIT `sent`; undefined when it is none for that. */
  handleCookie(datagram: Uint8Array, sent: Uint8Array): Uint8Array | undefined {
    if (this.#done) return undefined;
    return openCookie(this.#keys, datagram, sent, this.#by.mac);
  }

  /** Ends the attempt and wipes its secret. */
  close(): void {
    this.#done = true;
    this.#ephemeralSecret.fill(0);
    this.#state.wipe();
  }
}

/** Tells whether a holder of the key made an INIT: 2 to 10 us, before anything expensive. */
export function verifyInitMac(keys: PskKeys, datagram: Uint8Array, by: Primitives = {}): boolean {
  return isInit(datagram) && verifyMac(keys, datagram, by);
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
 * `choose` is asked before the public-key operations (0.1 to 1 ms), and must
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
  by: Primitives = {},
): Responder | undefined {
  if (!verifyInitMac(keys, datagram, by)) return undefined;
  const state = startOf(keys);
  try {
    return answer(keys, state, datagram, ephemeralSecret, newSessionId, choose, by);
  } finally {
    state.wipe();
  }
}

function answer(
  keys: PskKeys,
  state: SymmetricState,
  datagram: Uint8Array,
  ephemeralSecret: Uint8Array,
  newSessionId: () => number,
  choose: (init: InitPayload) => ResponsePayload | undefined,
  by: Primitives,
): Responder | undefined {
  const header = parseInitHeader(datagram)!;
  const noiseMessage = initMessage(datagram).slice();
  const first = readMessage1(state, noiseMessage);
  const init = first && parseInitPayload(first.payload);
  const chosen = init && choose(init);
  if (!chosen) return undefined;
  const sessionId = newSessionId();
  const message = writeMessage2(
    state,
    ephemeralSecret,
    first.remoteEphemeral,
    writeResponsePayload({ ...chosen, cipher: CIPHER[chosen.cipher] }),
    by.curve,
  );
  if (!message) return undefined;
  const [receiveKey, sendKey] = state.split();
  const initiatorSessionId = header.sessionId;
  return {
    init,
    initiatorSessionId,
    sessionId,
    response: (linkId) => writeResponse(keys, linkId, initiatorSessionId, sessionId, message, by),
    keys: sessionKeys(state, sendKey.key, receiveKey.key, ownSecretOf(ephemeralSecret, by)),
    noiseMessage,
  };
}

function writeResponse(
  keys: PskKeys,
  linkId: number,
  receiverId: number,
  senderId: number,
  message: Uint8Array,
  by: Primitives,
): Uint8Array {
  const datagram = new Uint8Array(RESPONSE_HEADER_BYTES + message.length + MAC_BYTES);
  writeResponseHeader(datagram, linkId, receiverId, senderId);
  datagram.set(message, RESPONSE_HEADER_BYTES);
  writeMac(keys, datagram, by);
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
  ownSecret: Uint8Array,
): SessionKeys {
  state.wipe();
  return { sendKey, receiveKey, handshakeHash: state.handshakeHash, ownSecret };
}

function ownSecretOf(ephemeralSecret: Uint8Array, { mac = NOBLE_MAC }: Primitives): Uint8Array {
  return mac(ephemeralSecret, OWN_SECRET);
}

function macOf(keys: PskKeys, datagram: Uint8Array, { mac = NOBLE_MAC }: Primitives): Uint8Array {
  const covered = datagram.subarray(0, datagram.length - MAC_BYTES);
  return mac(keys.macKey, covered).subarray(0, MAC_BYTES);
}

function writeMac(keys: PskKeys, datagram: Uint8Array, by: Primitives): void {
  datagram.set(macOf(keys, datagram, by), datagram.length - MAC_BYTES);
}

function verifyMac(keys: PskKeys, datagram: Uint8Array, by: Primitives): boolean {
  return timingSafeEqual(macOf(keys, datagram, by), datagram.subarray(datagram.length - MAC_BYTES));
}
