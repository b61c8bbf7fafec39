/**
 * An open TUN interface on Linux: what its two kinds have in common.
 *
 * Kernel documentation: Documentation/networking/tuntap.rst.
 *
 * @module
 */

import { MOST_PACKET_BYTES, type PacketPool } from "../../slab.ts";
import type { Tun } from "../platform.ts";
import { TUNSETOFFLOAD } from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";

/** Returns lengths of packets with `extra` bytes as C wants them, so that none is converted on the way. */
export function packetLengths(extra: number): readonly bigint[] {
  return Array.from({ length: MOST_PACKET_BYTES + 1 }, (_, n) => BigInt(n + extra));
}

/** An open TUN interface. */
export abstract class LinuxTun implements Tun {
  /** Packets longer than `MAX_PACKET_BYTES`, which were dropped. */
  abstract readonly oversizePackets: number;
  /** What the kernel said of a packet and cannot be, counted; the packet was dropped. */
  abstract readonly malformedPackets: number;
  abstract readonly backlog: boolean;
  abstract readonly offload: string;
  /** Packets the kernel refused: interface down (EIO), not an IP packet (EINVAL), no memory. */
  refusedPackets = 0;
  protected readonly libc: Libc;
  #open = true;

  constructor(libc: Libc, readonly fd: number, readonly name: string) {
    this.libc = libc;
  }

  abstract read(pool: PacketPool, slots: Int32Array, limit: number): number;
  abstract write(pool: PacketPool, slots: Int32Array, count: number): number;

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    // One that outlives this program must not go on handing out what its next user cannot read.
    this.libc.symbols.ioctlValue(this.fd, TUNSETOFFLOAD, 0n);
    this.libc.symbols.close(this.fd);
  }

  /** Throws when `result` of read(2) says more than that nothing waits. */
  protected checkRead(result: number): void {
    const errno = result < 0 ? this.libc.errno() : ERRNO.EAGAIN;
    if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return;
    throw systemError(
      this.libc,
      `Cannot read from interface "${this.name}"`,
      errno,
      "Somebody removed the interface; start aggvpn again.",
    );
  }
}
