/**
 * The TUN interface of a kernel without offload: one packet per system call, straight into and
 * out of the slots of a pool.
 *
 * @module
 */

import { fillChecksum } from "../../offload/checksum.ts";
import { MAX_PACKET_BYTES, PACKET_OFFSET, type PacketPool } from "../../slab.ts";
import { slotAddresses } from "../ffi.ts";
import { LinuxTun, packetLengths } from "./tun_device.ts";

/**
 * What one read asks for. The kernel cuts a longer packet without a word, so one byte
 * more than is allowed tells a packet that fits from one that does not.
 */
const READ_BYTES = BigInt(MAX_PACKET_BYTES + 1);
const LENGTHS = packetLengths(0);

/** An open TUN interface without offload. */
export class PlainTun extends LinuxTun {
  oversizePackets = 0;
  readonly malformedPackets = 0;
  readonly backlog = false;
  readonly offload = "none";

  read(pool: PacketPool, slots: Int32Array, limit: number): number {
    const { symbols } = this.libc;
    const addresses = slotAddresses(pool, PACKET_OFFSET);
    let count = 0;
    let slot = -1;
    while (count < limit && (slot >= 0 || (slot = pool.alloc()) >= 0)) {
      const length = symbols.read(this.fd, addresses[slot]!, READ_BYTES);
      if (length <= 0) {
        pool.release(slot);
        this.checkRead(length);
        return count;
      }
      if (length > MAX_PACKET_BYTES) {
        this.oversizePackets++;
        continue;
      }
      pool.lengths[slot] = length;
      slots[count++] = slot;
      slot = -1;
    }
    if (slot >= 0) pool.release(slot);
    return count;
  }

  write(pool: PacketPool, slots: Int32Array, count: number): number {
    const { symbols } = this.libc;
    const addresses = slotAddresses(pool, PACKET_OFFSET);
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (pool.needsChecksum[slot] !== 0 && !fillChecksum(pool, slot)) continue;
      if (symbols.write(this.fd, addresses[slot]!, LENGTHS[pool.lengths[slot]!]!) >= 0) taken++;
    }
    this.refusedPackets += count - taken;
    return taken;
  }
}
