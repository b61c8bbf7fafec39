/**
 * What only a server does: it answers handshakes, and begins to use new keys when
 * the client has shown that it has them too.
 *
 * @module
 */

import type { Prefix } from "../address.ts";
import type { TransmitBatch } from "../batch.ts";
import type { Cipher } from "../crypto/aead.ts";
import { type LinkOffer, PROTOCOL_VERSION, type ResponsePayload } from "../crypto/handshake.ts";
import type { PskKeys } from "../crypto/psk.ts";
import type { DropReason } from "../drops.ts";
import type { PathOptions } from "../links/path.ts";
import { Remote, REMOTE_BYTES } from "../remote.ts";
import { type Accepted, Acceptor } from "../session/acceptor.ts";
import { BackOff } from "../session/back_off.ts";
import { instanceOf, readDatagramType } from "../wire/datagram.ts";
import { FEATURE, featuresOf, HANDSHAKE_TYPE } from "../wire/handshake.ts";
import type { RoleContext } from "./client_role.ts";
import type { ClientOptions, ServerEndpointOptions } from "./options.ts";
import { Peer } from "./peer.ts";
import type { RoleStatus } from "./peer_status.ts";
import { Takeovers } from "./takeovers.ts";

/** Answers that may wait to be sent. */
const MAX_ANSWERS = 64;
const COMPLAIN_EVERY_US = 10_000_000;
/**
 * Silence after which an idle path is down, in microseconds; a client sets its own. A little longer
 * than a client's default: the client probes first, and this end probes back in its answer.
 */
const PATH_TIMEOUT_US = 1_200_000;
/** Refusals that mean that somebody tried another key. */
const WRONG_KEY: readonly DropReason[] = ["unknown-client", "handshake-mac"];

interface Answer {
  readonly socket: number;
  readonly remote: Remote;
  readonly datagram: Uint8Array;
}

/** The server's side of sessions. */
export class ServerRole {
  readonly peers: Peer[];
  /** Those that were removed and are still to be told. */
  readonly #removed: Peer[] = [];
  readonly #acceptor: Acceptor;
  readonly #options: ServerEndpointOptions;
  readonly #context: RoleContext;
  readonly #answers: Answer[] = [];
  /** Links of the client's newest INIT, by peer: in force once its session is confirmed. */
  readonly #offers = new Map<Peer, readonly LinkOffer[]>();
  readonly #configured = new Map<Peer, string>();
  readonly #takeovers = new Map<Peer, Takeovers>();
  readonly #oldHandshakes = new Map<Peer, BackOff>();
  #complainAtUs = 0;

  constructor(options: ServerEndpointOptions, keys: readonly PskKeys[], context: RoleContext) {
    this.#options = options;
    this.#context = context;
    this.peers = options.clients.map((client) => this.#newPeer(client));
    this.#acceptor = new Acceptor(
      keys,
      options.random,
      (features, mtu) => this.#choose(features, mtu),
    );
  }

  timeoutAtUs(): number {
    return this.#removed.length > 0 ? -Infinity : Infinity;
  }

  handleTimeout(_now: number): void {}

  /** See {@linkcode Endpoint.addClient}. */
  addClient(client: ClientOptions, keys: PskKeys): void {
    this.peers.push(this.#newPeer(client));
    this.#acceptor.add(keys);
  }

  /** See {@linkcode Endpoint.removeClient}. */
  removeClient(name: string): void {
    const index = this.peers.findIndex((peer) => peer.name === name);
    if (index < 0) return;
    const [peer] = this.peers.splice(index, 1) as [Peer];
    this.#acceptor.remove(index);
    this.#removed.push(peer);
    for (const known of [this.#offers, this.#configured, this.#takeovers, this.#oldHandshakes]) {
      known.delete(peer);
    }
  }

  /** See {@linkcode Endpoint.setAllowed}. */
  setAllowed(name: string, allowed: readonly Prefix[]): void {
    this.peers.find((peer) => peer.name === name)?.setAllowed(allowed);
  }

  /** Appends farewells to clients that were removed, and the answers that wait. */
  pollTransmit(now: number, batches: readonly TransmitBatch[]): boolean {
    for (let peer = this.#removed[0]; peer; peer = this.#removed[0]) {
      if (batches.some((batch) => batch.full)) return true;
      peer.writeClose(now, batches);
      peer.drop(now, "it was removed");
      this.#context.sessions.renew(peer);
      this.#removed.shift();
    }
    while (this.#answers.length > 0) {
      const { socket, remote, datagram } = this.#answers[0]!;
      if (batches[socket]!.full) return true;
      batches[socket]!.append(datagram, remote);
      this.#answers.shift();
    }
    return false;
  }

  /** Reads an INIT. Returns why it was dropped, if it was. */
  handleHandshake(
    now: number,
    socket: number,
    datagram: Uint8Array,
    remotes: Uint8Array,
    index: number,
  ): DropReason | undefined {
    if (readDatagramType(datagram, 0) !== HANDSHAKE_TYPE.init) return "type";
    const remote = new Remote(remotes, index * REMOTE_BYTES);
    const accepted = this.#acceptor.handleInit(
      now,
      datagram,
      (client, initiatorSessionId) => this.#newId(this.peers[client]!, initiatorSessionId),
    );
    if (typeof accepted === "string") {
      if (WRONG_KEY.includes(accepted)) this.#complain(now, remote);
      if (accepted === "handshake-replay") this.#noteOld(now, remote);
      return accepted;
    }
    if (!accepted.copy) this.#prepare(now, accepted);
    if (this.#answers.length < MAX_ANSWERS) {
      this.#answers.push({ socket, remote, datagram: accepted.response });
    }
    return undefined;
  }

  /**
   * The client at the address in `remotes` has used the keys of the peer's next session: from now
   * on so do we.
   */
  confirm(now: number, peer: Peer, remotes: Uint8Array, offset: number): void {
    const session = peer.next!;
    this.#context.sessions.settle(peer, session.localId);
    this.#oldHandshakes.delete(peer);
    const remote = new Remote(remotes, offset);
    this.#noteInstance(now, peer, instanceOf(session.remoteId), remote);
    const offers = this.#offers.get(peer)!;
    const links = JSON.stringify(offers);
    const isNew = instanceOf(session.remoteId) !== peer.remoteInstance;
    if (isNew || links !== this.#configured.get(peer)) {
      this.#configured.set(peer, links);
      this.#arrange(now, peer, offers, isNew);
    }
    peer.adopt(now, session, remote);
  }

  /** A client that lives on has other links, but never fewer places for them. */
  #arrange(now: number, peer: Peer, offers: readonly LinkOffer[], isNew: boolean): void {
    const links = offers.map(pathOptions);
    if (!isNew && links.length >= peer.paths.length) return peer.rearrange(now, links, []);
    peer.remoteInstance = -1;
    peer.configure(now, links, []);
  }

