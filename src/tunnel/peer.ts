/**
 * One peer: its sessions, its paths, what is sent to it and what comes from it.
 *
 * A session id's upper 24 bits are the *instance* of the end that chose it. When
 * the instance changes the peer has restarted: sequences begin at zero. When
 * it does not, keys were replaced under a running tunnel and nothing else happens.
 *
 * @module
 */

import type { Family, Prefix } from "../address.ts";
import type { TransmitBatch } from "../batch.ts";
import type { Drops } from "../drops.ts";
import { type Arrival, Path, type PathOptions } from "../links/path.ts";
import { DataFrames } from "../receiver/data_frames.ts";
import { Receiver } from "../receiver/receiver.ts";
import { Remote } from "../remote.ts";
import type { Rules } from "../scheduler/rules.ts";
import { Sender } from "../scheduler/sender.ts";
import { Transmitter } from "../scheduler/transmitter.ts";
import type { Schedule } from "../schedule.ts";
import { BackOff } from "../session/back_off.ts";
import { EXPIRE_AFTER_US, OVERLAP_US, type Session } from "../session/session.ts";
import { type PacketPool, PLAIN_OFFSET } from "../slab.ts";
import { isData } from "../wire/data.ts";
import { instanceOf } from "../wire/datagram.ts";
import { FRAME_HEADER_BYTES, readFrameLength, readFrameType } from "../wire/frame.ts";
import { FEATURE, type LinkTier } from "../wire/handshake.ts";
import type { Fill } from "../wire/measure.ts";
import { sourceOf } from "../wire/routes.ts";
import { ControlReader } from "./control_reader.ts";
import { ControlWriter } from "./control_writer.ts";
import { Fragmenter } from "./fragmenter.ts";
import { rearrange } from "./link_changes.ts";
import { type FillTurn, type LineTestResult, LineTests, type TestWay } from "./line_tests.ts";
import { isInUse, linkEvent } from "./link_event.ts";
import type { EndpointEvent } from "./options.ts";
import { TunnelMtu } from "./tunnel_mtu.ts";

/** Packets a peer's queue holds at most: 250 ms at 100 Mbit/s. */
const QUEUE_PACKETS = 2048;
/** When no link has worked for this long, what waits is useless, in microseconds. */
const STALE_US = 3_000_000;

/** How an end treats what it sends; the endpoint may replace what is in it. */
export interface SendingPolicy {
  rules: Rules;
  schedule: Schedule;
}

/** What a peer needs from the endpoint it belongs to. */
export interface PeerHost {
  readonly pool: PacketPool;
  readonly drops: Drops;
  readonly policy: SendingPolicy;
  /** A slot for control datagrams; nothing stays in it. */
  readonly controlSlot: number;
  readonly emit: (event: EndpointEvent) => void;
  /** One link is filled at a time, of all peers. */
  readonly fillTurn: FillTurn;
  /** Takes a packet for the TUN. */
  readonly deliver: (slot: number) => void;
  /** Addresses of this end in the tunnel. */
  readonly own: readonly Prefix[];
  /** The longest packet of the tunnel, in bytes. */
  readonly mtu: number;
  /** Takes over a packet of which no link would have carried more than `mtu` bytes. */
  readonly tooBig: (now: number, slot: number, mtu: number) => void;
  /** A session has ended: its id means nothing any more. */
  readonly forget: (session: Session) => void;
}

/** A peer, with or without a session. */
export class Peer {
  current: Session | undefined;
  previous: Session | undefined;
  /** Keys that the other end has not used yet (server). */
  next: Session | undefined;
  paths: Path[] = [];
  sender: Sender;
  receiver: Receiver;
  /** Upper 24 bits of the ids that the other end chooses; -1 until it has. */
  remoteInstance = -1;
  /** Since when there has been a session, whatever its keys. */
  connectedAtUs = 0;
  /** When and why the last session ended; undefined before. */
  ended: { readonly atUs: number; readonly reason: string } | undefined;
  /** What leaves for the peer, and how much has left. */
  transmitter: Transmitter;
  readonly data: DataFrames;
  /** The longest packet that is to be sent to it. */
  readonly mtu: TunnelMtu;

  readonly #control: ControlWriter;
  readonly #reader: ControlReader;
  readonly #tests: LineTests;
  #roundTripAtUs = -1;
  #overlapEndsAtUs = 0;
  readonly #onAbandoned = (slot: number): void => this.sender.handleAbandoned(slot);
  readonly #onDropped = (slot: number): void => this.#host.pool.release(slot);
  readonly #host: PeerHost;
  /** Why a link is gone, in words. */
  readonly #removed: string;
  readonly #fragmenter: Fragmenter;
  readonly #foreignSources = new BackOff();

