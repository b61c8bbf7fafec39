/**
 * Which of several servers is used: the first in the order of preference that answers.
 *
 * When nothing is heard of the one in use, the others are asked too, each a little after the one
 * before, and the first that answers is used. Meanwhile better ones are asked now and then. One that
 * answers several times in a row gets a session beside the present one; once its links work, packets
 * go there, and the session of the server before ends when what was under way has arrived.
 *
 * @module
 */

import type { TransmitBatch } from "../batch.ts";
import type { Connected } from "../session/connector.ts";
import type { Contact } from "./contact.ts";
import { Standing } from "./standing.ts";

/** Silence of the server in use after which others are asked, in microseconds. */
const SILENCE_US = 2_000_000;
/** Each of them is asked this much later than the one before. */
const STAGGER_US = 500_000;
/** Another server has to answer twice, so far apart: the one in use may be back as well. */
const GRACE_US = 300_000;
/** Two answers further apart than this have nothing to do with each other. */
const ANSWER_LIFE_US = 3_000_000;

/** A better server is asked for this long, in microseconds. */
const ATTEMPT_US = 3_000_000;
/** It is used when it has answered this often, ... */
const GOOD_ANSWERS = 3;
/** ... so far apart. */
const ANSWER_PAUSE_US = 2_000_000;
/** A better server's links have this long to come up, ... */
const TRIAL_US = 3_000_000;
/** ... and the last of them this long after the first. */
const SETTLE_US = 1_000_000;
/** What is under way to the server before has this long to arrive. */
const DRAIN_US = 2_000_000;

/** Something that concerns the whole choice. */
export interface ChoiceHost {
  /** Another server is used, since `reason`. */
  readonly onChange: (now: number, before: Contact, reason: string) => void;
  readonly isMetered: (link: number) => boolean;
}

/** Whether a server is asked for an answer, and whether it gave one. */
export type ServerState = "idle" | "asked" | "answers";

/** Chooses among contacts. With one there is nothing to choose, and nothing happens here. */
export class Servers {
  /** In order of preference. */
  readonly contacts: readonly Contact[];
  /** The one that packets go to. */
  active: Contact;
  /** Why it is not the first one, in words; absent when it is. */
  reason: string | undefined;
  readonly #host: ChoiceHost;
  readonly #standings = new Map<Contact, Standing>();
  /** A better one with a session, whose links are about to come up. */
  #trial: { readonly contact: Contact; readonly sinceUs: number; upAtUs: number } | undefined;
  /** Contacts whose session is to end, and when. */
  readonly #leaving = new Map<Contact, { readonly atUs: number; readonly reason: string }>();
  /** When the network of this host has come back. */
  #backAtUs = -Infinity;

  constructor(contacts: readonly Contact[], host: ChoiceHost) {
    this.contacts = contacts;
    this.active = contacts[0]!;
    this.#host = host;
    for (const contact of contacts) this.#standings.set(contact, new Standing());
  }

  /** Whether more than the server in use is spoken to, so that things go on within a second. */
  get isBusy(): boolean {
    return this.#trial !== undefined || this.#leaving.size > 0 ||
      this.contacts.some((contact) => contact !== this.active && contact.connector.active);
  }

