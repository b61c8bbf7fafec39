/**
 * The server's half of a handshake: which client is it, is the INIT fresh, and an answer that is
 * the same for copies of the INIT that arrive on other links.
 *
 * What is wrong with an INIT is counted, but the sender is never told.
 *
 * @module
 */

import {
  PROTOCOL_VERSION,
  respond,
  type Responder,
  type ResponsePayload,
  verifyInitMac,
} from "../crypto/handshake.ts";
import type { PskKeys } from "../crypto/psk.ts";
import type { DropReason } from "../drops.ts";
import { initMessage, parseInitHeader } from "../wire/handshake.ts";

/** INITs of one client whose MAC is checked per second: 25 us each, a twentieth of a core. */
const RATE_PER_SECOND = 2000;
const BURST = 200;

/** What the server remembers of one client's handshakes. */
class Known {
  lastTimestamp: Uint8Array = new Uint8Array(12);
  answered: Responder | undefined;
  #tokens = BURST;
  #tokensAtUs = 0;

  constructor(readonly keys: PskKeys) {}

  /** Whether one more INIT may be checked: a flood with one client's hint locks out no other. */
  takeToken(now: number): boolean {
    this.#tokens = Math.min(BURST, this.#tokens + (now - this.#tokensAtUs) * RATE_PER_SECOND / 1e6);
    this.#tokensAtUs = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** A good INIT: its client, its answer, and whether it is a copy. */
export interface Accepted {
  readonly client: number;
  readonly responder: Responder;
  readonly copy: boolean;
  readonly response: Uint8Array;
}

/** Answers INITs for a list of clients, which are known by their positions in it. */
export class Acceptor {
  /** Which client the last INIT said it was from; -1: none of them. */
  client = -1;
  readonly #known: Known[];
  readonly #random: (out: Uint8Array) => void;
  readonly #choose: (features: number, mtu: number) => ResponsePayload;

  /** @param choose the server's side of the bargain, given the client's features and MTU */
  constructor(
    clients: readonly PskKeys[],
    random: (out: Uint8Array) => void,
    choose: (features: number, mtu: number) => ResponsePayload,
  ) {
    this.#known = clients.map((keys) => new Known(keys));
    this.#random = random;
    this.#choose = choose;
  }

  /** Appends a client. */
  add(keys: PskKeys): void {
    this.#known.push(new Known(keys));
  }

  /** Forgets a client; those behind it move up. */
  remove(client: number): void {
    this.#known.splice(client, 1);
    this.client = -1;
  }

  /**
   * Returns the answer to an INIT, or why there is none. `newSessionId` is asked for the server's id
   * of a session that is new: for no copy, and for nothing that is refused.
   */
  handleInit(
    now: number,
    datagram: Uint8Array,
    newSessionId: (client: number, initiatorSessionId: number) => number,
  ): Accepted | DropReason {
    const header = parseInitHeader(datagram);
    if (!header) return "short";
    const client = this.#known.findIndex((known) => equal(known.keys.hint, header.hint));
    this.client = client;
    if (client < 0) return "unknown-client";
    const known = this.#known[client]!;
    if (!known.takeToken(now)) return "handshake-rate";
    if (!verifyInitMac(known.keys, datagram)) return "handshake-mac";
    const before = known.answered;
    const copy = before !== undefined && equal(before.noiseMessage, initMessage(datagram));
    const newId = (): number => newSessionId(client, header.sessionId);
    const responder = copy ? before : this.#answer(known, datagram, newId);
    if (typeof responder === "string") return responder;
    return { client, responder, copy, response: responder.response(header.linkId) };
  }

  #answer(known: Known, datagram: Uint8Array, newId: () => number): Responder | DropReason {
    const secret = new Uint8Array(32);
    this.#random(secret);
    let refusal: DropReason = "handshake-mac";
    const responder = respond(known.keys, datagram, secret, newId, (init) => {
      if (compare(init.timestamp, known.lastTimestamp) <= 0) refusal = "handshake-replay";
      else if (init.version !== PROTOCOL_VERSION || !areDense(init.links)) {
        refusal = "handshake-version";
      } else return this.#choose(init.features, init.mtu);
      return undefined;
    });
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
