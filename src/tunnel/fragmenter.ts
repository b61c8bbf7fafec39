/**
 * Cuts packets that no link of a peer carries whole, where their senders allow it: an IPv4 router
 * has to (RFC 1812 section 4.2.2.7). With several clients the tunnel interface is as wide as the
 * widest needs.
 *
 * @module
 */

import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { fragmentPayload, mayFragment, writeFragment } from "../wire/fragment.ts";
import { PacketInfo, parsePacket } from "../wire/ip.ts";
import { IPV4_BYTES } from "../wire/ip_layout.ts";

/** Takes over a fragment, which `info` describes. */
export type FragmentHandler = (now: number, slot: number, info: PacketInfo) => void;

/** Cuts the packets of one peer. */
export class Fragmenter {
  readonly #pool: PacketPool;
  readonly #send: FragmentHandler;
  readonly #info = new PacketInfo();

  constructor(pool: PacketPool, send: FragmentHandler) {
    this.#pool = pool;
    this.#send = send;
  }

  /**
   * Takes over the packet in `slot`, of which no more than `mtu` bytes would have been carried, if it
   * may be cut. Not one whose transport checksum is still to be filled in: its place would move.
   */
  handle(now: number, slot: number, mtu: number): boolean {
    const pool = this.#pool;
    const { bytes, lengths } = pool;
    const from = pool.at(slot) + PACKET_OFFSET;
    if (pool.needsChecksum[slot] !== 0 || !mayFragment(bytes, from, mtu)) return false;
    const payload = lengths[slot]! - IPV4_BYTES;
    const step = fragmentPayload(mtu);
    if (pool.available < Math.ceil(payload / step)) return false;
    for (let offset = 0; offset < payload; offset += step) {
      const fragment = pool.alloc();
      const at = pool.at(fragment) + PACKET_OFFSET;
      lengths[fragment] = writeFragment(bytes, at, bytes, from, offset, mtu);
      pool.needsChecksum[fragment] = 0;
      parsePacket(bytes, at, lengths[fragment], this.#info);
      this.#send(now, fragment, this.#info);
    }
    pool.release(slot);
    return true;
  }
}
