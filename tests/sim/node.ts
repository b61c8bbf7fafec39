/**
 * A host with one end of the tunnel, as real as the simulator has it: it wakes a little after
 * something happened, as a process does, its sockets and its TUN have bounded queues, and then
 * it moves everything there is.
 *
 * @module
 */

import {
  BATCH_DATAGRAMS,
  ReceiveBatch,
  type SendFailure,
  type TransmitBatch,
} from "../../src/batch.ts";
import { PACKETS_PER_ROUND } from "../../src/io/driver.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import type { DatagramStore } from "../pair/datagram_store.ts";
import { appendDatagram, End, MAX_ROUNDS } from "../pair/end.ts";
import type { EventQueue } from "../pair/event_queue.ts";
import { InvariantError, NonceWatch } from "../pair/invariants.ts";
import type { Rng } from "../pair/rng.ts";
import { Timer } from "../pair/timer.ts";
import type { Station } from "../pair/virtual_network.ts";
import { orderedPacketAt } from "./arrivals.ts";
import type { Side } from "./packet.ts";
import { TunQueue } from "./tun_queue.ts";
import type { Tunnel } from "./tunnel.ts";

/** Datagrams that a socket's receive buffer holds: about 4 MiB. */
const SOCKET_DATAGRAMS = 2800;

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
  /** The node's TUN has another mtu. */
  onMtu(node: Node): void;
  /** The tunnel said something. */
  onEvent(node: Node, event: EndpointEvent): void;
}

/** A host that has other things to do: again and again the process gets no CPU for a while. */
export interface Stalls {
  /** Mean time from the end of one to the next, in microseconds. */
  readonly everyUs: number;
  /** How long one takes, in microseconds: between these. */
  readonly leastUs: number;
  readonly mostUs: number;
}

/** How precisely a node keeps time. */
export interface NodeOptions {
  readonly side: Side;
  readonly sockets: number;
  readonly slots: number;
  /** Mean time from an event to the turn that handles it, in microseconds; 0: at once. */
  readonly wakeUs: number;
  /** When it does not run at all; never when absent. */
  readonly stalls?: Stalls | undefined;
  /** Of the TUN, at first; no limit when absent. */
  readonly mtu?: number;
}

/** One host. */
export class Node extends End<Tunnel> implements Station {
  readonly side: Side;
  readonly tun = new TunQueue();
  readonly nonces = new NonceWatch();
  /** Set once, before {@linkcode start}. */
  endpoint!: Tunnel;
  /** Slots that the tunnel does not keep for itself. */
  freeSlots = 0;
  /** Datagrams that the sockets had no room for. */
  socketDrops = 0;
  sentDatagrams = 0;
  /** The fewest free slots there ever were. */
  minAvailable: number;
  closed = false;
  /** Largest packet that the TUN takes. */
  mtu: number;
  /** Packets that were larger, which the kernel refuses or drops. */
  oversize = 0;
  readonly #around: Surroundings;
  readonly #options: NodeOptions;
  readonly #rng: Rng;
  readonly #received = new ReceiveBatch();
  readonly #waiting: number[][];
  readonly #wake: Timer;
  readonly #deadline: Timer;
  readonly #stall: Timer;
  /** Until when the process does not run. */
  #stalledUntil = -Infinity;
  #turnsAtInstant = 0;
  #turnAt = -1;

  constructor(around: Surroundings, options: NodeOptions, rng: Rng) {
    super(options.sockets, options.slots);
    this.#around = around;
    this.#options = options;
    this.#rng = rng;
    this.side = options.side;
    this.minAvailable = options.slots;
    this.mtu = options.mtu ?? Infinity;
    this.#waiting = this.batches.map(() => []);
    this.#wake = new Timer(around.queue, (now) => this.turn(now));
    this.#deadline = new Timer(around.queue, (now) => this.turn(now));
    this.#stall = new Timer(around.queue, (now) => this.#onStall(now));
  }

