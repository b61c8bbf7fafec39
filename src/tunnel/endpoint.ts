/**
 * One end of the tunnel: the caller tells it and asks it everything. It has no clock, socket or
 * source of randomness of its own.
 *
 * The caller hands in packets, datagrams and the time, then drains what is to be
 * transmitted, delivered and told, and calls again at {@linkcode Endpoint.pollTimeout}.
 * All times are microseconds of one monotonic clock.
 *
 * @module
 */

import type { Prefix } from "../address.ts";
import type { ReceiveBatch, SendFailure, TransmitBatch } from "../batch.ts";
import { derivePsk } from "../crypto/psk.ts";
import { Drops } from "../drops.ts";
import type { Arrival } from "../links/path.ts";
import { SlotFifo } from "../queue/slot_fifo.ts";
import { type Remote, REMOTE_BYTES } from "../remote.ts";
import { Rules } from "../scheduler/rules.ts";
import type { Session } from "../session/session.ts";
import { Sessions } from "../session/sessions.ts";
import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import {
  LEAST_TRANSPORT_BYTES,
  OUTER_HEADER_BYTES,
  readCounterLow,
  readDatagramType,
  readLinkId,
  readReceiverId,
  TAG_BYTES,
  TRANSPORT_TYPE,
} from "../wire/datagram.ts";
import { isHandshakeType, type LinkTier } from "../wire/handshake.ts";
import { PacketInfo, parsePacket } from "../wire/ip.ts";
import { matchDestination } from "../wire/routes.ts";
import { ClientRole } from "./client_role.ts";
import type { Core } from "./core.ts";
import { FillTurn, type LineTestResult, type TestWay } from "./line_tests.ts";
import type {
  ClientLink,
  ClientOptions,
  EndpointEvent,
  EndpointOptions,
  EndpointStatus,
  PolicyOptions,
} from "./options.ts";
import type { Peer, SendingPolicy } from "./peer.ts";
import { peerStatus } from "./peer_status.ts";
import { ServerRole } from "./server_role.ts";
import type { ServerState } from "./servers.ts";
import { TooBigAnswers } from "./too_big.ts";

/** Slots that stay free for what arrives, so that a full queue blocks nothing. */
const RESERVED_SLOTS = 512;
/** Packets that one call of `wantsPackets` asks for at most. */
const MAX_PACKETS = 256;
const MAX_EVENTS = 256;

/** A client or a server. */
export class Endpoint implements Core {
  readonly #options: EndpointOptions;
  readonly #pool: PacketPool;
  readonly #drops = new Drops();
  readonly #info = new PacketInfo();
  readonly #peers: readonly Peer[];
  readonly #sessions: Sessions<Peer>;
  readonly #policy: SendingPolicy;
  readonly #role: ClientRole | ServerRole;
  readonly #events: EndpointEvent[] = [];
  readonly #ready: SlotFifo;
  #closing = false;
  /** How many peers have been told goodbye. */
  #farewells = 0;

