/**
 * The least that can be called a tunnel: no handshake, no keys, no pacing, no order.
 * Packets go out on the links in turn. With one link it is the line itself, which calibrates
 * the model of TCP; with several it shows what the product must do better.
 *
 * @module
 */

import type { ReceiveBatch, TransmitBatch } from "../../src/batch.ts";
import { MAX_PACKET_BYTES, PACKET_OFFSET, type PacketPool } from "../../src/slab.ts";
import type { EndpointEvent, EndpointStatus } from "../../src/tunnel/options.ts";
import { OUTER_HEADER_BYTES } from "../../src/wire/datagram.ts";
import { write32 } from "./packet.ts";
import type { Tunnel, TunnelContext } from "./tunnel.ts";

const QUEUE_PACKETS = 1024;
/** The type of a datagram with sealed frames. */
const TYPE_DATA = 4;

/** A bounded first-in first-out queue of slots. */
class SlotQueue {
  readonly #slots = new Int32Array(QUEUE_PACKETS);
  #head = 0;
  count = 0;

  get room(): number {
    return QUEUE_PACKETS - this.count;
  }

  push(slot: number): void {
    this.#slots[(this.#head + this.count++) % QUEUE_PACKETS] = slot;
  }

  shift(): number {
    const slot = this.#slots[this.#head]!;
    this.#head = (this.#head + 1) % QUEUE_PACKETS;
    this.count--;
    return slot;
  }
}

/** One end; see the module. */
export class NullTunnel implements Tunnel {
  readonly #pool: PacketPool;
  readonly #outgoing = new SlotQueue();
  readonly #incoming = new SlotQueue();
  readonly #counters: number[];
  #turn = 0;
  #closed = false;

  constructor(readonly context: TunnelContext) {
    this.#pool = context.pool;
    this.#counters = context.remotes.map(() => 0);
  }

  wantsPackets(): number {
    return this.#outgoing.room;
  }

  handlePackets(_now: number, slots: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.#outgoing.push(slots[i]!);
  }

  handleDatagrams(_now: number, _socket: number, batch: ReceiveBatch): void {
    const pool = this.#pool;
    for (let i = 0; i < batch.count; i++) {
      const slot = this.#incoming.room > 0 && !this.#closed ? pool.alloc() : -1;
      const length = batch.lengths[i]! - OUTER_HEADER_BYTES;
      if (slot < 0 || length > MAX_PACKET_BYTES) continue;
      const from = batch.slab.at(i) + OUTER_HEADER_BYTES;
      pool.bytes.set(
        batch.slab.bytes.subarray(from, from + length),
        pool.at(slot) + PACKET_OFFSET,
      );
      pool.lengths[slot] = length;
      this.#incoming.push(slot);
    }
  }

  handleSendFailure(): void {}

  handleNetworkChange(): void {}

  handleTimeout(): void {}

  pollTransmit(_now: number, batches: readonly TransmitBatch[]): boolean {
    while (this.#outgoing.count > 0) {
      const link = this.#turn % batches.length;
      const batch = batches[link]!;
      if (batch.full) return true;
      this.#turn++;
      const slot = this.#outgoing.shift();
      this.#write(batch, link, slot);
      this.#pool.release(slot);
    }
    return false;
  }

  pollPackets(_now: number, slots: Int32Array): number {
    let count = 0;
    while (count < slots.length && this.#incoming.count > 0) {
      slots[count++] = this.#incoming.shift();
    }
    return count;
  }

  pollEvent(): EndpointEvent | undefined {
    return undefined;
  }

  pollTimeout(): number {
    return Infinity;
  }

  status(): EndpointStatus | undefined {
    return undefined;
  }

  close(): void {
    this.#closed = true;
    while (this.#outgoing.count > 0) this.#pool.release(this.#outgoing.shift());
  }

  #write(batch: TransmitBatch, link: number, slot: number): void {
    const i = batch.count++;
    const at = batch.slab.at(i);
    const out = batch.slab.bytes;
    out.fill(0, at, at + OUTER_HEADER_BYTES);
    out[at] = TYPE_DATA;
    out[at + 1] = link;
    write32(out, at + 6, this.#counters[link]!++);
    out.set(this.#pool.packet(slot), at + OUTER_HEADER_BYTES);
    batch.lengths[i] = OUTER_HEADER_BYTES + this.#pool.lengths[slot]!;
    batch.remotes[i] = this.context.remotes[link]!;
    batch.paths[i] = link;
  }
}