  /** When a better server is asked next; Infinity: there is none. */
  get askAtUs(): number {
    let at = Infinity;
    for (const contact of this.#better) at = Math.min(at, this.#standing(contact).askAtUs);
    return at;
  }

  /** What goes on with a server; the one in use counts as asked. */
  stateOf(contact: Contact): ServerState {
    const { answers, hasAnswered } = this.#standing(contact);
    if (contact === this.active) return "asked";
    if (contact.peer.current || hasAnswered || answers > 0) return "answers";
    return contact.connector.active ? "asked" : "idle";
  }

  /** The network of this host has come back: the server in use gets another chance. */
  handleNetworkBack(now: number): void {
    this.#backAtUs = now;
  }

  /** Does what is due. */
  watch(now: number): void {
    if (this.contacts.length === 1) return;
    this.#watchTrial(now);
    if (this.active.peer.anyPathUp) this.#askBetter(now);
    else this.#askOthers(now);
  }

  /** Appends INITs to servers and farewells that are due; true when a full batch kept one back. */
  pollTransmit(now: number, batches: readonly TransmitBatch[]): boolean {
    for (const contact of this.contacts) {
      contact.pollInits(now, batches, (link) => this.#asksBy(contact, link));
    }
    let isFull = false;
    for (const [contact, { atUs, reason }] of this.#leaving) {
      if (now < atUs) continue;
      if (batches.some((batch) => batch.full)) {
        isFull = true;
        break;
      }
      contact.peer.writeClose(now, batches);
      contact.leave(now, reason);
      this.#leaving.delete(contact);
    }
    return isFull;
  }

  /** When {@linkcode pollTransmit} has something to do. */
  timeoutAtUs(): number {
    let at = Infinity;
    for (const { connector } of this.contacts) at = Math.min(at, connector.dueAtUs);
    for (const { atUs } of this.#leaving.values()) at = Math.min(at, atUs);
    return at;
  }

  /** A server has answered; `records` says where it is. */
  handleConnected(
    now: number,
    contact: Contact,
    connected: Connected,
    records: Uint8Array,
    index: number,
  ): void {
    if (contact === this.active) return contact.adopt(now, connected, records, index);
    const isNeeded = !this.#isHeard(now);
    if (isNeeded && this.#isSure(now, contact)) {
      this.#use(now, contact, "failed");
      contact.adopt(now, connected, records, index);
      return;
    }
    if (!isNeeded && this.#isSteady(now, contact)) {
      contact.adopt(now, connected, records, index);
      this.#trial = { contact, sinceUs: now, upAtUs: Infinity };
      return;
    }
    connected.keys.sendKey.fill(0);
    connected.keys.receiveKey.fill(0);
  }

  close(): void {
    for (const { connector } of this.contacts) connector.stop();
    this.#leaving.clear();
  }

  get #better(): readonly Contact[] {
    return this.contacts.slice(0, this.active.index);
  }

  #standing(contact: Contact): Standing {
    return this.#standings.get(contact)!;
  }

  /** Whether something was heard of the server in use lately. */
  #isHeard(now: number): boolean {
    const { anyPathUp, progressAtUs, current } = this.active.peer;
    return anyPathUp || current !== undefined && now - progressAtUs < SILENCE_US;
  }

  /** All links for whom nothing works; without need those that cost nothing, if one of them works. */
  #asksBy(contact: Contact, link: number): boolean {
    if (contact === this.active || !this.active.peer.anyPathUp) return true;
    const isUp = this.active.peer.paths[link]?.live.state === "up";
    return isUp && (this.#isMeteredOnly || !this.#host.isMetered(link));
  }

  get #isMeteredOnly(): boolean {
    for (const { live, options } of this.active.peer.paths) {
      if (live.state === "up" && !this.#host.isMetered(options.id)) return false;
    }
    return true;
  }

  /** The server in use is silent: the others are asked one after the other. */
  #askOthers(now: number): void {
    const { contact: trial } = this.#trial ?? {};
    if (trial?.peer.anyPathUp) {
      this.#use(now, trial, "failed");
      return;
    }
    let askAtUs = Math.max(this.active.peer.progressAtUs, this.#backAtUs) + SILENCE_US;
    for (const contact of this.contacts) {
      if (contact === this.active) continue;
      if (now >= askAtUs) this.#ask(now, contact);
      else if (contact.connector.active) this.#stopAsking(contact);
      askAtUs += STAGGER_US;
    }
  }

  #ask(now: number, contact: Contact): void {
    if (this.#leaving.has(contact) || contact === this.#trial?.contact) return;
    this.#standing(contact).attemptEndsAtUs = Infinity;
    contact.connector.start(now);
  }