  constructor(options: EndpointOptions) {
    this.#options = options;
    const pool = this.#pool = options.pool;
    this.#ready = new SlotFifo(pool);
    this.#sessions = new Sessions(options.aead, options.random);
    this.#policy = policyOf(options);
    const deliver = (slot: number): void => this.#ready.push(slot);
    const tooBig = new TooBigAnswers(pool, deliver);
    const host = {
      pool,
      drops: this.#drops,
      policy: this.#policy,
      controlSlot: pool.alloc(),
      fillTurn: new FillTurn(),
      emit: (event: EndpointEvent): void => this.#emit(event),
      own: options.own ?? [],
      mtu: options.mtu,
      deliver,
      tooBig: (now: number, slot: number, mtu: number): void => {
        this.#drops.count("too-big");
        tooBig.handle(now, slot, mtu);
      },
      forget: (session: Session): void => this.#sessions.remove(session),
    };
    const shared = { host, sessions: this.#sessions };
    this.#role = options.role === "client"
      ? new ClientRole(options, derivePsk(options.psk), shared)
      : new ServerRole(options, options.clients.map((client) => derivePsk(client.psk)), shared);
    this.#peers = this.#role.peers;
  }

  /** How many packets may be read from the TUN: 0 when there is no room for more. */
  wantsPackets(): number {
    return Math.max(0, Math.min(MAX_PACKETS, this.#pool.available - RESERVED_SLOTS));
  }

  /** Takes over `count` packets from the TUN: the slots now belong to the endpoint. */
  handlePackets(now: number, slots: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.#handlePacket(now, slots[i]!);
  }

  /** Takes the datagrams that socket number `socket` received. Does not keep `batch`. */
  handleDatagrams(now: number, socket: number, batch: ReceiveBatch): void {
    for (let i = 0; i < batch.count; i++) this.#handleDatagram(now, socket, batch, i);
  }

  /** The kernel did not take a datagram of `length` bytes, of path `path` (-1: a handshake). */
  handleSendFailure(
    now: number,
    _socket: number,
    path: number,
    failure: SendFailure,
    length: number,
  ): void {
    this.#drops.count("send");
    // A server's datagram does not tell whose path it was for; probes and their answers do.
    if (path < 0) return;
    const peer = this.#client?.refused;
    if (!peer) return;
    if (failure === "unreachable") peer.handleUnreachable(now, path, "no route to the server");
    else if (failure === "message-size") peer.handleMessageSize(now, path, length);
  }

  /**
   * The system has told of a client's link: `obstacle` says in words why nothing can leave by it;
   * undefined: it can again, or by another way than before, so it is tried at once.
   */
  handleNetworkChange(now: number, link: number, obstacle: string | undefined): void {
    this.#client?.handleNetworkChange(now, link, obstacle);
  }

  /** Runs what {@linkcode pollTimeout} announced; harmless before that. */
  handleTimeout(now: number): void {
    for (const peer of this.#peers) peer.handleTimeout(now);
    this.#role.handleTimeout(now);
  }

  /**
   * Appends what is due to `batches[socket]`. Returns true when a full batch kept
   * something back: send it and call again.
   */
  pollTransmit(now: number, batches: readonly TransmitBatch[]): boolean {
    if (this.#closing) return this.#farewell(now, batches);
    let more = this.#role.pollTransmit(now, batches);
    for (const peer of this.#peers) more = peer.pollTransmit(now, batches) || more;
    return more;
  }

  /**
   * Fills `slots` with packets for the TUN and returns how many; the caller writes
   * them and releases each slot to the pool.
   */
  pollPackets(_now: number, slots: Int32Array): number {
    let count = 0;
    while (count < slots.length && this.#ready.count > 0) slots[count++] = this.#ready.shift();
    return count;
  }

  /** Returns the oldest event that has not been returned yet. */
  pollEvent(): EndpointEvent | undefined {
    return this.#events.shift();
  }

  /** When the endpoint next has something to do unprompted; Infinity for never, may be past. */
  pollTimeout(): number {
    if (this.#closing) return this.#farewells < this.#peers.length ? 0 : Infinity;
    let at = this.#role.timeoutAtUs();
    for (const peer of this.#peers) {
      at = Math.min(at, peer.timeoutAtUs());
    }
    return at;
  }

  /** What the endpoint is doing, for people. */
  status(now: number): EndpointStatus {
    return {
      role: this.#options.role,
      mtu: this.#options.mtu,
      aead: this.#options.aead.name,
      peers: this.#role.shown.map((peer) => peerStatus(peer, now, this.#role.statusOf(peer, now))),
      drops: this.#drops.snapshot(),
    };
  }

  /**
   * A client decides that `link` is of another tier than configured, or (undefined) of the
   * configured one again; both ends act on it, and `status` shows `reason`. Call
   * {@linkcode pollTransmit} after it. Only for a client: it decides for its server.
   */
  setLinkTier(
    _now: number,
    link: number,
    tier: LinkTier | undefined,
    reason: string | undefined,
  ): void {
    this.#client?.setLinkTier(link, tier, reason);
  }

  /**
   * A client's link is to send to `remote` for `server` from now on: a first address, or another one
   * of a server that does not answer; undefined: it cannot. A session goes on if the server has it
   * there. Call {@linkcode pollTransmit} after it.
   */
  setRemote(now: number, link: number, remote: Remote | undefined, server = 0): void {
    this.#client?.setRemote(now, link, remote, server);
  }

  /**
   * A client's spare link stands for this one from now on, or (undefined) for none: then it is
   * silent, and no link of `status`. Call {@linkcode pollTransmit} after it.
   */
  setArrival(now: number, link: number, arrival: Arrival | undefined): void {
    this.#client?.setArrival(now, link, arrival);
  }

  /**
   * Begins to measure a client's link for `durationUs`; false when there is no session. Call
   * {@linkcode pollTransmit} after it.
   */
  startLineTest(now: number, link: number, way: TestWay, durationUs: number): boolean {
    return this.#client?.only.startTest(now, link, way, durationUs) ?? false;
  }

  /** What the last test of a client's link has found. */
  lineTest(now: number, link: number): LineTestResult | undefined {
    return this.#client?.only.testResult(now, link);
  }

  /**
   * A client's link with an id is `link` from now on: another one if its name is another, the same
   * one that is used in another way if not; {@linkcode NO_LINK}: none. An id may be the next that
   * there was none of. The server is told with a handshake: what new links there are carry something
   * a round trip later. Call {@linkcode pollTransmit} after it.
   */
  setLink(now: number, id: number, link: ClientLink): void {
    this.#client?.setLink(now, id, link);
  }

  /** Packets are sent by other rules from now on, those that wait too. */
  setPolicy(now: number, options: PolicyOptions): void {
    Object.assign(this.#policy, policyOf(options));
    for (const peer of this.#peers) peer.refit(now);
  }

  /** A server has one more client. */
  addClient(client: ClientOptions): void {
    this.#server?.addClient(client, derivePsk(client.psk));
  }

  /**
   * A server has one client less, which is told: by {@linkcode pollTransmit}, which is to be called.
   */
  removeClient(name: string): void {
    this.#server?.removeClient(name);
  }

  /** A server's client may use other inner networks from now on. */
  setAllowed(name: string, allowed: readonly Prefix[]): void {
    this.#server?.setAllowed(name, allowed);
  }

  /** A client's servers may send from other inner addresses from now on: `allowed` of its options. */
  setServerSources(allowed: readonly Prefix[]): void {
    for (const peer of this.#client?.peers ?? []) peer.setAllowed(allowed);
  }

  /** Whether a client's link works, with `server` if that is given. */
  isLinkUp(link: number, server?: number): boolean {
    return this.#client?.isLinkUp(link, server) ?? false;
  }

  /** What goes on with one of a client's servers; the one in use counts as asked. */
  serverState(server: number): ServerState {
    return this.#client?.stateOf(server) ?? "idle";
  }

  /** Bytes of IP packets that a client's link has carried so far, both ways. */
  carriedBytes(link: number): number {
    let bytes = 0;
    for (const { paths, receiver } of this.#peers) {
      const path = paths[link];
      if (path) bytes += path.sent.totalBytes + receiver.links[link]!.received.totalBytes;
    }
    return bytes;
  }

  /** Ends every session; {@linkcode pollTransmit} gives the farewells, then the endpoint is silent. */
  close(_now: number): void {
    this.#role.close();
    this.#closing = true;
  }

  /** Says goodbye to one peer after the other; true when full batches must be sent first. */
  #farewell(now: number, batches: readonly TransmitBatch[]): boolean {
    for (; this.#farewells < this.#peers.length; this.#farewells++) {
      if (batches.some((batch) => batch.full)) return true;
      this.#peers[this.#farewells]!.writeClose(now, batches);
      this.#peers[this.#farewells]!.drop(now, "shutting down");
    }
    return false;
  }

  #handlePacket(now: number, slot: number): void {
    const at = this.#pool.at(slot) + PACKET_OFFSET;
    if (!parsePacket(this.#pool.bytes, at, this.#pool.lengths[slot]!, this.#info)) {
      return this.#dropPacket(slot, "malformed");
    }
    const peer = this.#peerFor(at);
    if (!peer?.current) return this.#dropPacket(slot, "no-peer");
    if (this.#isGreedy(peer)) return this.#dropPacket(slot, "queue-full");
    peer.sender.handlePacket(now, slot, this.#info);
  }

  /**
   * Whether a peer occupies more memory than is left for all others: one that acknowledges
   * nothing would otherwise get all of it (dynamic threshold of Choudhury and Hahne, 1998).
   */
  #isGreedy(peer: Peer): boolean {
    return !this.#role.only && peer.keptPackets > this.#pool.available;
  }

  #dropPacket(slot: number, reason: "malformed" | "no-peer" | "queue-full"): void {
    this.#drops.count(reason);
    this.#pool.release(slot);
  }

  #peerFor(at: number): Peer | undefined {
    const { only } = this.#role;
    if (only) return only;
    let best: Peer | undefined;
    let bestLength: number | undefined;
    for (const peer of this.#peers) {
      const length = matchDestination(peer.allowed, this.#pool.bytes, at, this.#info.version);
      if (length === undefined || bestLength !== undefined && length <= bestLength) continue;
      best = peer;
      bestLength = length;
    }
    return best;
  }

  #handleDatagram(now: number, socket: number, batch: ReceiveBatch, i: number): void {
    const length = batch.lengths[i]!;
    const at = batch.slab.at(i);
    const type = length === 0 ? 0 : readDatagramType(batch.slab.bytes, at);
    if (type === TRANSPORT_TYPE) this.#handleTransport(now, socket, batch, i);
    else if (isHandshakeType(type)) {
      this.#handleHandshake(now, socket, batch, i);
    } else this.#drops.count(length < LEAST_TRANSPORT_BYTES ? "short" : "type");
  }

  #handleHandshake(now: number, socket: number, batch: ReceiveBatch, i: number): void {
    const at = batch.slab.at(i);
    const datagram = batch.slab.bytes.subarray(at, at + batch.lengths[i]!);
    const refusal = this.#role.handleHandshake(now, socket, datagram, batch.remotes, i);
    if (refusal) this.#drops.count(refusal);
  }

  #handleTransport(now: number, socket: number, batch: ReceiveBatch, i: number): void {
    const length = batch.lengths[i]!;
    if (length < LEAST_TRANSPORT_BYTES) return this.#drops.count("short");
    const at = batch.slab.at(i);
    const bytes = batch.slab.bytes;
    const entry = this.#sessions.find(readReceiverId(bytes, at) | 0);
    const link = readLinkId(bytes, at);
    if (!entry || link >= entry.session.receipts.length) {
      return this.#drops.count("unknown-session");
    }
    const { session, owner: peer } = entry;
    const slot = this.#pool.alloc();
    if (slot < 0) return this.#drops.count("no-slot");
    const low = readCounterLow(bytes, at);
    const counter = session.open(link, low, batch.slab, i, length, this.#pool, slot);
    if (counter < 0) {
      this.#drops.count(counter === -1 ? "replay" : "auth");
      this.#pool.release(slot);
      return;
    }
    if (session === peer.next) {
      this.#role.confirm(now, peer, batch.remotes, i * REMOTE_BYTES);
    }
    if (counter === session.receipts[link]!.window.newest && session === peer.current) {
      peer.handleRemote(now, link, socket, batch.remotes, i * REMOTE_BYTES, length);
    }
    const bodyBytes = length - OUTER_HEADER_BYTES - TAG_BYTES;
    const kept = peer.handleOpened(now, session, link, counter, slot, bodyBytes, length);
    if (!kept) this.#pool.release(slot);
  }

  get #client(): ClientRole | undefined {
    return this.#role instanceof ClientRole ? this.#role : undefined;
  }

  get #server(): ServerRole | undefined {
    return this.#role instanceof ServerRole ? this.#role : undefined;
  }

  #emit(event: EndpointEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
  }
}

function policyOf(
  { rules = [], duplicate = "needed", schedule = "fast" }: PolicyOptions,
): SendingPolicy {
  return { rules: new Rules(rules, duplicate), schedule };
}
