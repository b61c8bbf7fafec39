/**
 * One end of a tunnel, and what the driver of the daemon would do for it. Subclasses decide where
 * datagrams and packets go, and when it has a turn; the shared part moves whole batches and
 * allocates nothing.
 *
 * @module
 */

import { type ReceiveBatch, TransmitBatch } from "../../src/batch.ts";
import { PACKETS_PER_ROUND } from "../../src/io/driver.ts";
import { type Remote, REMOTE_BYTES } from "../../src/remote.ts";
import { PacketPool } from "../../src/slab.ts";
import type { Core } from "../../src/tunnel/core.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import { InvariantError } from "./invariants.ts";

/** Rounds of one turn beyond which it will not end: a bug of the core. */
export const MAX_ROUNDS = 10_000;

/** A core, its memory, and the moves around it. */
export abstract class End<C extends Core = Core> {
  readonly pool: PacketPool;
  /** Turns so far, a measure of how busy the core keeps its host. */
  turns = 0;
  protected readonly slots = new Int32Array(PACKETS_PER_ROUND);
  protected readonly batches: readonly TransmitBatch[];

  /** The core that is driven, around {@linkcode pool}. */
  abstract readonly endpoint: C;

  constructor(sockets: number, slots: number) {
    this.pool = new PacketPool(slots);
    this.batches = Array.from({ length: sockets }, () => new TransmitBatch());
  }

  /** Sends the datagrams of a batch, which is full or all there is. */
  protected abstract onDatagrams(now: number, socket: number, batch: TransmitBatch): void;
  /** Takes packets that came out of the tunnel; their slots are released when it returns. */
  protected abstract onPackets(now: number, slots: Int32Array, count: number): void;
  protected abstract onEvent(now: number, event: EndpointEvent): void;

  /** Does everything due at `now`. */
  turn(now: number): void {
    this.turns++;
    for (let rounds = 0; this.round(now); rounds++) {
      if (rounds > MAX_ROUNDS) throw new InvariantError(`a turn at ${now} us does not end`);
    }
    this.pollEvents(now);
  }

  /** One round of the driver without its reads. Returns whether anything moved. */
  protected round(now: number): boolean {
    this.handleDeadline(now);
    const sent = this.transmit(now);
    return this.deliver(now) > 0 || sent;
  }

  protected handleDeadline(now: number): void {
    if (now >= this.endpoint.pollTimeout()) this.endpoint.handleTimeout(now);
  }

  /** Sends everything that the core has to send. Returns whether there was anything. */
  protected transmit(now: number): boolean {
    let moved = false;
    for (let more = true, calls = 0; more; calls++) {
      more = this.endpoint.pollTransmit(now, this.batches);
      let sent = 0;
      for (let socket = 0; socket < this.batches.length; socket++) {
        const batch = this.batches[socket]!;
        if (batch.count === 0) continue;
        sent += batch.count;
        this.onDatagrams(now, socket, batch);
        batch.count = 0;
      }
      if (more && sent === 0) throw new InvariantError(`a full batch is empty at ${now} us`);
      if (calls > MAX_ROUNDS) throw new InvariantError(`sending does not stop at ${now} us`);
      moved ||= sent > 0;
    }
    return moved;
  }

  /** Takes one round of packets out of the tunnel; returns how many. */
  protected deliver(now: number): number {
    const count = this.endpoint.pollPackets(now, this.slots);
    if (count > 0) this.onPackets(now, this.slots, count);
    for (let i = 0; i < count; i++) this.pool.release(this.slots[i]!);
    return count;
  }

  protected pollEvents(now: number): void {
    let event: EndpointEvent | undefined;
    while ((event = this.endpoint.pollEvent()) !== undefined) this.onEvent(now, event);
  }
}

/** Appends a datagram to a batch that a socket has received; there must be room. */
export function appendDatagram(batch: ReceiveBatch, bytes: Uint8Array, from: Remote): void {
  const i = batch.count++;
  batch.slab.bytes.set(bytes, batch.slab.at(i));
  batch.lengths[i] = bytes.length;
  batch.remotes.set(from.bytes, i * REMOTE_BYTES);
}
