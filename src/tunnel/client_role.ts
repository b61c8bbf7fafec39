/**
 * What only a client does: it begins handshakes, on every link at once, when there is no session,
 * when keys grow old and when no link answers.
 *
 * @module
 */

import type { TransmitBatch } from "../batch.ts";
import { type InitPayload, PROTOCOL_VERSION, tai64n } from "../crypto/handshake.ts";
import type { PskKeys } from "../crypto/psk.ts";
import type { DropReason } from "../drops.ts";
import { Remote, REMOTE_BYTES } from "../remote.ts";
import { Connector } from "../session/connector.ts";
import { REKEY_AFTER_DATAGRAMS, REKEY_AFTER_US } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import { FEATURE, type Tier } from "../wire/handshake.ts";
import { LinkLimits } from "./link_limits.ts";
import type { ClientEndpointOptions } from "./options.ts";
import { Peer, type PeerHost } from "./peer.ts";

/** The client looks after its session this often, in microseconds, ... */
const WATCH_US = 200_000;
/** ... and this often while every path is up, since things then age slowly. */
const QUIET_WATCH_US = 2_000_000;
/** When no path answers for this long, the server may have forgotten the session. */
const SILENCE_US = 700_000;
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
  readonly #peer: Peer;
  readonly #connector: Connector;
  readonly #options: ClientEndpointOptions;
  readonly #context: RoleContext;
  readonly #reboundAtUs: Float64Array;
  readonly #limits: readonly LinkLimits[];
  /** Where links are to send, by id; a path's own remote may have been led away from there. */
  readonly #remotes: (Remote | undefined)[];
  /** What the caller has decided about links, by id. */
  readonly #decided = new Map<number, { tier: Tier | undefined; reason: string | undefined }>();
  #watchedAtUs = -Infinity;
  #started = false;

  constructor(options: ClientEndpointOptions, keys: PskKeys, context: RoleContext) {
    this.#options = options;
    this.#context = context;
    this.#peer = new Peer("server", [], context.host, false);
    this.peers = [this.#peer];
    this.#limits = options.links.map((link) => new LinkLimits(link));
    this.#remotes = options.links.map((link) => link.remote);
    this.#reboundAtUs = new Float64Array(options.links.length).fill(-Infinity);
    this.#connector = new Connector(
      keys,
      options.random,
      (now) => this.#payload(now),
      () => context.sessions.newId(this.#peer),
    );
  }

  timeoutAtUs(): number {
    return Math.min(this.#watchAtUs(), this.#connector.dueAtUs);
  }

  handleTimeout(now: number): void {
    if (!this.#started) this.#start(now);
    if (now < this.#watchAtUs()) return;
    this.#watchedAtUs = now;
    if (this.#needsSession(now)) this.#connector.start(now);
    else if (this.#connector.active && !this.#isOld(now)) this.#connector.stop();
    this.#complain(now);
    this.#rebindDead(now);
    this.#watchLimits(now);
    if (this.#peer.current) this.#peer.repeatNews();
  }

  /** See {@linkcode Endpoint.setLinkTier}. */
  setLinkTier(link: number, tier: Tier | undefined, reason: string | undefined): void {
    this.#decided.set(link, { tier, reason });
    if (this.#started) this.#applyTier(link);
  }

  /** See {@linkcode Endpoint.setRemote}. */
  setRemote(now: number, link: number, remote: Remote): void {
    this.#remotes[link] = remote;
    const path = this.#peer.paths[link];
    if (!path) return;
    path.remote = remote;
    path.mtu.restart();
    if (this.#connector.active) this.#connector.dueAtUs = now;
  }

  /** See {@linkcode Endpoint.handleNetworkChange}. */
  handleNetworkChange(now: number, link: number, obstacle: string | undefined): void {
    const path = this.#peer.paths[link];
    if (!path) return;
    if (obstacle !== undefined) {
      this.#peer.handleUnreachable(now, link, obstacle);
      path.live.explain(obstacle);
      return;
    }
    path.live.hurry(now);
    if (this.#peer.current) path.mtu.restart();
    if (!this.#peer.anyPathUp) this.#connector.hurry(now);
  }

  /** Appends due INITs, to where a link is to send: a path may have been led away. */
  pollTransmit(now: number, batches: readonly TransmitBatch[]): boolean {
    if (now < this.#connector.dueAtUs) return false;
    const datagrams = this.#connector.poll(now, this.#options.links.length);
    datagrams.forEach((datagram, link) => {
      const path = this.#peer.paths[link]!;
      const batch = batches[path.socket]!;
      const remote = this.#remotes[link];
      if (remote && !batch.full) batch.append(datagram, remote);
    });
    return false;
  }

  /** Reads a RESPONSE. Returns why it was dropped, if it was. */
  handleHandshake(
    now: number,
    _socket: number,
    datagram: Uint8Array,
    remotes: Uint8Array,
    index: number,
  ): DropReason | undefined {
    const connected = this.#connector.handleResponse(datagram);
    if (!connected) return this.#connector.active ? "handshake-mac" : undefined;
    const session = this.#context.sessions.open(now, this.#peer, {
      localId: connected.localSessionId,
      remoteId: connected.remoteSessionId,
      cipher: connected.payload.cipher,
      keys: connected.keys,
      links: this.#options.links.length,
      mtu: connected.payload.mtu,
    });
    for (const path of this.#peer.paths) {
      if (path.live.state !== "up") path.remote = this.#remotes[path.options.id];
    }
    this.#peer.adopt(now, session, new Remote(remotes, index * REMOTE_BYTES));
    return undefined;
  }

  /** A client uses a session from the start: there is nothing to confirm. */
  confirm(_now: number, _peer: Peer, _remotes: Uint8Array, _offset: number): void {}

  /** Only a server sees several hosts. */
  conflictOf(_peer: Peer, _now: number): string {
    return "";
  }

  close(): void {
    this.#connector.stop();
  }

  #watchAtUs(): number {
    const soon = this.#watchedAtUs + WATCH_US;
    const session = this.#peer.current;
    const { everyPathUp, hasNews } = this.#peer;
    if (!session || this.#connector.active || !everyPathUp || hasNews) return soon;
    const rekeyAtUs = session.createdAtUs + REKEY_AFTER_US + 1;
    return Math.max(soon, Math.min(this.#watchedAtUs + QUIET_WATCH_US, rekeyAtUs));
  }

  #start(now: number): void {
    this.#started = true;
    const links = this.#options.links.map((link, id) => ({ ...link, id }));
    this.#peer.configure(now, links, this.#remotes);
    for (const link of this.#decided.keys()) this.#applyTier(link);
    this.#connector.start(now);
  }

  /** What the caller has decided comes first, then what the link's limits say. */
  #applyTier(link: number): void {
    const decided = this.#decided.get(link);
    const limit = this.#limits[link]!.reason;
    if (!decided?.tier && limit) this.#peer.decideTier(link, "backup", limit);
    else this.#peer.decideTier(link, decided?.tier, decided?.reason);
  }

  #watchLimits(now: number): void {
    if (!this.#peer.current) return;
    const { paths, receiver } = this.#peer;
    for (const [link, limits] of this.#limits.entries()) {
      const path = paths[link]!;
      if (!limits.limited || path.live.state !== "up") continue;
      const changed = limits.update(now, {
        minRttUs: path.rtt.minUs,
        loss: Math.max(path.loss, receiver.loss(link)),
        datagrams: path.sentDatagrams + receiver.links[link]!.receivedDatagrams,
      });
      if (changed) this.#applyTier(link);
    }
  }

  #needsSession(now: number): boolean {
    const session = this.#peer.current;
    if (!session || this.#isOld(now)) return true;
    return !this.#peer.anyPathUp && now - this.#peer.progressAtUs > SILENCE_US &&
      now - session.createdAtUs > SILENCE_US;
  }

  #isOld(now: number): boolean {
    const session = this.#peer.current;
    if (!session) return true;
    if (now - session.createdAtUs > REKEY_AFTER_US) return true;
    return this.#peer.paths.some((path) =>
      path.flight.next - session.base[path.options.id]! > REKEY_AFTER_DATAGRAMS - 2 ** 24
    );
  }

  #complain(now: number): void {
    if (!this.#connector.pollComplaint(now)) return;
    const remotes = this.#remotes.filter((remote) => remote !== undefined);
    if (remotes.length === 0) return;
    this.#context.host.emit({
      type: "handshake-failed",
      remote: remotes.join(", "),
      reason: "no answer on any link: the server cannot be reached, its password is another, " +
        "or the clock of this host has gone back",
    });
  }

  #rebindDead(now: number): void {
    for (const path of this.#peer.paths) {
      const id = path.options.id;
      const alive = path.live.state === "up" || path.live.state === "suspect";
      if (alive || now - path.live.progressAtUs < REBIND_AFTER_US) continue;
      if (now - this.#reboundAtUs[id]! < REBIND_EVERY_US) continue;
      this.#reboundAtUs[id] = now;
      this.#context.host.emit({ type: "rebind", link: id });
    }
  }

  #payload(now: number): InitPayload {
    const { stampUs, aead, mtu, links } = this.#options;
    return {
      timestamp: tai64n(stampUs(now)),
      version: PROTOCOL_VERSION,
      features: aead.hardwareAes ? FEATURE.hardwareAes : 0,
      mtu,
      links: links.map((link, id) => ({ uploadBps: 0, downloadBps: 0, ...link, id })),
    };
  }
}
