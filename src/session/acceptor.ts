/**
 * The server's half of a handshake: which client is it, is the INIT fresh, and an answer that is
 * the same for copies of the INIT that arrive on other links.
 *
 * What is wrong with an INIT is counted, but the sender is never told. Each step costs more than the
 * one before and is bounded for each client on its own, so that nobody who floods a server with one
 * client's hint, recorded INITs or keys takes time from the others. Only a sender that receives what
 * is sent to its address gets beyond a few INITs a second (`crypto/cookie.ts`).
 *
 * @module
 */

import { CookieJar } from "../crypto/cookie.ts";
import {
  type Primitives,
  PROTOCOL_VERSION,
  respond,
  type Responder,
  type ResponsePayload,
  verifyInitMac,
} from "../crypto/handshake.ts";
import type { PskKeys } from "../crypto/psk.ts";
import type { DropReason } from "../drops.ts";
import { INIT_HINT, initMessage, parseInitHeader, splitProof } from "../wire/handshake.ts";
import { readU32 } from "../wire/field.ts";
import { TokenBucket } from "./token_bucket.ts";

/** INITs of one client whose MAC is checked: a twentieth of a core, by a library or without. */
const MACS_BY_LIBRARY = { perSecond: 20_000, burst: 2000 };
const MACS = { perSecond: 2000, burst: 200 };
/** INITs of one client that are opened without a cookie, and with one: 0.1 ms each. */
const OPENED = { perSecond: 10, burst: 20 };
/** INITs of one client that are answered with a cookie: a fiftieth of a core. */
const ASKED = { perSecond: 2000, burst: 200 };
/** New handshakes with one client: up to 1 ms each, and as much again when they are used. */
const FRESH = { perSecond: 5, burst: 10 };

/** What the server remembers of one client's handshakes. */
class Known {
  lastTimestamp: Uint8Array = new Uint8Array(12);
  answered: Responder | undefined;
  readonly macs: TokenBucket;
  readonly opened = new TokenBucket(OPENED.perSecond, OPENED.burst);
  readonly proven = new TokenBucket(OPENED.perSecond, OPENED.burst);
  readonly asked = new TokenBucket(ASKED.perSecond, ASKED.burst);
  readonly fresh = new TokenBucket(FRESH.perSecond, FRESH.burst);

  constructor(readonly keys: PskKeys, by: Primitives) {
    const { perSecond, burst } = by.mac ? MACS_BY_LIBRARY : MACS;
    this.macs = new TokenBucket(perSecond, burst);
  }
}

/** A good INIT: its client, its answer, and whether it is a copy. */
export interface Accepted {
  readonly client: number;
  readonly responder: Responder;
  readonly copy: boolean;
  readonly response: Uint8Array;
}

/** What is sent back for an INIT that is not looked at before its sender has a cookie. */
export interface Asked {
  readonly cookie: Uint8Array;
}

/** Answers INITs for a list of clients, which are known by their positions in it. */
export class Acceptor {
  /** Which client the last INIT said it was from; -1: none of them. */
  client = -1;
  readonly #known: Known[];
  /** Positions by the first half of the hint, so that many clients cost no more than few. */
  readonly #byHint = new Map<number, number[]>();
  readonly #random: (out: Uint8Array) => void;
  readonly #choose: (features: number, mtu: number) => ResponsePayload;
  readonly #by: Primitives;
  readonly #jar: CookieJar;

  /** @param choose the server's side of the bargain, given the client's features and MTU */
  constructor(
    clients: readonly PskKeys[],
    random: (out: Uint8Array) => void,
    choose: (features: number, mtu: number) => ResponsePayload,
    by: Primitives = {},
  ) {
    this.#known = clients.map((keys) => new Known(keys, by));
    this.#index();
    this.#random = random;
    this.#choose = choose;
    this.#by = by;
    this.#jar = new CookieJar(random, by.mac);
  }

  /** Appends a client. */
  add(keys: PskKeys): void {
    this.#known.push(new Known(keys, this.#by));
    this.#index();
  }

  /** Forgets a client; those behind it move up. */
  remove(client: number): void {
    this.#known.splice(client, 1);
    this.#index();
    this.client = -1;
  }

  /**
   * Returns the answer to an INIT or a PROVEN from `address`, or why there is none. `newSessionId` is
   * asked for the server's id of a session that is new: for no copy, and for nothing that is refused.
   */
  handleInit(
    now: number,
    datagram: Uint8Array,
    address: Uint8Array,
    newSessionId: (client: number, initiatorSessionId: number) => number,
  ): Accepted | Asked | DropReason {
    const { init, proof } = splitProof(datagram);
    const header = parseInitHeader(init);
    this.client = -1;
    if (!header) return "short";
    const client = this.client = this.#find(init);
    const known = this.#known[client];
    if (!known) return "unknown-client";
    if (!known.macs.take(now)) return "handshake-rate";
    if (!verifyInitMac(known.keys, init, this.#by)) return "handshake-mac";
    const before = known.answered;
    const copy = before !== undefined && equal(before.noiseMessage, initMessage(init));
    if (!copy && !this.#mayOpen(now, known, init, proof, address)) {
      if (!known.asked.take(now)) return "handshake-rate";
      const cookie = this.#jar.answer(now, known.keys, header, init, address);
      return { cookie };
    }
    const newId = (): number => newSessionId(client, header.sessionId);
    const responder = copy ? before : this.#answer(now, known, init, newId);
    if (typeof responder === "string") return responder;
    const response = responder.response(header.linkId);
    return { client, responder, copy, response };
  }

  /** Which client an INIT says that it is from; -1: none of them. */
  #find(init: Uint8Array): number {
    const rest = readU32(init, INIT_HINT + 4);
    for (const client of this.#byHint.get(readU32(init, INIT_HINT)) ?? []) {
      if (readU32(this.#known[client]!.keys.hint, 4) === rest) return client;
    }
    return -1;
  }

  #index(): void {
    this.#byHint.clear();
    for (const [client, { keys }] of this.#known.entries()) {
      const half = readU32(keys.hint, 0);
      this.#byHint.set(half, [...this.#byHint.get(half) ?? [], client]);
    }
  }

  #mayOpen(
    now: number,
    known: Known,
    init: Uint8Array,
    proof: Uint8Array | undefined,
    address: Uint8Array,
  ): boolean {
    if (proof && this.#jar.verify(now, init, proof, address)) return known.proven.take(now);
    return known.opened.take(now);
  }

  #answer(
    now: number,
    known: Known,
    init: Uint8Array,
    newId: () => number,
  ): Responder | DropReason {
    const secret = new Uint8Array(32);
    this.#random(secret);
    let refusal: DropReason = "handshake-mac";
    const choose = (init: Responder["init"]): ResponsePayload | undefined => {
      if (compare(init.timestamp, known.lastTimestamp) <= 0) refusal = "handshake-replay";
      else if (init.version !== PROTOCOL_VERSION || !areDense(init.links)) {
        refusal = "handshake-version";
      } else if (!known.fresh.take(now)) refusal = "handshake-rate";
      else return this.#choose(init.features, init.mtu);
      return undefined;
    };
    const responder = respond(known.keys, init, secret, newId, choose, this.#by);
    secret.fill(0);
    if (!responder) return refusal;
    known.lastTimestamp = responder.init.timestamp;
    known.answered = responder;
    return responder;
  }
}

/** Link ids are positions: 0, 1, 2, ... */
function areDense(links: readonly { readonly id: number }[]): boolean {
  return links.length > 0 && links.every((link, i) => link.id === i);
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compare(a, b) === 0;
}
