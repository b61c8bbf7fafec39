/**
 * The TUN interface on Linux: one packet per system call, straight into and
 * out of the slots of a pool.
 *
 * Kernel documentation: Documentation/networking/tuntap.rst.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { MAX_PACKET_BYTES, PACKET_OFFSET, type PacketPool } from "../../slab.ts";
import { cString, slotAddresses } from "../ffi.ts";
import type { Tun } from "../platform.ts";
import {
  IFF_NO_PI,
  IFF_TUN,
  IFNAMSIZ,
  IFREQ_FLAGS,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TUNSETIFF,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { interfaceRequest, isInterfaceName } from "./interfaces.ts";
import { type Libc, systemError } from "./libc.ts";

/** The device node. */
export const TUN_DEVICE = "/dev/net/tun";
/** Lets the kernel choose: it puts the lowest free number for `%d`. */
const NAME_PATTERN = "agg%d";
/**
 * What one read asks for. The kernel cuts a longer packet without a word, so one byte
 * more than is allowed tells a packet that fits from one that does not.
 */
const READ_BYTES = BigInt(MAX_PACKET_BYTES + 1);
/** Packet lengths as C wants them, so that none is converted on the way. */
const LENGTHS: readonly bigint[] = Array.from(
  { length: MAX_PACKET_BYTES + 1 },
  (_, n) => BigInt(n),
);

/**
 * Opens the TUN interface `name`, or one that the kernel names `agg0`, `agg1`...
 * An existing interface that `ip tuntap add` made is taken over. Throws
 * AggvpnError when there is no device, no privilege or the name is in use.
 */
export function openTun(libc: Libc, name: string | undefined): LinuxTun {
  if (name !== undefined && (!isInterfaceName(name) || name.includes("%"))) {
    throw new AggvpnError(`Invalid interface name ${JSON.stringify(name)}`, {
      hint: "Use 1 to 15 characters without spaces, slashes, colons and percent signs.",
    });
  }
  const fd = libc.symbols.open(cString(TUN_DEVICE), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) throw deviceError(libc, libc.errno());
  const request = interfaceRequest(name ?? NAME_PATTERN);
  new DataView(request.buffer).setUint16(IFREQ_FLAGS, IFF_TUN | IFF_NO_PI, true);
  if (libc.symbols.ioctl(fd, TUNSETIFF, request) < 0) {
    const error = createError(libc, name ?? NAME_PATTERN, libc.errno());
    libc.symbols.close(fd);
    throw error;
  }
  const end = request.indexOf(0);
  const given = request.subarray(0, Math.min(end, IFNAMSIZ - 1));
  return new LinuxTun(libc, fd, new TextDecoder().decode(given));
}

/** An open TUN interface. */
export class LinuxTun implements Tun {
  /** Packets longer than `MAX_PACKET_BYTES`, which were dropped. */
  oversizePackets = 0;
  /** Packets the kernel refused: interface down (EIO), not an IP packet (EINVAL), no memory. */
  refusedPackets = 0;
  readonly #libc: Libc;
  #open = true;

  constructor(libc: Libc, readonly fd: number, readonly name: string) {
    this.#libc = libc;
  }

  read(pool: PacketPool, slots: Int32Array, limit: number): number {
    const { symbols } = this.#libc;
    const addresses = slotAddresses(pool, PACKET_OFFSET);
    let count = 0;
    let slot = -1;
    while (count < limit && (slot >= 0 || (slot = pool.alloc()) >= 0)) {
      const length = symbols.read(this.fd, addresses[slot]!, READ_BYTES);
      if (length <= 0) {
        this.#checkRead(pool, slot, length);
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
    const { symbols } = this.#libc;
    const addresses = slotAddresses(pool, PACKET_OFFSET);
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (symbols.write(this.fd, addresses[slot]!, LENGTHS[pool.lengths[slot]!]!) >= 0) taken++;
    }
    this.refusedPackets += count - taken;
    return taken;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.symbols.close(this.fd);
  }

  /** Gives the unused slot back; throws when more is wrong than that nothing waits. */
  #checkRead(pool: PacketPool, slot: number, result: number): void {
    const errno = result < 0 ? this.#libc.errno() : ERRNO.EAGAIN;
    pool.release(slot);
    if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return;
    throw systemError(
      this.#libc,
      `Cannot read from interface "${this.name}"`,
      errno,
      "Somebody removed the interface; start aggvpn again.",
    );
  }
}

function deviceError(libc: Libc, errno: number): AggvpnError {
  const hints: Record<number, string> = {
    [ERRNO.ENOENT]: `Load the driver with "modprobe tun"; a container needs the device handed in.`,
    [ERRNO.ENODEV]: `Load the driver with "modprobe tun".`,
    [ERRNO.ENXIO]: `Load the driver with "modprobe tun".`,
    [ERRNO.EACCES]: "Run as root, or grant CAP_NET_ADMIN and access to the device.",
    [ERRNO.EPERM]: "Run as root; a container needs access to the device.",
  };
  return systemError(libc, `Cannot open "${TUN_DEVICE}"`, errno, hints[errno]);
}

function createError(libc: Libc, name: string, errno: number): AggvpnError {
  const hints: Record<number, string> = {
    [ERRNO.EPERM]: "Run as root, or grant CAP_NET_ADMIN.",
    [ERRNO.EBUSY]: "Another program uses it: stop that, or set another tunnel.interface.",
    [ERRNO.EINVAL]: "An interface of another kind has that name: set another tunnel.interface.",
  };
  return systemError(libc, `Cannot create TUN interface "${name}"`, errno, hints[errno]);
}
