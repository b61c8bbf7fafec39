/**
 * The queue of a TUN interface: 500 packets, the rest is dropped. Only headers are kept; the
 * payload of inner packets is meaningless.
 *
 * @module
 */

import { PACKET_OFFSET, type PacketPool } from "../../src/slab.ts";
import { HEADER_BYTES } from "./packet.ts";

/** Linux' default txqueuelen of a TUN interface. */
export const TUN_QUEUE_PACKETS = 500;

/** Packets that wait to be read by the tunnel. */
export class TunQueue {
  drops = 0;
  count = 0;
  maxCount = 0;
  readonly #headers = Array.from(
    { length: TUN_QUEUE_PACKETS },
    () => new Uint8Array(HEADER_BYTES),
  );
  readonly #lengths = new Uint16Array(TUN_QUEUE_PACKETS);
  #head = 0;

  /** Appends a packet. Returns false when it was dropped. */
  push(headers: Uint8Array, totalBytes: number): boolean {
    if (this.count === TUN_QUEUE_PACKETS) {
      this.drops++;
      return false;
    }
    const at = (this.#head + this.count++) % TUN_QUEUE_PACKETS;
    this.#headers[at]!.set(headers);
    this.#lengths[at] = totalBytes;
    this.maxCount = Math.max(this.maxCount, this.count);
    return true;
  }

  /** Moves the oldest packet into `slot`. */
  shiftInto(pool: PacketPool, slot: number): void {
    pool.bytes.set(this.#headers[this.#head]!, pool.at(slot) + PACKET_OFFSET);
    pool.lengths[slot] = this.#lengths[this.#head]!;
    this.#head = (this.#head + 1) % TUN_QUEUE_PACKETS;
    this.count--;
  }
}
