/**
 * An end for tests that takes its turns at once and keeps what comes out of it.
 *
 * @module
 */

import { assert } from "@std/assert";
import { BATCH_DATAGRAMS, ReceiveBatch, type TransmitBatch } from "../../src/batch.ts";
import type { Remote } from "../../src/remote.ts";
import { PACKET_OFFSET, PacketPool } from "../../src/slab.ts";
import { Endpoint } from "../../src/tunnel/endpoint.ts";
import type { EndpointEvent, EndpointOptions } from "../../src/tunnel/options.ts";
import type { DatagramStore } from "./datagram_store.ts";
import { appendDatagram, End } from "./end.ts";
import type { EventQueue } from "./event_queue.ts";
import { NonceWatch } from "./invariants.ts";
import { Timer } from "./timer.ts";
import type { Station } from "./virtual_network.ts";

/** The environment of a host. */
export interface HostNetwork {
  readonly queue: EventQueue;
  readonly store: DatagramStore;
  /** Takes a datagram that a host sends; `bytes` holds it only until this returns. */
  transmit(host: Host, socket: number, to: Remote, bytes: Uint8Array): void;
}

/** What makes a host. */
export interface HostOptions {
  readonly name: string;
  readonly sockets: number;
  readonly slots: number;
  /** Makes the options of its endpoint around a pool. */
  readonly endpoint: (pool: PacketPool) => EndpointOptions;
}

/** An endpoint and its surroundings. */
export class Host extends End<Endpoint> implements Station {
  readonly name: string;
  endpoint: Endpoint;
  /** Slots that were free when the endpoint had been made. */
  readonly free: number;
  /** Packets that came out of the tunnel. */
  readonly delivered: Uint8Array[] = [];
  /** ... and whether each of them lacks its checksum. */
  readonly needsChecksum: boolean[] = [];
  readonly events: EndpointEvent[] = [];
  readonly nonces = new NonceWatch();
  readonly #network: HostNetwork;
  readonly #options: HostOptions["endpoint"];
  readonly #received = new ReceiveBatch();
  readonly #deadline: Timer;

  constructor(network: HostNetwork, options: HostOptions) {
    super(options.sockets, options.slots);
    this.name = options.name;
    this.#network = network;
    this.#options = options.endpoint;
    this.endpoint = new Endpoint(options.endpoint(this.pool));
    this.free = this.pool.available;
    // Arrivals at the same instant come first, as a driver reads before it looks at the clock.
    const atDeadline = { onEvent: (now: number): void => this.turn(now) };
    this.#deadline = new Timer(network.queue, (now) => network.queue.add(now, atDeadline));
  }

  /** Restarts the process: it says no goodbye and forgets everything. */
  restart(): void {
    Object.assign(this, { pool: new PacketPool(this.pool.count) });
    this.endpoint = new Endpoint(this.#options(this.pool));
  }

  /** Gives packets from the TUN to the tunnel. */
  send(now: number, ...packets: Uint8Array[]): void {
    this.#send(now, packets, false);
  }

  /** Likewise, packets whose checksum is not filled in. */
  sendWithoutChecksum(now: number, ...packets: Uint8Array[]): void {
    this.#send(now, packets, true);
  }

  #send(now: number, packets: readonly Uint8Array[], needsChecksum: boolean): void {
    for (const packet of packets) {
      const slot = this.pool.alloc();
      assert(slot >= 0, `${this.name} has no memory left`);
      this.pool.bytes.set(packet, this.pool.at(slot) + PACKET_OFFSET);
      this.pool.lengths[slot] = packet.length;
      this.pool.needsChecksum[slot] = needsChecksum ? 1 : 0;
      this.slots[0] = slot;
      this.endpoint.handlePackets(now, this.slots, 1);
    }
    this.turn(now);
  }

  /** Hands in datagrams that socket number `socket` received, in the largest batches possible. */
  receive(now: number, socket: number, from: Remote, ...datagrams: readonly Uint8Array[]): void {
    for (let at = 0; at < datagrams.length; at += BATCH_DATAGRAMS) {
      const batch = this.#received;
      batch.count = 0;
      for (const bytes of datagrams.slice(at, at + BATCH_DATAGRAMS)) {
        appendDatagram(batch, bytes, from);
      }
      this.endpoint.handleDatagrams(now, socket, batch);
      this.turn(now);
    }
  }

  onDatagram(now: number, index: number): void {
    const { store } = this.#network;
    const { bytes, length, socket, from } = store.get(index);
    this.receive(now, socket, from, bytes.subarray(0, length));
    store.release(index);
  }

  /** Datagram `index` of the store does not arrive after all. */
  ignore(index: number): void {
    this.#network.store.release(index);
  }

  override turn(now: number): void {
    super.turn(now);
    this.awaitDeadline(now);
  }

  /** Schedules the next turn for when the endpoint wants it; others may have told it something. */
  awaitDeadline(now: number): void {
    const at = this.endpoint.pollTimeout();
    this.#deadline.set(at > now ? at : now + 1); // a deadline that stays in the past must not stop time
  }

  /** Says goodbye and returns everything. */
  close(now: number): void {
    this.endpoint.close(now);
    this.turn(now);
  }

  /** Counter of a drop reason. */
  drops(reason: string): number {
    return this.endpoint.status(0).drops[reason] ?? 0;
  }

  /** Events of one type, as short text. */
  eventsOf(type: EndpointEvent["type"]): string[] {
    return this.events.filter((event) => event.type === type).map(textOf);
  }

  protected override onDatagrams(_now: number, socket: number, batch: TransmitBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const at = batch.slab.at(i);
      const bytes = batch.slab.bytes.subarray(at, at + batch.lengths[i]!);
      this.#network.transmit(this, socket, batch.remotes[i]!, bytes);
    }
  }

  protected override onPackets(_now: number, slots: Int32Array, count: number): void {
    for (const slot of slots.subarray(0, count)) {
      this.delivered.push(this.pool.packet(slot).slice());
      this.needsChecksum.push(this.pool.needsChecksum[slot] !== 0);
    }
  }

  protected override onEvent(_now: number, event: EndpointEvent): void {
    this.events.push(event);
  }
}

function textOf(event: EndpointEvent): string {
  switch (event.type) {
    case "session":
      return event.state;
    case "link":
      return `${event.link} ${event.state}`;
    case "server":
      return `${event.reason}: ${event.server}`;
    case "roamed":
      return `${event.link} ${event.remote}`;
    case "conflict":
      return event.hosts;
    case "rebind":
      return `${event.link}`;
    case "handshake-failed":
      return event.remote;
    case "foreign-source":
      return event.source;
    case "mtu":
      return `${event.mtu}`;
  }
}
