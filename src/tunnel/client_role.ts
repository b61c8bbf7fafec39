/**
 * What only a client does: it begins handshakes, on every link at once, when there is no session,
 * when keys grow old and when no link answers; and it has a choice of servers.
 *
 * @module
 */

import type { TransmitBatch } from "../batch.ts";
import { type InitPayload, type LinkOffer, PROTOCOL_VERSION, tai64n } from "../crypto/handshake.ts";
import type { PskKeys } from "../crypto/psk.ts";
import type { DropReason } from "../drops.ts";
import type { Arrival } from "../links/path.ts";
import type { Remote } from "../remote.ts";
import { REKEY_AFTER_US } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import { readDatagramType } from "../wire/datagram.ts";
import { featuresOf, HANDSHAKE_TYPE, type LinkTier } from "../wire/handshake.ts";
import { Contact } from "./contact.ts";
import type { ClientEndpointOptions, ClientLink } from "./options.ts";
import type { Peer, PeerHost } from "./peer.ts";
import type { RoleStatus } from "./peer_status.ts";
import { Servers, type ServerState } from "./servers.ts";

/** The client looks after its session this often, in microseconds, ... */
const WATCH_US = 200_000;
/** ... and this often while every path is up, since things then age slowly. */
const QUIET_WATCH_US = 2_000_000;
/** A path gets a fresh source port each time it has been down this long, in microseconds. */
const REBIND_AFTER_US = 3_000_000;
const REBIND_EVERY_US = 15_000_000;

/** What a role shares with the endpoint. */
export interface RoleContext {
  readonly host: PeerHost;
  readonly sessions: Sessions<Peer>;
}

/** The client's side of sessions. */
export class ClientRole {
  readonly peers: readonly Peer[];
  readonly #servers: Servers;
  readonly #options: ClientEndpointOptions;
  readonly #context: RoleContext;
  /** By id. */
  readonly #links: ClientLink[];
  readonly #reboundAtUs = new Map<number, number>();
  /** What the caller has decided about links, by id. */
  readonly #decided = new Map<number, { tier: LinkTier | undefined; reason: string | undefined }>();
  #watchedAtUs = -Infinity;
  #started = false;

  constructor(options: ClientEndpointOptions, keys: PskKeys, context: RoleContext) {
    this.#options = options;
    this.#context = context;
    const payload = (now: number): InitPayload => this.#payload(now);
    this.#links = [...options.links];
    const shared = { options, links: this.#links, keys, sessions: context.sessions, payload };
    const contacts = options.servers.map((_, index) =>
      new Contact(index, shared, {
        ...context.host,
        // What happens to the others is nobody's business: what leads to a change is told then.
        emit: (event) => {
          if (this.#servers.active.index === index) context.host.emit(event);
        },
      })
    );
    this.#servers = new Servers(contacts, {
      isMetered: (link) => this.#links[link]!.metered,
      onChange: (_now, before, reason) => this.#onChange(before, reason),
    });
    this.peers = contacts.map(({ peer }) => peer);
  }

  /** The peer that packets are for. */
  get only(): Peer {
    return this.#active.peer;
  }

