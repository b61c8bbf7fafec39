/**
 * Cookies: proofs that an initiator receives what is sent to its address, asked for while a server
 * has more INITs to look at than it likes (the idea is that of WireGuard's paper, section 5.4.7).
 *
 * A server keeps nothing of those it gives one to: the cookie is a MAC of the address, under a
 * secret that changes. It is sealed, so that only a holder of the pre-shared key can use it, and not
 * whoever recorded an INIT and sees the answer.
 *
 * @module
 */

import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import {
  COOKIE_BYTES,
  COOKIE_SEALED,
  COOKIE_TAG,
  type InitHeader,
  MAC_BYTES,
  parseCookie,
  writeCookie,
} from "../wire/handshake.ts";
import { type Mac, NOBLE_MAC } from "./mac.ts";
import type { PskKeys } from "./psk.ts";

/** The secret behind cookies is replaced after this time, in microseconds. */
export const COOKIE_SECRET_US = 120_000_000;
const SECRET_BYTES = 32;

/** Makes cookies for addresses, and recognizes them for two to four minutes. */
export class CookieJar {
  readonly #random: (out: Uint8Array) => void;
  readonly #mac: Mac;
  #secret: Uint8Array | undefined;
  #before: Uint8Array | undefined;
  #renewAtUs = 0;

  constructor(random: (out: Uint8Array) => void, mac: Mac = NOBLE_MAC) {
    this.#random = random;
    this.#mac = mac;
  }

  /** Returns the COOKIE datagram that answers an INIT from `address`, a record of bytes. */
  answer(
    now: number,
    keys: PskKeys,
    { linkId, sessionId }: InitHeader,
    init: Uint8Array,
    address: Uint8Array,
  ): Uint8Array {
    this.#renew(now);
    const nonce = new Uint8Array(COOKIE_BYTES);
    this.#random(nonce);
    const datagram = writeCookie({ linkId, receiverId: sessionId, nonce });
    const { pad, tag } = sealOf(keys, datagram, init, this.#mac);
    datagram.set(xor(this.#cookie(this.#secret!, address), pad), COOKIE_SEALED);
    datagram.set(tag, COOKIE_TAG);
    return datagram;
  }

  /** Tells whether `proof` of an INIT from `address` was made with a cookie for that address. */
  verify(now: number, init: Uint8Array, proof: Uint8Array, address: Uint8Array): boolean {
    if (!this.#secret) return false;
    this.#renew(now);
    for (const secret of [this.#secret, this.#before]) {
      if (!secret) continue;
      if (timingSafeEqual(proofOf(init, this.#cookie(secret, address), this.#mac), proof)) {
        return true;
      }
    }
    return false;
  }

  #cookie(secret: Uint8Array, address: Uint8Array): Uint8Array {
    return this.#mac(secret, address).subarray(0, COOKIE_BYTES);
  }

  #renew(now: number): void {
    if (this.#secret && now < this.#renewAtUs) return;
    // One that nobody has asked for since is of no use to anybody.
    this.#before = now < this.#renewAtUs + COOKIE_SECRET_US ? this.#secret : undefined;
    this.#secret = new Uint8Array(SECRET_BYTES);
    this.#random(this.#secret);
    this.#renewAtUs = now + COOKIE_SECRET_US;
  }
}

/** Returns `init` with the proof that its sender has `cookie`. */
export function withProof(init: Uint8Array, cookie: Uint8Array, mac: Mac = NOBLE_MAC): Uint8Array {
  const out = new Uint8Array(init.length + COOKIE_BYTES);
  out.set(init);
  out.set(proofOf(init, cookie, mac), init.length);
  return out;
}

/** Returns the cookie in an answer to INIT `sent`; undefined when it is none from the server. */
export function openCookie(
  keys: PskKeys,
  datagram: Uint8Array,
  sent: Uint8Array,
  mac: Mac = NOBLE_MAC,
): Uint8Array | undefined {
  const parts = parseCookie(datagram);
  if (!parts) return undefined;
  const { pad, tag } = sealOf(keys, datagram, sent, mac);
  return timingSafeEqual(tag, parts.tag) ? xor(parts.sealed, pad) : undefined;
}

/**
 * Returns what hides the cookie and what binds the COOKIE to the INIT that it answers. A cookie that
 * was changed on its way proves nothing, so it needs no tag of its own.
 */
function sealOf(
  keys: PskKeys,
  datagram: Uint8Array,
  init: Uint8Array,
  mac: Mac,
): { readonly pad: Uint8Array; readonly tag: Uint8Array } {
  const data = new Uint8Array(COOKIE_SEALED + MAC_BYTES);
  data.set(datagram.subarray(0, COOKIE_SEALED));
  data.set(init.subarray(init.length - MAC_BYTES), COOKIE_SEALED);
  const both = mac(keys.cookieKey, data);
  return { pad: both.subarray(0, COOKIE_BYTES), tag: both.subarray(COOKIE_BYTES) };
}

function proofOf(init: Uint8Array, cookie: Uint8Array, mac: Mac): Uint8Array {
  return mac(cookie, init).subarray(0, COOKIE_BYTES);
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(COOKIE_BYTES);
  for (let i = 0; i < COOKIE_BYTES; i++) out[i] = a[i]! ^ b[i]!;
  return out;
}
