/**
 * The TUN interface of a kernel without offload: one packet per system call, straight into and
 * out of the slots of a pool.
 *
 * @module
 */

import { fillChecksum } from "../offload/checksum.ts";
import type { Framing } from "../offload/framing.ts";
import { VnetHeader } from "../offload/vnet_header.ts";
import { MAX_PACKET_BYTES, PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { slotAddresses } from "./ffi.ts";
import { DeviceTun, packetLengths, type TunDevice } from "./tun_device.ts";

/** Nothing is left to do to any packet. */
const NOTHING: Readonly<VnetHeader> = new VnetHeader();

/** An open TUN interface without offload. */
export class PlainTun extends DeviceTun {
  oversizePackets = 0;
  malformedPackets = 0;
  readonly backlog = false;
  readonly offload = "none";
  readonly #framing: Framing;
  readonly #header = new VnetHeader();
  /** Where in a slot the framing starts. */
  readonly #offset: number;
  /**
   * What one read asks for. The kernel silently truncates a longer packet, so one byte more than
   * allowed tells a packet that fits from one that does not.
   */
  readonly #readBytes: bigint;
  readonly #writeBytes: readonly bigint[];

  constructor(device: TunDevice, framing: Framing) {
    super(device);
    this.#framing = framing;
    this.#offset = PACKET_OFFSET - framing.bytes;
    this.#readBytes = BigInt(framing.bytes + MAX_PACKET_BYTES + 1);
    this.#writeBytes = packetLengths(framing.bytes);
  }

  read(pool: PacketPool, slots: Int32Array, limit: number): number {
    const { calls } = this.device;
    const addresses = slotAddresses(pool, this.#offset);
    let count = 0;
    let slot = -1;
    while (count < limit && (slot >= 0 || (slot = pool.alloc()) >= 0)) {
      const result = calls.read(this.fd, addresses[slot]!, this.#readBytes);
      if (result <= 0) {
        pool.release(slot);
        this.device.checkRead(result);
        return count;
      }
      const length = result - this.#framing.bytes;
      if (!this.#accepts(pool, slot, length)) continue;
      pool.lengths[slot] = length;
      slots[count++] = slot;
      slot = -1;
    }
    if (slot >= 0) pool.release(slot);
    return count;
  }

  write(pool: PacketPool, slots: Int32Array, count: number): number {
    const { calls } = this.device;
    const addresses = slotAddresses(pool, this.#offset);
    const lengths = this.#writeBytes;
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (pool.needsChecksum[slot] !== 0 && !fillChecksum(pool, slot)) continue;
      this.#framing.write(pool.bytes, pool.at(slot) + PACKET_OFFSET, NOTHING);
      if (calls.write(this.fd, addresses[slot]!, lengths[pool.lengths[slot]!]!) >= 0) taken++;
    }
    this.refusedPackets += count - taken;
    return taken;
  }

  /** Counts what is not for us; its slot is reused. */
  #accepts(pool: PacketPool, slot: number, length: number): boolean {
    const at = pool.at(slot) + PACKET_OFFSET;
    if (length < 1 || !this.#framing.read(pool, at, length, this.#header)) {
      this.malformedPackets++;
      return false;
    }
    if (length <= MAX_PACKET_BYTES) return true;
    this.oversizePackets++;
    return false;
  }
}