  #newPeer({ name, allowed }: ClientOptions): Peer {
    return new Peer(name, allowed, this.#context.host, true);
  }

  /** The peer that all packets are for; undefined: that depends on where they are to go. */
  get only(): Peer | undefined {
    return this.peers.length === 1 ? this.peers[0] : undefined;
  }

  /** The peers that are of interest. */
  get shown(): readonly Peer[] {
    return this.peers;
  }

  /** Where the hosts are that use the key of `peer` in turn, if there are several. */
  statusOf(peer: Peer, now: number): RoleStatus {
    const takeovers = this.#takeovers.get(peer);
    return takeovers?.isRecent(now) ? { conflict: takeovers.words } : {};
  }

  close(): void {
    this.#answers.length = 0;
  }

  /**
   * With an instance other than the present one this end will begin all sequences anew; so must the
   * client then, which a new instance of this end tells it: it may have been here before.
   */
  #newId(peer: Peer, initiatorSessionId: number): number {
    const { sessions } = this.#context;
    return instanceOf(initiatorSessionId) === peer.remoteInstance
      ? sessions.newId(peer)
      : sessions.newIdOfNewInstance(peer);
  }

  #noteInstance(now: number, peer: Peer, instance: number, remote: Remote): void {
    const takeovers = this.#takeovers.get(peer) ?? new Takeovers();
    this.#takeovers.set(peer, takeovers);
    const before = peer.remote?.toString() ?? "";
    if (!takeovers.handleInstance(now, instance, remote.toString(), before)) return;
    this.#context.host.emit({ type: "conflict", peer: peer.name, hosts: takeovers.words });
  }

  #prepare(now: number, accepted: Accepted): void {
    const peer = this.peers[accepted.client]!;
    const { responder } = accepted;
    if (peer.next) this.#context.host.forget(peer.next);
    peer.next = this.#context.sessions.open(now, peer, {
      localId: responder.sessionId,
      remoteId: responder.initiatorSessionId,
      cipher: this.#cipher(responder.init.features),
      keys: responder.keys,
      links: responder.init.links.length,
      mtu: responder.init.mtu,
      features: responder.init.features,
    });
    this.#offers.set(peer, responder.init.links);
  }

  #choose(features: number, mtu: number): ResponsePayload {
    return {
      version: PROTOCOL_VERSION,
      features: featuresOf(this.#options.aead.hardwareAes) | FEATURE.measurement,
      cipher: this.#cipher(features),
      mtu: Math.min(mtu, this.#options.mtu),
    };
  }

  #cipher(features: number): Cipher {
    const both = this.#options.aead.hardwareAes && (features & FEATURE.hardwareAes) !== 0;
    return both ? "aes256gcm" : "chacha20poly1305";
  }

  /** Somebody replays an INIT; or it is the client, if nothing else is heard of it. */
  #noteOld(now: number, remote: Remote): void {
    const peer = this.peers[this.#acceptor.client]!;
    if (peer.anyPathUp) return;
    const complaints = this.#oldHandshakes.get(peer) ?? new BackOff();
    this.#oldHandshakes.set(peer, complaints);
    if (!complaints.isDue(now)) return;
    this.#context.host.emit({
      type: "handshake-failed",
      remote: remote.toString(),
      reason: `the handshake of ${peer.name} is older than its last one: is its clock right?`,
    });
  }

  #complain(now: number, remote: Remote): void {
    if (now < this.#complainAtUs) return;
    this.#complainAtUs = now + COMPLAIN_EVERY_US;
    this.#context.host.emit({
      type: "handshake-failed",
      remote: remote.toString(),
      reason: "no client is configured with its key: is the password the same on both ends?",
    });
  }
}

/** What goes up for the client comes down to this end. */
function pathOptions(offer: LinkOffer): PathOptions {
  return {
    ...offer,
    name: offer.name || `link${offer.id}`,
    uploadBps: offer.downloadBps,
    downloadBps: offer.uploadBps,
    timeoutUs: PATH_TIMEOUT_US,
  };
}
