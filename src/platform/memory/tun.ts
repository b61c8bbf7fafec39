/**
 * A TUN interface in memory: a test puts packets in and takes out what was written.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { fillChecksum } from "../../offload/checksum.ts";
import { MAX_PACKET_BYTES, PACKET_OFFSET, type PacketPool } from "../../slab.ts";
import type { Tun } from "../platform.ts";

/** A TUN interface without a kernel. */
export class MemoryTun implements Tun {
  /** Packets that {@linkcode write} was given, oldest first. */
  readonly written: Uint8Array[] = [];
  readonly backlog = false;
  readonly oversizePackets = 0;
  readonly malformedPackets = 0;
  readonly offload = "none";
  /** For tests: called after each packet that was put in. */
  onPacket: () => void = () => {};
  #waiting: Uint8Array[] = [];
  #open = true;

  constructor(readonly fd: number, readonly name: string) {}

  /** Whether it has not been closed. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Packets that {@linkcode read} has not taken. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Puts a packet in, as if this host had sent it into the tunnel. */
  inject(packet: Uint8Array): void {
    this.#waiting.push(packet.slice());
    this.onPacket();
  }

  read(pool: PacketPool, slots: Int32Array, limit: number): number {
    if (!this.#open) throw new AggvpnError(`Cannot read from interface "${this.name}"`);
    let count = 0;
    while (count < limit && this.#waiting.length > 0) {
      const packet = this.#waiting[0]!;
      const slot = packet.length > MAX_PACKET_BYTES ? undefined : pool.alloc();
      if (slot === -1) break;
      this.#waiting.shift();
      if (slot === undefined) continue;
      pool.bytes.set(packet, pool.at(slot) + PACKET_OFFSET);
      pool.lengths[slot] = packet.length;
      slots[count++] = slot;
    }
    return count;
  }

  write(pool: PacketPool, slots: Int32Array, count: number): number {
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (pool.needsChecksum[slot] !== 0 && !fillChecksum(pool, slot)) continue;
      this.written.push(pool.packet(slot).slice());
      taken++;
    }
    return taken;
  }

  /** The interface is gone: every later read fails. */
  close(): void {
    this.#open = false;
  }
}
