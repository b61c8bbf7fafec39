/**
 * One server as its client knows it: how to reach it, the handshakes with it, and the peer that it
 * is once there is a session.
 *
 * @module
 */

import type { TransmitBatch } from "../batch.ts";
import type { InitPayload } from "../crypto/handshake.ts";
import type { PskKeys } from "../crypto/psk.ts";
import type { Arrival, PathOptions } from "../links/path.ts";
import { Remote, REMOTE_BYTES } from "../remote.ts";
import { type Connected, Connector } from "../session/connector.ts";
import { REKEY_AFTER_DATAGRAMS, REKEY_AFTER_US } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import { FEATURE } from "../wire/handshake.ts";
import { linkEvent } from "./link_event.ts";
import { LinkLimits } from "./link_limits.ts";
import { type ClientEndpointOptions, type ClientLink, NO_LINK } from "./options.ts";
import { Peer, type PeerHost } from "./peer.ts";

/** When no path answers for this long, the server may have forgotten the session. */
const SILENCE_US = 700_000;

/** What contacts share. */
export interface ContactContext {
  readonly options: ClientEndpointOptions;
  /** The links by id; those of the options at first. */
  readonly links: readonly ClientLink[];
  readonly keys: PskKeys;
  readonly sessions: Sessions<Peer>;
  readonly payload: (now: number) => InitPayload;
}

/** A server, spoken to or not. */
export class Contact {
  readonly peer: Peer;
  readonly connector: Connector;
  /** What its links may be, as long as it is the one in use. */
  readonly limits: LinkLimits[] = [];
  readonly #context: ContactContext;
  readonly #host: PeerHost;
  /** Where links are to send, by id; a path's own remote may have been led away from there. */
  readonly #remotes: (Remote | undefined)[];
  /** What spare links stand for, by id. */
  readonly #arrivals = new Map<number, Arrival>();
  /** Whether the links are not those that the server knows of. */
  #isStale = false;

  /** @param index its place in the order of preference */
  constructor(readonly index: number, context: ContactContext, host: PeerHost) {
    const { options, links, keys, sessions, payload } = context;
    this.#context = context;
    this.#host = host;
    this.peer = new Peer(options.servers[index]!, options.allowed ?? [], host, false);
    this.limits = links.map((link) => new LinkLimits(link));
    this.#remotes = links.map(({ remotes }) => remotes[index]);
    this.connector = new Connector(
      keys,
      options.random,
      payload,
      () => sessions.newId(this.peer),
      options.aead,
    );
  }

  get name(): string {
    return this.peer.name;
  }

  /** Where its links are to send, as far as that is known. */
  get remotes(): readonly Remote[] {
    return this.#remotes.filter((remote) => remote !== undefined);
  }

  /** Whether it has links; they are made when they are first needed. */
  get isConfigured(): boolean {
    return this.peer.paths.length > 0;
  }