  /** @param follows whether the other end decides about the links: for a server its client does */
  constructor(
    readonly name: string,
    /** See {@linkcode setAllowed}. */
    public allowed: readonly Prefix[],
    host: PeerHost,
    follows: boolean,
  ) {
    this.#host = host;
    this.mtu = new TunnelMtu(host.mtu);
    this.#removed = follows ? "the client has taken it away" : "it was removed";
    this.#fragmenter = new Fragmenter(
      host.pool,
      (now, slot, info) => this.sender.handlePacket(now, slot, info),
    );
    this.transmitter = new Transmitter(host.pool);
    this.sender = this.#newSender();
    this.receiver = new Receiver(0, host.pool, host.deliver);
    this.data = new DataFrames(
      host.pool,
      host.drops,
      { allowed, own: host.own },
      (now, at, version) => this.#noteForeign(now, at, version),
    );
    this.#control = new ControlWriter(host.pool, host.controlSlot);
    this.#tests = new LineTests(host.pool, host.controlSlot, host.fillTurn);
    const effects = {
      onUp: (path: Path): void => this.#onUp(path),
      onGone: (now: number, path: Path): void => this.#onGone(now, path),
      onClose: (now: number): void => this.drop(now, "the peer has closed it"),
      onFill: (now: number, path: Path, fill: Fill): void =>
        this.#tests.handleFill(now, path, fill),
      onAcked: (slot: number): void => this.sender.handleDelivered(slot),
      onLost: (slot: number): void => this.sender.handleLost(slot),
      lostForGood: (): number => this.sender.lostPackets,
    };
    this.#reader = new ControlReader(host, this, this.#control, effects, follows);
  }

  /** Gives the peer links. What was in flight on older ones is forgotten. */
  configure(
    now: number,
    links: readonly PathOptions[],
    remotes: readonly (Remote | undefined)[],
  ): void {
    this.#releaseAll(now);
    for (const path of this.paths) this.#end(now, path, "the peer has begun anew");
    this.paths = links.map((options, i) => new Path(options, now, i, remotes[i]));
    this.transmitter = new Transmitter(this.#host.pool);
    this.sender = this.#newSender();
    this.receiver = new Receiver(links.length, this.#host.pool, this.#host.deliver);
    this.#control.configure(this.paths, this.receiver, this.transmitter);
    this.#tests.configure(this.receiver, this.transmitter);
    this.#reader.configure(this.paths, this.receiver);
  }

  /**
   * Gives the peer other links without a break: each of `links` has the id of its place. A link of
   * the same name goes on with what is known of it, and what was in flight on one that is gone is
   * sent again. `remotes` are for links that were not there.
   */
  rearrange(
    now: number,
    links: readonly PathOptions[],
    remotes: readonly (Remote | undefined)[],
  ): void {
    if (!rearrange(now, this, links, remotes)) return;
    this.receiver.grow(this.paths.length);
    this.#control.grow();
    this.refit(now);
  }

  /** A link is there no more, or is not to be used: `options` say which. Nothing leaves by it. */
  removeLink(now: number, link: number, options: PathOptions): void {
    const path = this.paths[link]!;
    if (path.isThere) this.#end(now, path, options.off ?? this.#removed);
    path.remove(now, options, this.#onAbandoned);
  }

  /** The rules, the schedule or the links are others: what waits is sent as they say. */
  refit(now: number): void {
    const before = this.sender;
    this.sender = this.#newSender(before);
    this.sender.takeOver(now, before);
  }

  /** The inner networks that it may use are others. */
  setAllowed(allowed: readonly Prefix[]): void {
    this.allowed = allowed;
    this.data.setAllowed(allowed);
  }

  /**
   * Makes `session` the one to send with; the one before is still understood for a while. The peer
   * agreed to it from `remote`.
   */
  adopt(now: number, session: Session, remote: Remote): void {
    const instance = instanceOf(session.remoteId);
    const isNew = instance !== this.remoteInstance || !this.current;
    if (this.previous) this.#host.forget(this.previous);
    this.previous = this.current;
    this.#overlapEndsAtUs = now + OVERLAP_US;
    this.current = session;
    this.mtu.agree(Math.min(this.#host.mtu, session.mtu));
    if (this.next === session) this.next = undefined;
    if (isNew) {
      this.connectedAtUs = now;
      this.#restart(now, instance);
    }
    const isUnderstood = (session.features & FEATURE.headerCompression) !== 0;
    this.transmitter.headers.enabled = isUnderstood;
    if (session.tokens) {
      this.#control.handleSession(session.tokens);
      this.#tests.handleSession(session.tokens);
    }
    for (const path of this.paths) {
      session.base[path.options.id] = path.flight.next;
      path.handleNewSession();
      this.#control.requestProbe(path.options.id);
    }
    this.#host.emit(
      isNew
        ? { type: "session", peer: this.name, state: "up", remote: remote.toString() }
        : { type: "session", peer: this.name, state: "rekeyed" },
    );
  }

  /** Ends every session. Packets are not kept: they would be stale. */
  drop(now: number, reason: string): void {
    const wasUp = this.current !== undefined;
    for (const session of [this.current, this.previous, this.next]) {
      if (session) this.#host.forget(session);
    }
    this.current = this.previous = this.next = undefined;
    this.#tests.stop();
    this.#releaseAll(now);
    if (wasUp) this.ended = { atUs: now, reason };
    if (wasUp) this.#host.emit({ type: "session", peer: this.name, state: "down", reason });
    for (const path of this.paths) {
      this.#end(now, path, reason, true);
      path.live.restart(now);
      path.mtu.stop();
    }
  }

  /** Whether a path was heard from recently enough to be used. */
  get anyPathUp(): boolean {
    for (const path of this.paths) if (path.live.state === "up") return true;
    return false;
  }

  /** Whether every path that stands for a link is up. */
  get everyPathUp(): boolean {
    for (const path of this.paths) if (path.isThere && path.live.state !== "up") return false;
    return true;
  }

  /** Whether the other end may not yet know the settings of a link. */
  get hasNews(): boolean {
    for (const path of this.paths) if (path.news.pending) return true;
    return false;
  }

  /** This end decides about a link's tier; see {@linkcode Path.decideTier}. */
  decideTier(link: number, tier: LinkTier | undefined, reason: string | undefined): void {
    if (this.paths[link]!.decideTier(tier, reason)) this.#control.requestProbe(link);
  }

  /** Repeats settings that may have been lost. On a path that is not up probes leave anyway. */
  repeatNews(): void {
    for (const path of this.paths) {
      if (path.news.pending && path.live.state === "up") {
        this.#control.requestProbe(path.options.id);
      }
    }
  }

  /** Begins to measure a link, in place of an earlier test of it; false without a session. */
  startTest(now: number, link: number, way: TestWay, durationUs: number): boolean {
    const path = this.paths[link];
    if (!this.current || !path?.remote) return false;
    this.#tests.start(now, path, way, durationUs);
    return true;
  }

  /** What the last test of a link has found. */
  testResult(now: number, link: number): LineTestResult | undefined {
    const isUnderstood = ((this.current?.features ?? 0) & FEATURE.measurement) !== 0;
    return this.#tests.result(now, this.paths[link]!, isUnderstood);
  }

  /** Packets that wait or are in flight: slots of the pool that this peer occupies. */
  get keptPackets(): number {
    let count = this.sender.waiting;
    for (const path of this.paths) count += path.flight.packets;
    return count;
  }

  /** Where the peer was heard from last; undefined before it was. */
  get remote(): Remote | undefined {
    let last: Path | undefined;
    for (const path of this.paths) {
      if (path.remote && !(last && last.live.progressAtUs >= path.live.progressAtUs)) last = path;
    }
    return last?.remote;
  }

  /** When the peer last showed that it receives something, on any path. */
  get progressAtUs(): number {
    let at = -Infinity;
    for (const path of this.paths) at = Math.max(at, path.live.progressAtUs);
    return at;
  }

  /**
   * Takes an opened datagram: `length` bytes of frames in the body of `slot`.
   * Returns true when the slot was kept, as a packet.
   */
  handleOpened(
    now: number,
    session: Session,
    link: number,
    counter: number,
    slot: number,
    length: number,
    wireBytes: number,
  ): boolean {
    const path = this.paths[link]!;
    if (now !== this.#roundTripAtUs) this.#noteRoundTrip(now);
    this.receiver.handleDatagram(now, link, session, counter, path.wireBytes(wireBytes));
    this.#control.handleReceived(wireBytes);
    const bytes = this.#host.pool.bytes;
    let at = this.#host.pool.at(slot) + PLAIN_OFFSET;
    const end = at + length;
    this.#reader.begin(session, path, counter);
    while (at < end) {
      if (isData(bytes, at)) {
        return this.data.handle(now, this.receiver, link, slot, at, end);
      }
      if (end - at < FRAME_HEADER_BYTES) break;
      const payload = at + FRAME_HEADER_BYTES;
      const size = readFrameLength(bytes, at);
      if (payload + size > end) break;
      this.#reader.handle(now, readFrameType(bytes, at), payload, size);
      if (!this.current) return false;
      at = payload + size;
    }
    if (at !== end) this.#host.drops.count("frame");
    return false;
  }

  /** A datagram of `length` bytes that is newer than all of its path came from an address. */
  handleRemote(
    now: number,
    link: number,
    socket: number,
    records: Uint8Array,
    offset: number,
    length: number,
  ): void {
    const path = this.paths[link]!;
    if (!path.isThere) {
      // A client knows better what its links are.
      if (path.options.name === "" || path.options.off !== undefined) return;
      path.arrive(now, path.options);
    }
    if (path.socket === socket && path.remote?.equals(records, offset)) {
      path.handleReceived(now, length);
      return;
    }
    const known = path.remote !== undefined;
    const remote = new Remote(records, offset);
    path.moveTo(now, remote, socket);
    path.handleReceived(now, length);
    if (!known) return;
    path.mtu.restart();
    this.#host.emit({
      type: "roamed",
      peer: this.name,
      link: path.name,
      remote: remote.toString(),
    });
  }

  /** A spare link is there from now on, and sends to `remote`. */
  handleArrival(now: number, link: number, arrival: Arrival, remote: Remote | undefined): void {
    const path = this.paths[link]!;
    this.#end(now, path, "it is another uplink now");
    path.arrive(now, arrival);
    path.tellArrival();
    path.remote = remote;
    if (this.current) this.#control.requestProbe(link);
  }

  /** A spare link is gone, which the other links tell the peer. */
  handleDeparture(now: number, link: number): void {
    this.#onGone(now, this.paths[link]!);
    for (const other of this.paths) {
      if (other.live.state === "up") this.#control.requestProbe(other.options.id);
    }
  }

  /** The kernel refused a datagram of a link for good. */
  handleUnreachable(now: number, link: number, reason: string): void {
    const path = this.paths[link];
    if (!path?.live.handleUnreachable(now, reason)) return;
    this.#onFailed(path);
  }

  /** The kernel refused a datagram of a link as too long for the interface. */
  handleMessageSize(now: number, link: number, length: number): void {
    const path = this.paths[link];
    path?.mtu.handleRefused(now, path.wireBytes(length));
  }

  handleTimeout(now: number): void {
    if (this.previous && now >= this.#overlapEndsAtUs) {
      this.#host.forget(this.previous);
      this.previous = undefined;
    }
    if (this.next && now >= this.next.createdAtUs + EXPIRE_AFTER_US) {
      this.#host.forget(this.next);
      this.next = undefined;
    }
    if (!this.current) return;
    if (now - this.current.createdAtUs >= EXPIRE_AFTER_US) {
      this.drop(now, "its keys have expired");
      return;
    }
    for (const path of this.paths) {
      if (!path.remote) continue;
      const alone = this.#isAlone(path);
      if (now < path.timeoutAtUs(alone)) continue;
      const todo = path.handleTimeout(now, alone);
      if (todo === "probe") this.#probeTogether(now, path);
      else if (todo === "doubted") this.#onDoubted(path);
      else if (todo === "failed") this.#onFailed(path);
    }
    this.receiver.resequencer.handleTimeout(now);
    this.#dropStale(now);
  }

  /** When {@linkcode handleTimeout} or {@linkcode pollTransmit} has something to do; may be past. */
  timeoutAtUs(): number {
    let at = this.next ? this.next.createdAtUs + EXPIRE_AFTER_US : Infinity;
    if (!this.current) return at;
    if (this.#control.pending) return 0;
    at = Math.min(at, this.sender.timeoutAtUs(), this.receiver.resequencer.nextTimeoutAtUs);
    at = Math.min(at, this.current.createdAtUs + EXPIRE_AFTER_US);
    if (this.previous) at = Math.min(at, this.#overlapEndsAtUs);
    at = Math.min(at, this.mtu.timeoutAtUs, this.#tests.timeoutAtUs);
    for (const path of this.paths) {
      if (!path.remote) continue;
      at = Math.min(at, path.timeoutAtUs(this.#isAlone(path)));
      at = Math.min(at, this.receiver.reportAtUs(path.options.id));
    }
    return at;
  }

  /** Appends what is due to the batches; true when a full one kept something back. */
  pollTransmit(now: number, batches: readonly TransmitBatch[]): boolean {
    if (!this.current) return false;
    this.transmitter.begin(now, this.current, batches);
    this.#control.write();
    if (this.mtu.update(now, this.paths)) {
      this.#host.emit({ type: "mtu", peer: this.name, mtu: this.mtu.bytes });
    }
    const keptBack = this.sender.fill();
    return this.#tests.write() || keptBack;
  }

  /** Tells the peer, on every path, that the session ends. */
  writeClose(now: number, batches: readonly TransmitBatch[]): void {
    if (!this.current) return;
    this.transmitter.begin(now, this.current, batches);
    this.#control.writeClose();
  }

  #newSender(before?: Sender): Sender {
    const { pool, drops, policy: { rules, schedule }, tooBig } = this.#host;
    const out = this.transmitter;
    return new Sender({
      pool,
      paths: this.paths,
      limit: QUEUE_PACKETS,
      drops,
      rules,
      schedule,
      out,
      before,
      onTooBig: (now: number, slot: number, mtu: number): void => {
        if (!this.#fragmenter.handle(now, slot, mtu)) tooBig(now, slot, mtu);
      },
    });
  }

  /** What the file of this end says, or that of the other, is not all that is routed. */
  #noteForeign(now: number, at: number, version: Family): void {
    if (!this.#foreignSources.isDue(now)) return;
    const source = sourceOf(this.#host.pool.bytes, at, version);
    this.#host.emit({ type: "foreign-source", peer: this.name, source: source.toString() });
  }

  /** Sends a probe on `path`, and on others whose own would soon wake us. */
  #probeTogether(now: number, path: Path): void {
    this.#control.requestProbe(path.options.id);
    for (const other of this.paths) {
      if (other !== path && other.joinProbe(now)) this.#control.requestProbe(other.options.id);
    }
  }

  /** Asks, too: what is in flight may have been lost, and then nothing else is answered. */
  #onDoubted(path: Path): void {
    this.#control.requestProbe(path.options.id);
    this.sender.handleDoubt(path);
  }

  #onFailed(path: Path): void {
    const waiting = this.sender.waiting;
    path.abandon(this.#onAbandoned);
    path.resentPackets += this.sender.waiting - waiting;
    const state = path.live.state === "suspect" ? "suspect" : "down";
    this.#emitLink(path, state, path.live.reason ?? "");
  }

  #onGone(now: number, path: Path): void {
    if (!path.isThere) return;
    this.#end(now, path, "it is no uplink any more");
    path.depart(now, this.#onAbandoned);
  }

  #onUp(path: Path): void {
    this.#emitLink(path, "up", "");
    path.resentPackets = 0;
  }

  /** Ends a path of which others think that it is up, and tells them. */
  #end(now: number, path: Path, reason: string, withSession = false): void {
    if (!isInUse(path)) return;
    path.live.restart(now);
    this.#host.emit(linkEvent(this, path, "down", reason, withSession));
  }

  #emitLink(path: Path, state: "up" | "suspect" | "down", reason: string): void {
    this.#host.emit(linkEvent(this, path, state, reason));
  }

  /** The other end has restarted. */
  #restart(now: number, instance: number): void {
    if (this.previous) this.#host.forget(this.previous);
    this.previous = undefined;
    this.#releaseAll(now);
    this.transmitter.headers.reset();
    if (instance !== this.remoteInstance) {
      this.receiver.reset(now);
      this.data.reset();
      this.transmitter.reset();
    }
    this.remoteInstance = instance;
    for (const path of this.paths) {
      this.#end(now, path, "the peer has begun anew");
      path.live.restart(now);
      path.mtu.restart();
    }
  }

  /** A peer that is away must not keep the memory that others need. */
  #dropStale(now: number): void {
    if (this.sender.waiting === 0 || now - this.progressAtUs < STALE_US) return;
    for (const { live } of this.paths) if (live.state === "up" || live.state === "suspect") return;
    this.#host.drops.count("no-peer", this.sender.waiting);
    this.sender.clear();
  }

  #releaseAll(now: number): void {
    this.sender.clear();
    for (const path of this.paths) path.abandon(this.#onDropped);
    this.receiver.resequencer.flush(now);
  }

  #isAlone(path: Path): boolean {
    for (const other of this.paths) if (other !== path && other.live.state === "up") return false;
    return true;
  }

  /** Once per batch: all of its datagrams share one time. */
  #noteRoundTrip(now: number): void {
    this.#roundTripAtUs = now;
    let shortest = Infinity;
    for (const path of this.paths) {
      if (path.live.state === "up") shortest = Math.min(shortest, path.rtt.srttUs);
    }
    this.receiver.roundTripUs = shortest === Infinity ? 0 : shortest;
  }
}
