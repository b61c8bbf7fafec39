/**
 * One end of a tunnel in a test: an endpoint, its pool, and what the driver of the
 * daemon would do for it.
 *
 * @module
 */

import { assert } from "@std/assert";
import { BATCH_DATAGRAMS, ReceiveBatch, TransmitBatch } from "../../src/batch.ts";
import { type Remote, REMOTE_BYTES } from "../../src/remote.ts";
import { PACKET_OFFSET, PacketPool } from "../../src/slab.ts";
import { Endpoint } from "../../src/tunnel/endpoint.ts";
import type { EndpointEvent, EndpointOptions } from "../../src/tunnel/options.ts";

/** Rounds of one turn beyond which it will not end. */
const MAX_ROUNDS = 1000;

/** Takes a datagram that a host sends, which is `bytes` only until it returns. */
export type Transmit = (host: Host, socket: number, to: Remote, bytes: Uint8Array) => void;

/** Makes the options of an endpoint around a pool. */
export type OptionsOf = (pool: PacketPool) => EndpointOptions;

/** An endpoint and its surroundings. */
export class Host {
  readonly pool: PacketPool;
  endpoint: Endpoint;
  /** Slots that were free when the endpoint had been made. */
  readonly free: number;
  /** Packets that came out of the tunnel. */
  readonly delivered: Uint8Array[] = [];
  /** ... and whether each of them lacks its checksum. */
  readonly needsChecksum: boolean[] = [];
  readonly events: EndpointEvent[] = [];
  /** Turns so far: how busy the endpoint keeps its host. */
  turns = 0;
  readonly #batches: TransmitBatch[];
  readonly #received = new ReceiveBatch();
  readonly #slots = new Int32Array(256);

  constructor(
    readonly name: string,
    readonly sockets: number,
    slots: number,
    private readonly options: OptionsOf,
    private readonly transmit: Transmit,
  ) {
    this.pool = new PacketPool(slots);
    this.#batches = Array.from({ length: sockets }, () => new TransmitBatch());
    this.endpoint = new Endpoint(options(this.pool));
    this.free = this.pool.available;
  }

  /** Ends the process and starts it again: nothing is said, everything is forgotten. */
  restart(): void {
    Object.assign(this, { pool: new PacketPool(this.pool.count) });
    this.endpoint = new Endpoint(this.options(this.pool));
  }

  /** Gives the tunnel packets from the TUN. */
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
      this.#slots[0] = slot;
      this.endpoint.handlePackets(now, this.#slots, 1);
    }
    this.turn(now);
  }

  /** Hands datagrams in that socket number `socket` received, in batches as large as they come. */
  receive(now: number, socket: number, from: Remote, ...datagrams: readonly Uint8Array[]): void {
    for (let at = 0; at < datagrams.length; at += BATCH_DATAGRAMS) {
      const batch = this.#received;
      batch.count = 0;
      for (const bytes of datagrams.slice(at, at + BATCH_DATAGRAMS)) {
        batch.slab.bytes.set(bytes, batch.slab.at(batch.count));
        batch.lengths[batch.count] = bytes.length;
        batch.remotes.set(from.bytes, batch.count++ * REMOTE_BYTES);
      }
      this.endpoint.handleDatagrams(now, socket, batch);
      this.turn(now);
    }
  }

  /** Does everything that is to be done at `now`. */
  turn(now: number): void {
    this.turns++;
    for (let round = 0;; round++) {
      assert(round < MAX_ROUNDS, `a turn of ${this.name} does not end`);
      const due = now >= this.endpoint.pollTimeout();
      if (due) this.endpoint.handleTimeout(now);
      const moved = this.#transmitAll(now);
      this.#deliverAll(now);
      if (!moved && !due) break;
      if (!moved && now >= this.endpoint.pollTimeout()) break;
    }
    for (let event; (event = this.endpoint.pollEvent()) !== undefined;) this.events.push(event);
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

  #transmitAll(now: number): boolean {
    let moved = false;
    for (let more = true, calls = 0; more; calls++) {
      assert(calls < MAX_ROUNDS, `${this.name} does not stop sending`);
      more = this.endpoint.pollTransmit(now, this.#batches);
      this.#batches.forEach((batch, socket) => {
        const count = batch.count;
        batch.count = 0;
        moved ||= count > 0;
        for (let i = 0; i < count; i++) {
          const at = batch.slab.at(i);
          const bytes = batch.slab.bytes.subarray(at, at + batch.lengths[i]!);
          this.transmit(this, socket, batch.remotes[i]!, bytes);
        }
      });
    }
    return moved;
  }

  #deliverAll(now: number): void {
    for (let count = 1; count > 0;) {
      count = this.endpoint.pollPackets(now, this.#slots);
      for (let i = 0; i < count; i++) {
        const slot = this.#slots[i]!;
        this.delivered.push(this.pool.packet(slot).slice());
        this.needsChecksum.push(this.pool.needsChecksum[slot] !== 0);
        this.pool.release(slot);
      }
    }
  }
}

function textOf(event: EndpointEvent): string {
  switch (event.type) {
    case "session":
      return event.state;
    case "link":
      return `${event.link} ${event.state}`;
    case "roamed":
      return `${event.link} ${event.remote}`;
    case "rebind":
      return `${event.link}`;
    case "handshake-failed":
      return event.remote;
  }
}