  #stopAsking(contact: Contact): void {
    contact.connector.stop();
    const standing = this.#standing(contact);
    standing.attemptEndsAtUs = Infinity;
    standing.answers = 0;
    standing.hasAnswered = false;
  }

  /** Whether a server has answered before, just now; if not it is asked once more. */
  #isSure(now: number, contact: Contact): boolean {
    const standing = this.#standing(contact);
    const ageUs = now - standing.answeredAtUs;
    if (ageUs >= GRACE_US && ageUs < ANSWER_LIFE_US) return true;
    if (ageUs >= ANSWER_LIFE_US) standing.answeredAtUs = now;
    standing.hasAnswered = true;
    contact.connector.start(standing.answeredAtUs + GRACE_US);
    this.active.connector.hurry(now);
    for (const { live } of this.active.peer.paths) live.hurry(now);
    return false;
  }

  /** The server in use works: better ones are asked in turn. */
  #askBetter(now: number): void {
    for (const contact of this.contacts) {
      if (contact === this.active || !contact.connector.active) continue;
      const standing = this.#standing(contact);
      if (standing.attemptEndsAtUs === Infinity) this.#stopAsking(contact);
      else if (now >= standing.attemptEndsAtUs) {
        this.#stopAsking(contact);
        standing.postpone(now, this.#isMeteredOnly);
      } else return;
    }
    if (this.#trial || this.#leaving.size > 0) return;
    const due = this.#better.find((contact) => now >= this.#standing(contact).askAtUs);
    if (!due) return;
    this.#standing(due).attemptEndsAtUs = now + ATTEMPT_US;
    due.connector.start(now);
  }

  /** Whether a better server has answered often enough; if not it is asked again in a moment. */
  #isSteady(now: number, contact: Contact): boolean {
    const standing = this.#standing(contact);
    if (standing.attemptEndsAtUs === Infinity || contact.index > this.active.index) return false;
    standing.attemptEndsAtUs = Infinity;
    if (++standing.answers < GOOD_ANSWERS) {
      standing.askAtUs = now + ANSWER_PAUSE_US;
      return false;
    }
    standing.answers = 0;
    return true;
  }

  /** Moves to a better server whose links work, or gives it up. */
  #watchTrial(now: number): void {
    const trial = this.#trial;
    if (!trial) return;
    const { contact, sinceUs } = trial;
    if (!contact.peer.anyPathUp) {
      if (now - sinceUs < TRIAL_US && contact.peer.current) return;
      this.#trial = undefined;
      this.#standing(contact).postpone(now, this.#isMeteredOnly);
      this.#leaving.set(contact, { atUs: now, reason: "its links do not come up" });
      return;
    }
    trial.upAtUs = Math.min(trial.upAtUs, now);
    const isReady = this.active.peer.paths.every(({ live, options }) =>
      live.state !== "up" || contact.peer.paths[options.id]?.live.state === "up"
    );
    if (!isReady && now - trial.upAtUs < SETTLE_US) return;
    this.#use(now, contact, "worse");
  }

  /** Packets go to `contact` from now on, since the server before has failed or is worse. */
  #use(now: number, contact: Contact, why: "failed" | "worse"): void {
    const before = this.active;
    for (const other of this.contacts) if (other !== before) this.#stopAsking(other);
    if (this.#trial && this.#trial.contact !== contact) {
      this.#leaving.set(this.#trial.contact, { atUs: now, reason: "it is not used" });
    }
    this.#trial = undefined;
    this.#leaving.delete(contact);
    contact.configure(now);
    const reason = why === "failed"
      ? `${before.name} does not answer`
      : `${contact.name} answers again`;
    if (why === "failed") before.leave(now, "it does not answer");
    else {
      before.connector.stop();
      this.#leaving.set(before, { atUs: now + DRAIN_US, reason: "a better one is used" });
    }
    if (why === "failed") this.#standing(before).noteFailure(now);
    for (const standing of this.#standings.values()) standing.rest(now);
    this.#standing(contact).returnedAtUs = why === "worse" ? now : -Infinity;
    this.active = contact;
    this.reason = contact.index === 0 ? undefined : reason;
    this.#host.onChange(now, before, reason);
  }
}