  /** The peers that are of interest. */
  get shown(): readonly Peer[] {
    return [this.#active.peer];
  }

  timeoutAtUs(): number {
    return Math.min(this.#watchAtUs(), this.#servers.timeoutAtUs());
  }

  handleTimeout(now: number): void {
    if (!this.#started) this.#start(now);
    if (now < this.#watchAtUs()) return;
    this.#watchedAtUs = now;
    const { connector } = this.#active;
    if (this.#active.needsSession(now)) connector.start(now);
    else if (connector.active && !this.#active.isOld(now)) connector.stop();
    this.#complain(now);
    this.#servers.watch(now);
    this.#rebindDead(now);
    this.#watchLimits(now);
    if (this.#peer.current) this.#peer.repeatNews();
  }

  /** See {@linkcode Endpoint.setLinkTier}. */
  setLinkTier(link: number, tier: LinkTier | undefined, reason: string | undefined): void {
    this.#decided.set(link, { tier, reason });
    for (const contact of this.#servers.contacts) this.#applyTier(contact, link);
  }

  /** See {@linkcode Endpoint.setLink}. */
  setLink(now: number, id: number, link: ClientLink): void {
    const before = this.#links[id];
    this.#links[id] = link;
    if (before?.name !== link.name) this.#decided.delete(id);
    for (const contact of this.#servers.contacts) {
      contact.handleLink(now, id, before?.name !== link.name);
      this.#applyTier(contact, id);
    }
    // The server is told at once, with what else changes at this instant.
    this.#watchedAtUs = -Infinity;
  }

  /** See {@linkcode Endpoint.setArrival}. */
  setArrival(now: number, link: number, arrival: Arrival | undefined): void {
    for (const contact of this.#servers.contacts) contact.setArrival(now, link, arrival);
    if (arrival && !this.#peer.anyPathUp) this.#active.connector.hurry(now);
  }

  /** See {@linkcode Endpoint.setRemote}. */
  setRemote(now: number, link: number, remote: Remote | undefined, server: number): void {
    this.#servers.contacts[server]!.setRemote(now, link, remote);
  }

  /** Whether a link works with a server. */
  isLinkUp(link: number, server: number | undefined): boolean {
    const { peer } = server === undefined ? this.#active : this.#servers.contacts[server]!;
    return peer.current !== undefined && peer.paths[link]?.live.state === "up";
  }

  /** See {@linkcode Endpoint.serverState}. */
  stateOf(server: number): ServerState {
    return this.#servers.stateOf(this.#servers.contacts[server]!);
  }

  /** See {@linkcode Endpoint.handleNetworkChange}. */
  handleNetworkChange(now: number, link: number, obstacle: string | undefined): void {
    if (!this.#started) this.#start(now);
    const active = this.#active;
    if (obstacle === undefined && !active.peer.anyPathUp) {
      this.#servers.handleNetworkBack(now);
      active.connector.hurry(now);
    }
    for (const { peer } of this.#servers.contacts) {
      const path = peer.paths[link];
      if (!path) continue;
      if (obstacle !== undefined) {
        peer.handleUnreachable(now, link, obstacle);
        path.live.explain(obstacle);
      } else {
        path.live.hurry(now);
        if (peer.current) path.mtu.restart();
      }
    }
  }

  /** The peer that a datagram belonged to which the kernel refused; undefined: not known. */
  get refused(): Peer | undefined {
    return this.peers.some((peer) => peer !== this.#peer && peer.current) ? undefined : this.#peer;
  }

  /** Appends due INITs, to where a link is to send: a path may have been led away. */
  pollTransmit(now: number, batches: readonly TransmitBatch[]): boolean {
    return this.#servers.pollTransmit(now, batches);
  }

  /** Reads a RESPONSE. Returns why it was dropped, if it was. */
  handleHandshake(
    now: number,
    _socket: number,
    datagram: Uint8Array,
    remotes: Uint8Array,
    index: number,
  ): DropReason | undefined {
    if (readDatagramType(datagram, 0) === HANDSHAKE_TYPE.cookie) {
      return this.#handleCookie(now, datagram);
    }
    let isAsked = false;
    for (const contact of this.#servers.contacts) {
      isAsked ||= contact.connector.active;
      const connected = contact.connector.handleResponse(datagram);
      if (!connected) continue;
      this.#servers.handleConnected(now, contact, connected, remotes, index);
      for (const link of this.#decided.keys()) this.#applyTier(contact, link);
      return undefined;
    }
    return isAsked ? "handshake-mac" : undefined;
  }

  #handleCookie(now: number, datagram: Uint8Array): DropReason | undefined {
    const isOurs = this.#servers.contacts.some(({ connector }) =>
      connector.handleCookie(now, datagram)
    );
    return isOurs ? undefined : "handshake-mac";
  }

  /** A client uses a session from the start: there is nothing to confirm. */
  confirm(_now: number, _peer: Peer, _remotes: Uint8Array, _offset: number): void {}

  /** Why another server than the first is used, if one is. */
  statusOf(_peer: Peer, _now: number): RoleStatus {
    const { reason } = this.#servers;
    return reason === undefined ? {} : { serverReason: reason };
  }

  close(): void {
    this.#servers.close();
  }

  get #active(): Contact {
    return this.#servers.active;
  }

  get #peer(): Peer {
    return this.#servers.active.peer;
  }

  #watchAtUs(): number {
    const soon = this.#watchedAtUs + WATCH_US;
    const session = this.#peer.current;
    const { everyPathUp, hasNews } = this.#peer;
    const isBusy = this.#active.connector.active || this.#servers.isBusy;
    if (!session || isBusy || !everyPathUp || hasNews) return soon;
    const rekeyAtUs = session.createdAtUs + REKEY_AFTER_US + 1;
    const dueAtUs = Math.min(rekeyAtUs, this.#servers.askAtUs);
    return Math.max(soon, Math.min(this.#watchedAtUs + QUIET_WATCH_US, dueAtUs));
  }

  #start(now: number): void {
    this.#started = true;
    this.#active.configure(now);
    for (const link of this.#decided.keys()) this.#applyTier(this.#active, link);
    this.#active.connector.start(now);
  }

  /** What the caller has decided comes first, then what the link's limits say. */
  #applyTier(contact: Contact, link: number): void {
    if (!contact.peer.paths[link]) return;
    const decided = this.#decided.get(link);
    const limit = contact.limits[link]!.reason;
    if (!decided?.tier && limit) contact.peer.decideTier(link, "backup", limit);
    else contact.peer.decideTier(link, decided?.tier, decided?.reason);
  }

  #watchLimits(now: number): void {
    if (!this.#peer.current) return;
    const { paths, receiver } = this.#peer;
    for (const [link, limits] of this.#active.limits.entries()) {
      const path = paths[link];
      if (!path || !limits.limited || path.live.state !== "up") continue;
      const changed = limits.update(now, {
        minRttUs: path.rtt.minUs,
        loss: Math.max(path.loss, receiver.loss(link)),
        datagrams: path.sentDatagrams + receiver.links[link]!.receivedDatagrams,
      });
      if (changed) this.#applyTier(this.#active, link);
    }
  }

  /** Reports what is different with the server that is used now. */
  #onChange(before: Contact, reason: string): void {
    const { name: server, peer } = this.#active;
    for (const link of this.#links.keys()) this.#applyTier(this.#active, link);
    this.#context.host.emit({ type: "server", server, reason });
    this.#context.host.emit({ type: "mtu", peer: server, mtu: peer.mtu.bytes });
    if (!peer.current) return;
    const remote = peer.remote?.toString();
    const session = { type: "session", peer: server, state: "up" } as const;
    this.#context.host.emit(remote === undefined ? session : { ...session, remote });
    for (const [link, path] of peer.paths.entries()) {
      const isUp = path.live.state === "up";
      if (isUp === (before.peer.paths[link]?.live.state === "up")) continue;
      this.#active.emitLink(link, isUp ? "up" : "down", path.live.reason ?? "");
    }
  }

  #complain(now: number): void {
    if (!this.#active.connector.pollComplaint(now)) return;
    const remotes = this.#servers.contacts.flatMap((contact) => contact.remotes);
    if (remotes.length === 0) return;
    this.#context.host.emit({
      type: "handshake-failed",
      remote: remotes.join(", "),
      reason: "no answer on any link: the server cannot be reached" + (
        this.#peer.ended ? ", or is down" : ", its password is another, " +
          "or the clock of this host has gone back"
      ),
    });
  }

  #rebindDead(now: number): void {
    for (const path of this.#peer.paths) {
      const id = path.options.id;
      const alive = path.live.state === "up" || path.live.state === "suspect";
      if (alive || !path.isThere || path.isQuiet(now)) continue;
      if (now - path.live.progressAtUs < REBIND_AFTER_US) continue;
      if (now - (this.#reboundAtUs.get(id) ?? -Infinity) < REBIND_EVERY_US) continue;
      this.#reboundAtUs.set(id, now);
      this.#context.host.emit({ type: "rebind", link: id });
    }
  }

  #payload(now: number): InitPayload {
    const { stampUs, aead, mtu } = this.#options;
    return {
      timestamp: tai64n(stampUs(now)),
      version: PROTOCOL_VERSION,
      features: featuresOf(aead.hardwareAes),
      mtu,
      links: this.#links.map((link, id) => offerOf(link, id)),
    };
  }
}

/** A link that is off is a place without a link for the server, which sends nothing there then. */
function offerOf(link: ClientLink, id: number): LinkOffer {
  const silent = link.off !== undefined && { spare: true, name: "" };
  return { uploadBps: 0, downloadBps: 0, ...link, ...silent, id };
}
