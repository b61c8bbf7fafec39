/**
 * The socket of the program that receives, and when that gets to run. Its buffer is Linux' default
 * (net.core.rmem_default), of which a packet takes 2304 bytes whatever its length.
 *
 * @module
 */

import type { EventQueue } from "../../pair/event_queue.ts";
import { Timer } from "../../pair/timer.ts";
import type { DataPacket } from "./packet.ts";

/** 212,992 bytes / 2304. */
const BUFFER_PACKETS = 92;
/** Until the program runs, and what it then needs for a packet: Deno's QUIC, measured. */
const WAKE_US = 100;
const PACKET_US = 40;

/** Packets that wait for their program. */
export class ReceivingSocket {
  /** Packets that found the buffer full. */
  drops = 0;
  readonly #packets: DataPacket[] = [];
  readonly #timer: Timer;

  constructor(queue: EventQueue, readonly deliver: (now: number, packet: DataPacket) => void) {
    this.#timer = new Timer(queue, (now) => this.#read(now));
  }

  /** A packet has come, which is copied. */
  push(now: number, packet: DataPacket): void {
    if (this.#packets.length === BUFFER_PACKETS) {
      this.drops++;
      return;
    }
    if (this.#packets.push({ ...packet }) === 1) this.#timer.set(now + WAKE_US);
  }

  #read(now: number): void {
    const packet = this.#packets.shift()!;
    if (this.#packets.length > 0) this.#timer.set(now + PACKET_US);
    this.deliver(now, packet);
  }
}