  /** Gives it links, unless it has them. */
  configure(now: number): void {
    if (this.isConfigured) return;
    const links = this.#pathOptions;
    this.peer.configure(now, links, links.map((_, link) => this.#remoteOf(link)));
    for (const [link, arrival] of this.#arrivals) this.#arrive(now, link, arrival);
  }

  /**
   * The link with an id is another from now on, or configured in another way. What it is to send by
   * leaves when the server knows of it, which a handshake tells it at once.
   */
  handleLink(now: number, id: number, isAnother: boolean): void {
    const link = this.#context.links[id]!;
    this.limits[id] = new LinkLimits(link);
    if (isAnother) this.#remotes[id] = link.remotes[this.index];
    if (this.connector.active) {
      this.connector.stop();
      this.connector.start(now);
    }
    if (!this.isConfigured) return;
    if (!this.peer.current) return this.#fit(now);
    this.#isStale = true;
    // A server that knows of no change begins anew, and so must this end.
    const isUnderstood = (this.peer.current.features & FEATURE.changingLinks) !== 0;
    if (!isUnderstood) this.#context.sessions.renew(this.peer);
    const path = this.peer.paths[id];
    if (!path?.isThere || path.options.spare) return;
    if (link.off !== undefined) this.peer.removeLink(now, id, { ...link, id });
    else if (isAnother) this.peer.removeLink(now, id, { ...NO_LINK, id });
    else path.setOptions(now, { ...link, id });
  }

  /** See {@linkcode Endpoint.setArrival}. */
  setArrival(now: number, link: number, arrival: Arrival | undefined): void {
    if (arrival) this.#arrivals.set(link, arrival);
    else this.#arrivals.delete(link);
    if (!this.isConfigured) return;
    if (arrival) this.#arrive(now, link, arrival);
    else this.peer.handleDeparture(now, link);
  }

  /** See {@linkcode Endpoint.setRemote}. */
  setRemote(now: number, link: number, remote: Remote | undefined): void {
    this.#remotes[link] = remote;
    const path = this.peer.paths[link];
    if (path?.isThere) {
      path.remote = remote;
      path.mtu.restart();
    }
    if (this.connector.active) this.connector.dueAtUs = now;
  }

  /** Whether it lacks keys that are good for a while, or has forgotten them, for all one hears. */
  needsSession(now: number): boolean {
    const session = this.peer.current;
    if (!session || this.isOld(now)) return true;
    return !this.peer.anyPathUp && now - this.peer.progressAtUs > SILENCE_US &&
      now - session.createdAtUs > SILENCE_US;
  }

  /** Whether its keys are to be replaced. */
  isOld(now: number): boolean {
    const session = this.peer.current;
    if (!session || this.#isStale) return true;
    if (now - session.createdAtUs > REKEY_AFTER_US) return true;
    return this.peer.paths.some((path) =>
      path.flight.next - session.base[path.options.id]! > REKEY_AFTER_DATAGRAMS - 2 ** 24
    );
  }

  /** Appends INITs if they are due, on the links that `uses` names, to where these are to send. */
  pollInits(
    now: number,
    batches: readonly TransmitBatch[],
    uses: (link: number) => boolean,
  ): void {
    const mayUse = (link: number): boolean => uses(link) && !this.peer.paths[link]?.isQuiet(now);
    if (this.connector.isHurried) {
      this.#sendInits(this.connector.pollHurried(now), batches, mayUse);
    }
    if (now < this.connector.dueAtUs) return;
    const inits = this.connector.poll(now, this.#remotes.length);
    this.#sendInits(inits, batches, mayUse);
  }

  #sendInits(
    inits: { entries(): Iterable<[number, Uint8Array]> },
    batches: readonly TransmitBatch[],
    uses: (link: number) => boolean,
  ): void {
    for (const [link, datagram] of inits.entries()) {
      const remote = this.#remoteOf(link);
      const batch = batches[link]!;
      if (remote && !batch.full && uses(link)) batch.append(datagram, remote);
    }
  }

  /** Begins a session as agreed with the end at record `index` of `records`. */
  adopt(now: number, connected: Connected, records: Uint8Array, index: number): void {
    this.configure(now);
    if (this.#isStale) this.#fit(now);
    const session = this.#context.sessions.open(now, this.peer, {
      localId: connected.localSessionId,
      remoteId: connected.remoteSessionId,
      cipher: connected.payload.cipher,
      keys: connected.keys,
      links: this.#remotes.length,
      mtu: connected.payload.mtu,
      features: connected.payload.features,
    });
    for (const path of this.peer.paths) {
      if (path.live.state !== "up") path.remote = this.#remoteOf(path.options.id);
    }
    this.peer.adopt(now, session, new Remote(records, index * REMOTE_BYTES));
  }

  /**
   * Forgets the session, for another server is used. If this one is used again, that is from
   * scratch, as another instance: it may turn out to be the same server by another address, which
   * would take an instance that comes back for another host.
   */
  leave(now: number, reason: string): void {
    this.connector.stop();
    this.peer.drop(now, reason);
    this.peer.remoteInstance = -1;
    this.#context.sessions.renew(this.peer);
  }

  /** Reports something about a link in use. */
  emitLink(link: number, state: "up" | "down", reason: string): void {
    const event = linkEvent(this.peer, this.peer.paths[link]!, state, reason);
    this.#host.emit({ ...event, before: state === "up" ? "down" : "up" });
  }

  get #pathOptions(): PathOptions[] {
    return this.#context.links.map((link, id) => ({ ...link, id }));
  }

  /** Gives the peer the links that there are. */
  #fit(now: number): void {
    const links = this.#pathOptions;
    this.peer.rearrange(now, links, links.map(({ id }) => this.#remoteOf(id)));
    this.#isStale = false;
  }

  #arrive(now: number, link: number, arrival: Arrival): void {
    this.peer.handleArrival(now, link, arrival, this.#remotes[link]);
  }

  /** Where a link is to send; nowhere while it is spare and stands for none. */
  #remoteOf(link: number): Remote | undefined {
    const { spare, off } = this.#context.links[link]!;
    const isSilent = off !== undefined || spare && !this.#arrivals.has(link);
    return isSilent ? undefined : this.#remotes[link];
  }
}
