/**
 * What precedes each packet on an interface: systems have different bytes for it, and here they are
 * translated into one form.
 *
 * What is left to do to a packet is always said in virtio's terms ({@linkcode VnetHeader}),
 * whatever the system calls it.
 *
 * @module
 */

import type { PacketPool } from "../slab.ts";
import {
  readVnetHeader,
  VNET_HEADER_BYTES,
  type VnetHeader,
  writeVnetHeader,
} from "./vnet_header.ts";

/** The bytes in front of each packet that is read from an interface or written to it. */
export interface Framing {
  /** How many; there is room for `PACKET_OFFSET` of them. */
  readonly bytes: number;
  /** Writes them in front of the packet at `at`; `header` is what is left to do to it. */
  write(bytes: Uint8Array, at: number, header: Readonly<VnetHeader>): void;
  /**
   * Reads those in front of the packet of `length` bytes, at least 1, at `at` in the pool's
   * memory: `header` is what is left to do. Returns false when packet and bytes contradict each
   * other, or are of a kind that this program does not carry.
   */
  read(pool: PacketPool, at: number, length: number, header: VnetHeader): boolean;
}

/** Packets that stand alone. */
export const NO_FRAMING: Framing = { bytes: 0, write: () => {}, read: () => true };

/** The header of virtio in front of each packet. */
export const VNET_FRAMING: Framing = {
  bytes: VNET_HEADER_BYTES,
  write: (bytes, at, header) => writeVnetHeader(bytes, at - VNET_HEADER_BYTES, header),
  read({ bytes }, at, _length, header): boolean {
    readVnetHeader(bytes, at - VNET_HEADER_BYTES, header);
    return true;
  },
};
