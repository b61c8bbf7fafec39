/**
 * The sessions of an endpoint, by the id that peers put into datagrams.
 *
 * @module
 */

import type { AeadProvider, Cipher } from "../crypto/aead.ts";
import type { SessionKeys } from "../crypto/handshake.ts";
import { instanceOf, sessionId } from "../wire/datagram.ts";
import { readU32 } from "../wire/field.ts";
import { Session } from "./session.ts";

/** What a session is made of. */
export interface SessionParts {
  readonly localId: number;
  readonly remoteId: number;
  readonly cipher: Cipher;
  readonly keys: SessionKeys;
  readonly links: number;
  /** The longest packet that the other end takes, in bytes. */
  readonly mtu: number;
  /** What it can do: bits of `FEATURE`. */
  readonly features: number;
}

/** A session and its owner. */
interface Entry<Owner> {
  readonly session: Session;
  readonly owner: Owner;
}

/** One life of an end towards an owner, and how many ids it has given. */
interface Instance {
  readonly number: number;
  count: number;
}

/** Every session that a datagram may belong to; each belongs to an `Owner`. */
export class Sessions<Owner> {
  /** By id as a signed integer: V8 makes an object of every number beyond 31 bits. */
  readonly #byId = new Map<number, Entry<Owner>>();
  readonly #instances = new Map<Owner, Instance>();
  /** Instances that would replace those, if a session of theirs is used. */
  readonly #candidates = new Map<Owner, Instance>();
  readonly #aead: AeadProvider;
  readonly #random: (out: Uint8Array) => void;

  constructor(aead: AeadProvider, random: (out: Uint8Array) => void) {
    this.#aead = aead;
    this.#random = random;
  }

  /** @param id as a signed integer */
  find(id: number): Entry<Owner> | undefined {
    return this.#byId.get(id);
  }

  /** Chooses an id that no other session has, of the owner's instance. */
  newId(owner: Owner): number {
    const instance = this.#instances.get(owner) ?? this.#newInstance();
    this.#instances.set(owner, instance);
    return this.#nextId(instance);
  }

  /**
   * Chooses an id of a new instance: whoever gets it will know that nothing of the past counts. The
   * instance becomes the owner's with {@linkcode settle}; until then the old one stays.
   */
  newIdOfNewInstance(owner: Owner): number {
    const instance = this.#newInstance();
    this.#candidates.set(owner, instance);
    return this.#nextId(instance);
  }

  /** The session with this id is used: its instance is the owner's from now on. */
  settle(owner: Owner, id: number): void {
    const candidate = this.#candidates.get(owner);
    if (candidate?.number === instanceOf(id)) this.#instances.set(owner, candidate);
  }

  /** The owner begins anew: its next id is of another instance. */
  renew(owner: Owner): void {
    this.#instances.delete(owner);
    this.#candidates.delete(owner);
  }

  /** Makes a session with fresh keys, and wipes the caller's copies. */
  open(now: number, owner: Owner, parts: SessionParts): Session {
    const { localId, remoteId, cipher, keys, links, mtu, features } = parts;
    const sendKey = this.#aead.importKey(cipher, keys.sendKey);
    const receiveKey = this.#aead.importKey(cipher, keys.receiveKey);
    keys.sendKey.fill(0);
    keys.receiveKey.fill(0);
    const session = new Session(
      localId,
      remoteId,
      now,
      cipher,
      sendKey,
      receiveKey,
      links,
      mtu,
      features,
    );
    this.#byId.set(localId | 0, { session, owner });
    return session;
  }

  /** Wipes a session's keys and forgets it. */
  remove(session: Session): void {
    if (this.#byId.delete(session.localId | 0)) session.close();
  }

  #nextId(instance: Instance): number {
    for (;;) {
      const id = sessionId(instance.number, instance.count++);
      if (!this.#byId.has(id | 0)) return id;
    }
  }

  #newInstance(): Instance {
    const bytes = new Uint8Array(4);
    for (;;) {
      this.#random(bytes);
      const number = instanceOf(readU32(bytes, 0));
      if (number !== 0 && !this.#isTaken(number)) return { number, count: 0 };
    }
  }

  #isTaken(number: number): boolean {
    for (const instances of [this.#instances, this.#candidates]) {
      for (const other of instances.values()) if (other.number === number) return true;
    }
    return false;
  }
}
