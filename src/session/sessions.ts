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
}

/** A session and its owner. */
interface Entry<Owner> {
  readonly session: Session;
  readonly owner: Owner;
}

/** Every session that a datagram may belong to; each belongs to an `Owner`. */
export class Sessions<Owner> {
  /** By id as a signed integer: V8 makes an object of every number beyond 31 bits. */
  readonly #byId = new Map<number, Entry<Owner>>();
  readonly #instances = new Map<Owner, { instance: number; count: number }>();
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

  /** Chooses an id that no other session has: 24 bits per owner and start, 8 that count. */
  newId(owner: Owner): number {
    let state = this.#instances.get(owner);
    if (!state) {
      state = { instance: this.#newInstance(), count: 0 };
      this.#instances.set(owner, state);
    }
    for (;;) {
      const id = sessionId(state.instance, state.count++);
      if (!this.#byId.has(id | 0)) return id;
    }
  }

  /** Makes a session with fresh keys, and wipes the caller's copies. */
  open(now: number, owner: Owner, parts: SessionParts): Session {
    const { localId, remoteId, cipher, keys, links, mtu } = parts;
    const sendKey = this.#aead.importKey(cipher, keys.sendKey);
    const receiveKey = this.#aead.importKey(cipher, keys.receiveKey);
    keys.sendKey.fill(0);
    keys.receiveKey.fill(0);
    const session = new Session(localId, remoteId, now, cipher, sendKey, receiveKey, links, mtu);
    this.#byId.set(localId | 0, { session, owner });
    return session;
  }

  /** Wipes a session's keys and forgets it. */
  remove(session: Session): void {
    if (this.#byId.delete(session.localId | 0)) session.close();
  }

  #newInstance(): number {
    const bytes = new Uint8Array(4);
    for (;;) {
      this.#random(bytes);
      const instance = instanceOf(readU32(bytes, 0));
      const taken = [...this.#instances.values()].some((other) => other.instance === instance);
      if (instance !== 0 && !taken) return instance;
    }
  }
}
