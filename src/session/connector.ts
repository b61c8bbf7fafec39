/**
 * The client's half of a handshake: the same INIT on every link at once, repeated until one answer
 * comes back. A dead first link blocks nothing.
 *
 * @module
 */

import { COOKIE_SECRET_US } from "../crypto/cookie.ts";
import { Initiator, type InitPayload, type Primitives } from "../crypto/handshake.ts";
import type { PskKeys } from "../crypto/psk.ts";
import { parseCookie, splitProof } from "../wire/handshake.ts";
import { BackOff } from "./back_off.ts";

/** Times between INITs of one attempt, in microseconds; the last one repeats. */
const RETRY_US: readonly number[] = [250_000, 250_000, 500_000, 1_000_000];
/** An attempt with one ephemeral key and time stamp lasts this long, in microseconds. */
const ATTEMPT_US = 5_000_000;
/** After this long without an answer the user should be told, in microseconds. */
const COMPLAIN_AFTER_US = 3_000_000;

/** The result of a finished handshake. */
export type Connected = NonNullable<ReturnType<Initiator["handleResponse"]>> & {
  readonly localSessionId: number;
};

/** What a server wants to see with INITs that come by one link. */
interface Cookie {
  readonly bytes: Uint8Array;
  readonly endsAtUs: number;
}

/** Runs attempts until one succeeds. */
export class Connector {
  #initiator: Initiator | undefined;
  #endsAtUs = 0;
  #sent = 0;
  readonly #complaints = new BackOff();
  /** When to send the next INITs; Infinity while no handshake is wanted. */
  dueAtUs = Infinity;
  readonly #keys: PskKeys;
  readonly #random: (out: Uint8Array) => void;
  readonly #payload: (now: number) => InitPayload;
  readonly #newSessionId: () => number;
  readonly #by: Primitives;
  /** By link, since each has an address of its own. */
  readonly #cookies = new Map<number, Cookie>();
  /** The last INIT of this attempt on each link, which a cookie must answer. */
  readonly #inits = new Map<number, Uint8Array>();
  /** Links that have got a cookie: their INIT is repeated at once. */
  readonly #hurried = new Set<number>();

  constructor(
    keys: PskKeys,
    random: (out: Uint8Array) => void,
    payload: (now: number) => InitPayload,
    newSessionId: () => number,
    by: Primitives = {},
  ) {
    this.#by = by;
    this.#keys = keys;
    this.#random = random;
    this.#payload = payload;
    this.#newSessionId = newSessionId;
  }

  get active(): boolean {
    return this.dueAtUs !== Infinity;
  }

  /** Asks for a session; harmless while one is already asked for. */
  start(now: number): void {
    if (this.active) return;
    this.dueAtUs = now;
    this.#complaints.reset(now + COMPLAIN_AFTER_US);
  }

  /** Repeats what was sent at once if a session is asked for: it may get through now. */
  hurry(now: number): void {
    if (this.active) this.dueAtUs = now;
  }

  /** No longer asks for one. */
  stop(): void {
    this.#initiator?.close();
    this.#initiator = undefined;
    this.#inits.clear();
    this.#hurried.clear();
    this.dueAtUs = Infinity;
  }

  /** Returns the INITs to send now, one per link. Call when {@linkcode dueAtUs} has passed. */
  poll(now: number, links: number): Uint8Array[] {
    if (!this.#initiator || now >= this.#endsAtUs) this.#begin(now);
    this.dueAtUs = now + RETRY_US[Math.min(this.#sent++, RETRY_US.length - 1)]!;
    return Array.from({ length: links }, (_, link) => this.#initOf(now, link));
  }

  /** Returns the INITs of links whose server has just asked for a cookie, and sent it along. */
  pollHurried(now: number): ReadonlyMap<number, Uint8Array> {
    const inits = new Map<number, Uint8Array>();
    for (const link of this.#hurried) inits.set(link, this.#initOf(now, link));
    this.#hurried.clear();
    return inits;
  }

  /** Whether {@linkcode pollHurried} has something to send. */
  get isHurried(): boolean {
    return this.#hurried.size > 0;
  }

  /** Whether the user should be told now that nobody answers. */
  pollComplaint(now: number): boolean {
    return this.active && this.#complaints.isDue(now);
  }

  /** Reads an answer; `undefined` when it is not one to us. */
  handleResponse(datagram: Uint8Array): Connected | undefined {
    const answer = this.#initiator?.handleResponse(datagram);
    if (!answer) return undefined;
    const localSessionId = this.#initiator!.sessionId;
    this.stop();
    return { ...answer, localSessionId };
  }

  /** Reads a COOKIE. Returns whether it is one for us. */
  handleCookie(now: number, datagram: Uint8Array): boolean {
    const link = parseCookie(datagram)?.linkId ?? -1;
    const sent = this.#inits.get(link);
    const bytes = sent && this.#initiator?.handleCookie(datagram, sent);
    if (!bytes) return false;
    // One for each INIT: who repeats it makes us send nothing.
    this.#inits.delete(link);
    this.#cookies.set(link, { bytes, endsAtUs: now + COOKIE_SECRET_US });
    this.#hurried.add(link);
    return true;
  }

  #initOf(now: number, link: number): Uint8Array {
    const cookie = this.#cookies.get(link);
    if (cookie && now >= cookie.endsAtUs) this.#cookies.delete(link);
    const init = this.#initiator!.init(link, this.#cookies.get(link)?.bytes);
    this.#inits.set(link, splitProof(init).init);
    return init;
  }

  #begin(now: number): void {
    this.#initiator?.close();
    const secret = new Uint8Array(32);
    this.#random(secret);
    this.#initiator = new Initiator(
      this.#keys,
      secret,
      this.#newSessionId(),
      this.#payload(now),
      this.#by,
    );
    secret.fill(0);
    this.#endsAtUs = now + ATTEMPT_US;
    this.#sent = 0;
  }
}