  /** Takes up work; to be called when {@linkcode endpoint} has been set. */
  start(now: number): void {
    this.freeSlots = this.pool.available;
    if (this.#options.stalls) this.#onStall(now);
    this.turn(now);
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
    if (totalBytes > this.mtu) this.oversize++;
    else if (this.tun.push(headers, totalBytes)) this.#wakeSoon(now);
  }

  /**
   * Gives the TUN another mtu, as the daemon does when the tunnel tells it. What is in its queue
   * stays there, as in the kernel's.
   */
  setMtu(mtu: number): void {
    this.mtu = mtu;
    this.#around.onMtu(this);
  }

  /** Ends the tunnel as the daemon does; it must be silent from now on. */
  close(now: number): void {
    this.endpoint.close(now);
    this.transmit(now);
    this.pollEvents(now);
    this.closed = true;
    this.turn(now);
  }

  #wakeSoon(now: number): void {
    if (this.#wake.at === Infinity) this.#wake.set(now + this.#lateness());
  }

  #lateness(): number {
    return this.#options.wakeUs * (0.5 + this.#rng.next());
  }

  /** The process is not run for a while, beginning some time after the last while. */
  #onStall(now: number): void {
    const { everyUs, leastUs, mostUs } = this.#options.stalls!;
    const beginsAt = now + everyUs * (0.5 + this.#rng.next());
    const forUs = leastUs + (mostUs - leastUs) * this.#rng.next();
    this.#stalledUntil = now === 0 ? -Infinity : now + forUs;
    this.#stall.set(this.closed ? Infinity : beginsAt + forUs);
  }

  override turn(now: number): void {
    if (now < this.#stalledUntil) return this.#wake.set(this.#stalledUntil);
    this.#wake.set(Infinity);
    this.#watchProgress(now);
    super.turn(now);
    const deadline = this.endpoint.pollTimeout();
    if (Number.isNaN(deadline)) throw new InvariantError(`pollTimeout is not a number at ${now}`);
    this.#deadline.set(
      deadline === Infinity ? Infinity : Math.max(now, deadline) + this.#lateness(),
    );
  }

  protected override round(now: number): boolean {
    const received = this.#receive(now);
    const read = this.#readTun(now);
    const moved = super.round(now);
    this.minAvailable = Math.min(this.minAvailable, this.pool.available);
    return received || read || moved;
  }

  #receive(now: number): boolean {
    let moved = false;
    const { store } = this.#around;
    const batch = this.#received;
    for (let socket = 0; socket < this.#waiting.length; socket++) {
      const waiting = this.#waiting[socket]!;
      if (waiting.length === 0) continue;
      batch.count = 0;
      for (const index of waiting.splice(0, BATCH_DATAGRAMS)) {
        const { bytes, length, from } = store.get(index);
        appendDatagram(batch, bytes.subarray(0, length), from);
        store.release(index);
      }
      this.#noteArrivals(batch);
      this.endpoint.handleDatagrams(now, socket, batch);
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
      this.endpoint.wantsPackets(),
      this.tun.count,
      this.pool.available,
      PACKETS_PER_ROUND,
    );
    if (limit <= 0) return false;
    for (let i = 0; i < limit; i++) {
      const slot = this.pool.alloc();
      this.tun.shiftInto(this.pool, slot);
      this.slots[i] = slot;
    }
    this.endpoint.handlePackets(now, this.slots, limit);
    return true;
  }

  protected override onDatagrams(now: number, socket: number, batch: TransmitBatch): void {
    for (let i = 0; i < batch.count; i++) {
      if (this.closed) throw new InvariantError(`a closed tunnel sends at ${now} us`);
      this.nonces.check(batch.slab.bytes, batch.slab.at(i), batch.lengths[i]!);
      const failure = this.#around.transmit(this, socket, batch, i);
      if (failure === undefined) this.sentDatagrams++;
      else this.#refuse(now, socket, batch, i, failure);
    }
  }

  #refuse(now: number, socket: number, batch: TransmitBatch, i: number, why: SendFailure): void {
    this.endpoint.handleSendFailure(now, socket, batch.paths[i]!, why, batch.lengths[i]!);
  }

  protected override onPackets(_now: number, slots: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const { length, byteOffset } = this.pool.packet(slots[i]!);
      this.#around.deliver(this, this.pool.bytes, byteOffset, length);
    }
  }

  protected override onEvent(_now: number, event: EndpointEvent): void {
    if (this.closed) throw new InvariantError(`a closed tunnel says "${event.type}"`);
    this.#around.onEvent(this, event);
  }

  /** A tunnel whose deadline stays in the past would spin forever. */
  #watchProgress(now: number): void {
    this.#turnsAtInstant = now === this.#turnAt ? this.#turnsAtInstant + 1 : 0;
    this.#turnAt = now;
    if (this.#turnsAtInstant > MAX_ROUNDS) {
      throw new InvariantError(`the tunnel's deadline stays at ${now} us`);
    }
  }
}
