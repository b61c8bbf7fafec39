/**
 * A host with one end of the tunnel: does for a tunnel what the driver of the daemon does,
 * in virtual time. It wakes a little after something happened, as a process
 * does, then moves everything there is.
 *
 * @module
 */

import { BATCH_DATAGRAMS, ReceiveBatch, TransmitBatch } from "../../src/batch.ts";
import type { SendFailure } from "../../src/batch.ts";
import { PacketPool } from "../../src/slab.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import { orderedPacketAt } from "./arrivals.ts";
import type { DatagramStore } from "../pair/datagram_store.ts";
import type { EventQueue } from "../pair/event_queue.ts";
import { InvariantError, NonceWatch } from "../pair/invariants.ts";
import type { Side } from "./packet.ts";
import type { Rng } from "../pair/rng.ts";
import { Timer } from "../pair/timer.ts";
import { TunQueue } from "./tun_queue.ts";
import type { Tunnel } from "./tunnel.ts";

/** Packets moved to or from the TUN in one round, as the driver has it. */
const PACKETS_PER_ROUND = 64;
/** Datagrams that a socket's receive buffer holds: about 4 MiB. */
const SOCKET_DATAGRAMS = 2800;
/** Rounds without an end are a bug of the tunnel. */
const MAX_ROUNDS = 10_000;

/** What surrounds a node. */
export interface Surroundings {
  readonly queue: EventQueue;
  readonly store: DatagramStore;
  /** Sends datagram `index` of a batch; returns why the kernel refuses, if it does. */
  transmit(
    node: Node,
    socket: number,
    batch: TransmitBatch,
    index: number,
  ): SendFailure | undefined;
  /** A packet is about to be handed to the tunnel, in a datagram. */
  arrive(node: Node, bytes: Uint8Array, at: number): void;
  /** A packet leaves the TUN. */
  deliver(node: Node, bytes: Uint8Array, at: number, length: number): void;
  /** The tunnel said something. */
  onEvent(node: Node, event: EndpointEvent): void;
}

/** How exactly a node keeps time. */
export interface NodeOptions {
  readonly side: Side;
  readonly sockets: number;
  readonly slots: number;
  /** Mean time from an event to the turn that handles it, in microseconds; 0: at once. */
  readonly wakeUs: number;
}

/** One host. */
export class Node {
  readonly side: Side;
  readonly pool: PacketPool;
  readonly tun = new TunQueue();
  readonly nonces = new NonceWatch();
  /** Set once, before {@linkcode start}. */
  tunnel!: Tunnel;
  /** Slots that the tunnel does not keep for itself. */
  freeSlots = 0;
  /** Datagrams that the sockets had no room for. */
  socketDrops = 0;
  sentDatagrams = 0;
  turns = 0;
  /** The fewest free slots there ever were. */
  minAvailable: number;
  closed = false;
  readonly #around: Surroundings;
  readonly #options: NodeOptions;
  readonly #rng: Rng;
  readonly #batches: readonly TransmitBatch[];
  readonly #received = new ReceiveBatch();
  readonly #waiting: number[][];
  readonly #slots = new Int32Array(PACKETS_PER_ROUND);
  readonly #wake: Timer;
  readonly #deadline: Timer;
  #turnsAtInstant = 0;
  #turnAt = -1;

  constructor(around: Surroundings, options: NodeOptions, rng: Rng) {
    this.#around = around;
    this.#options = options;
    this.#rng = rng;
    this.side = options.side;
    this.pool = new PacketPool(options.slots);
    this.minAvailable = options.slots;
    this.#batches = Array.from({ length: options.sockets }, () => new TransmitBatch());
    this.#waiting = this.#batches.map(() => []);
    this.#wake = new Timer(around.queue, (now) => this.#turn(now));
    this.#deadline = new Timer(around.queue, (now) => this.#turn(now));
  }

  /** Takes up work; to be called when {@linkcode tunnel} has been set. */
  start(now: number): void {
    this.freeSlots = this.pool.available;
    this.#turn(now);
  }

  /** A datagram has arrived at a socket. */
  onDatagram(now: number, index: number): void {
    const waiting = this.#waiting[this.#around.store.get(index).socket]!;
    if (waiting.length >= SOCKET_DATAGRAMS) {
      this.socketDrops++;
      this.#around.store.release(index);
      return;
    }
    waiting.push(index);
    this.#wakeSoon(now);
  }

  /** A packet for the tunnel. */
  onPacket(now: number, headers: Uint8Array, totalBytes: number): void {
    if (this.tun.push(headers, totalBytes)) this.#wakeSoon(now);
  }

  /** Ends the tunnel as the daemon does; it must be silent from here on. */
  close(now: number): void {
    this.tunnel.close(now);
    this.#transmit(now);
    this.#drainEvents();
    this.closed = true;
    this.#turn(now);
  }

  #wakeSoon(now: number): void {
    if (this.#wake.at === Infinity) this.#wake.set(now + this.#lateness());
  }

  #lateness(): number {
    return this.#options.wakeUs * (0.5 + this.#rng.next());
  }

  #turn(now: number): void {
    this.turns++;
    this.#wake.set(Infinity);
    this.#watchProgress(now);
    let rounds = 0;
    while (this.#round(now)) {
      if (++rounds > MAX_ROUNDS) throw new InvariantError(`a turn at ${now} us does not end`);
    }
    this.#drainEvents();
    const deadline = this.tunnel.pollTimeout();
    if (Number.isNaN(deadline)) throw new InvariantError(`pollTimeout is not a number at ${now}`);
    this.#deadline.set(
      deadline === Infinity ? Infinity : Math.max(now, deadline) + this.#lateness(),
    );
  }

  #round(now: number): boolean {
    let moved = this.#receive(now);
    moved = this.#readTun(now) || moved;
    if (now >= this.tunnel.pollTimeout()) this.tunnel.handleTimeout(now);
    moved = this.#transmit(now) || moved;
    moved = this.#writeTun(now) || moved;
    this.minAvailable = Math.min(this.minAvailable, this.pool.available);
    return moved;
  }

  #receive(now: number): boolean {
    let moved = false;
    const { store } = this.#around;
    const batch = this.#received;
    for (let socket = 0; socket < this.#waiting.length; socket++) {
      const waiting = this.#waiting[socket]!;
      if (waiting.length === 0) continue;
      batch.count = Math.min(waiting.length, BATCH_DATAGRAMS);
      for (let i = 0; i < batch.count; i++) {
        const datagram = store.get(waiting[i]!);
        batch.slab.bytes.set(datagram.bytes.subarray(0, datagram.length), batch.slab.at(i));
        batch.lengths[i] = datagram.length;
        batch.remotes.set(datagram.from.bytes, i * datagram.from.bytes.length);
        store.release(waiting[i]!);
      }
      waiting.splice(0, batch.count);
      this.#noteArrivals(batch);
      this.tunnel.handleDatagrams(now, socket, batch);
      moved = true;
    }
    return moved;
  }

  #noteArrivals(batch: ReceiveBatch): void {
    const { bytes } = batch.slab;
    for (let i = 0; i < batch.count; i++) {
      const at = orderedPacketAt(bytes, batch.slab.at(i), batch.lengths[i]!);
      if (at >= 0) this.#around.arrive(this, bytes, at);
    }
  }

  #readTun(now: number): boolean {
    const limit = Math.min(
      this.tunnel.wantsPackets(),
      this.tun.count,
      this.pool.available,
      PACKETS_PER_ROUND,
    );
    if (limit <= 0) return false;
    for (let i = 0; i < limit; i++) {
      const slot = this.pool.alloc();
      this.tun.shiftInto(this.pool, slot);
      this.#slots[i] = slot;
    }
    this.tunnel.handlePackets(now, this.#slots, limit);
    return true;
  }

  #transmit(now: number): boolean {
    let moved = false;
    for (let more = true; more;) {
      more = this.tunnel.pollTransmit(now, this.#batches);
      let sent = 0;
      for (let socket = 0; socket < this.#batches.length; socket++) {
        const batch = this.#batches[socket]!;
        sent += batch.count;
        this.#flush(now, socket, batch);
      }
      if (more && sent === 0) throw new InvariantError(`a full batch is empty at ${now} us`);
      moved ||= sent > 0;
    }
    return moved;
  }

  #flush(now: number, socket: number, batch: TransmitBatch): void {
    const count = batch.count;
    batch.count = 0;
    for (let i = 0; i < count; i++) {
      if (this.closed) throw new InvariantError(`a closed tunnel sends at ${now} us`);
      this.nonces.check(batch.slab.bytes, batch.slab.at(i), batch.lengths[i]!);
      const failure = this.#around.transmit(this, socket, batch, i);
      if (failure === undefined) this.sentDatagrams++;
      else this.tunnel.handleSendFailure(now, socket, batch.paths[i]!, failure);
    }
  }

  #writeTun(now: number): boolean {
    const count = this.tunnel.pollPackets(now, this.#slots);
    for (let i = 0; i < count; i++) {
      const slot = this.#slots[i]!;
      const { length, byteOffset } = this.pool.packet(slot);
      this.#around.deliver(this, this.pool.bytes, byteOffset, length);
      this.pool.release(slot);
    }
    return count > 0;
  }

  #drainEvents(): void {
    let event: EndpointEvent | undefined;
    while ((event = this.tunnel.pollEvent()) !== undefined) {
      if (this.closed) throw new InvariantError(`a closed tunnel says "${event.type}"`);
      this.#around.onEvent(this, event);
    }
  }

  /** A tunnel whose deadline stays in the past would spin for ever. */
  #watchProgress(now: number): void {
    this.#turnsAtInstant = now === this.#turnAt ? this.#turnsAtInstant + 1 : 0;
    this.#turnAt = now;
    if (this.#turnsAtInstant > MAX_ROUNDS) {
      throw new InvariantError(`the tunnel's deadline stays at ${now} us`);
    }
  }
}
