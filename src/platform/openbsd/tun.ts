/**
 * The TUN interface on OpenBSD: one packet per system call, straight into and
 * out of the slots of a pool, tun(4).
 *
 * Each packet has its address family in front, four bytes in network order: 2 for IPv4,
 * 24 for IPv6. They lie in the room that a slot has before its packet.
 *
 * Opening `/dev/tunN` makes the interface, and closing it takes it away again, with
 * addresses and routes. One that ifconfig(8) or hostname.if(5) made stays.
 *
 * The offloads of TUNSCAP (7.7 and later) are not used: packets of up to 64 KiB would
 * come that no slot holds, and no host was there to try them on.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { fillChecksum } from "../../offload/checksum.ts";
import { MAX_PACKET_BYTES, MOST_PACKET_BYTES, PACKET_OFFSET, type PacketPool } from "../../slab.ts";
import { cString, slotAddresses } from "../ffi.ts";
import type { Tun } from "../platform.ts";
import {
  AF_INET,
  AF_INET6,
  IFF_POINTOPOINT,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TUNGIFINFO,
  TUNINFO_BYTES,
  TUNINFO_FLAGS,
  TUNINFO_MTU,
  TUNSIFINFO,
} from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";

/** Bytes of the address family in front of a packet. */
const FAMILY_BYTES = 4;
/** Where the address family starts in a slot. */
const FAMILY_OFFSET = PACKET_OFFSET - FAMILY_BYTES;
/**
 * What one read asks for. The kernel cuts a longer packet without a word, so one byte
 * more than is allowed tells a packet that fits from one that does not.
 */
const READ_BYTES = BigInt(FAMILY_BYTES + MAX_PACKET_BYTES + 1);
/** Bytes of a write by packet length, as C wants them: none is converted on the way. */
const WRITE_BYTES: readonly bigint[] = Array.from(
  { length: MOST_PACKET_BYTES + 1 },
  (_, n) => BigInt(FAMILY_BYTES + n),
);
/** Highest unit that is tried when no name is given; MAKEDEV(8) makes fewer nodes. */
const MAX_UNIT = 255;

/** Returns the device node of the interface `name`. */
export function tunDevice(name: string): string {
  return `/dev/${name}`;
}

/** Tells whether `name` is that of a tun interface: `tun` and a number. */
export function isTunName(name: string): boolean {
  return /^tun(0|[1-9]\d{0,2})$/.test(name);
}

/**
 * Opens the TUN interface `name`, or the first of `tun0`, `tun1`... that is free. Throws
 * AggvpnError when there is no device node, no privilege or the interface is in use.
 */
export function openTun(libc: Libc, name: string | undefined): OpenbsdTun {
  if (name !== undefined && !isTunName(name)) {
    throw new AggvpnError(`Invalid interface name ${JSON.stringify(name)}`, {
      hint:
        "OpenBSD calls tunnel interfaces tun0, tun1, ...; leave tunnel.interface out to take one.",
    });
  }
  const { fd, taken } = name === undefined
    ? openFree(libc)
    : { fd: openUnit(libc, name), taken: name };
  if (fd < 0) throw openError(libc, taken, libc.errno());
  const tun = new OpenbsdTun(libc, fd, taken);
  try {
    tun.prepare();
    return tun;
  } catch (error) {
    tun.close();
    throw error;
  }
}

/** Returns a negative descriptor when it failed; errno tells why. */
function openUnit(libc: Libc, name: string): number {
  return libc.symbols.open(cString(tunDevice(name)), O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

function openFree(libc: Libc): { fd: number; taken: string } {
  for (let unit = 0;; unit++) {
    const taken = `tun${unit}`;
    const fd = openUnit(libc, taken);
    if (fd >= 0 || unit === MAX_UNIT || libc.errno() !== ERRNO.EBUSY) return { fd, taken };
  }
}

/** An open TUN interface. */
export class OpenbsdTun implements Tun {
  /** Packets longer than `MAX_PACKET_BYTES`, which were dropped. */
  oversizePackets = 0;
  /** Packets that are neither IPv4 nor IPv6, which were dropped. */
  foreignPackets = 0;
  /** Packets the kernel refused for lack of memory. */
  refusedPackets = 0;
  readonly backlog = false;
  /** tun(4) has some (TUNSCAP, OpenBSD 7.7), which is not used yet. */
  readonly offload = "none";
  readonly #libc: Libc;
  #open = true;

  constructor(libc: Libc, readonly fd: number, readonly name: string) {
    this.#libc = libc;
  }

  /**
   * Looks whether the interface carries IP packets, and makes its MTU one that
   * slots can hold: hostname.if(5) may have set a larger one.
   */
  prepare(): void {
    const info = this.#readInfo();
    const flags = info.getUint16(TUNINFO_FLAGS, true);
    if ((flags & IFF_POINTOPOINT) === 0) {
      throw new AggvpnError(`Interface "${this.name}" carries no IP packets`, {
        hint: `Set "ifconfig ${this.name} -link0", or another tunnel.interface.`,
      });
    }
    if (info.getUint32(TUNINFO_MTU, true) > MAX_PACKET_BYTES) this.setMtu(MAX_PACKET_BYTES);
  }

  /** Sets the MTU in bytes. Throws AggvpnError; not possible after pledge(2). */
  setMtu(mtu: number): void {
    const info = this.#readInfo();
    info.setUint32(TUNINFO_MTU, mtu, true);
    this.#ioctl(TUNSIFINFO, info);
  }

  read(pool: PacketPool, slots: Int32Array, limit: number): number {
    const { symbols } = this.#libc;
    const addresses = slotAddresses(pool, FAMILY_OFFSET);
    let count = 0;
    let slot = -1;
    while (count < limit && (slot >= 0 || (slot = pool.alloc()) >= 0)) {
      const length = symbols.read(this.fd, addresses[slot]!, READ_BYTES);
      if (length <= 0) {
        this.#checkRead(pool, slot, length);
        return count;
      }
      if (!this.#accepts(pool, slot, length)) continue;
      pool.lengths[slot] = length - FAMILY_BYTES;
      slots[count++] = slot;
      slot = -1;
    }
    if (slot >= 0) pool.release(slot);
    return count;
  }

  write(pool: PacketPool, slots: Int32Array, count: number): number {
    const { symbols } = this.#libc;
    const addresses = slotAddresses(pool, FAMILY_OFFSET);
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (pool.needsChecksum[slot] !== 0 && !fillChecksum(pool, slot)) continue;
      writeFamily(pool.bytes, pool.at(slot));
      if (symbols.write(this.fd, addresses[slot]!, WRITE_BYTES[pool.lengths[slot]!]!) >= 0) taken++;
    }
    this.refusedPackets += count - taken;
    return taken;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#libc.symbols.close(this.fd);
  }

  /** Counts what is not for us; the slot is used again. */
  #accepts(pool: PacketPool, slot: number, length: number): boolean {
    const family = pool.bytes[pool.at(slot) + PACKET_OFFSET - 1]!;
    if (length <= FAMILY_BYTES || family !== AF_INET && family !== AF_INET6) {
      this.foreignPackets++;
      return false;
    }
    if (length - FAMILY_BYTES <= MAX_PACKET_BYTES) return true;
    this.oversizePackets++;
    return false;
  }

  /** Returns struct tuninfo. The kernel wants type and flags back as it gave them. */
  #readInfo(): DataView<ArrayBuffer> {
    const info = new DataView(new ArrayBuffer(TUNINFO_BYTES));
    this.#ioctl(TUNGIFINFO, info);
    return info;
  }

  #ioctl(request: bigint, info: DataView<ArrayBuffer>): void {
    if (this.#libc.symbols.ioctl(this.fd, request, new Uint8Array(info.buffer)) >= 0) return;
    const what = request === TUNGIFINFO ? "look at" : "set the MTU of";
    throw systemError(this.#libc, `Cannot ${what} interface "${this.name}"`, this.#libc.errno());
  }

  /**
   * Gives the unused slot back; throws when more is wrong than that nothing waits. EHOSTDOWN,
   * says tun(4), comes from an interface that has no address yet.
   */
  #checkRead(pool: PacketPool, slot: number, result: number): void {
    const errno = result < 0 ? this.#libc.errno() : ERRNO.EAGAIN;
    pool.release(slot);
    if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR || errno === ERRNO.EHOSTDOWN) return;
    throw systemError(
      this.#libc,
      `Cannot read from interface "${this.name}"`,
      errno,
      "Somebody destroyed the interface; start aggvpn again.",
    );
  }
}

/** Writes the address family in front of the packet of the slot that starts at `at`. */
function writeFamily(bytes: Uint8Array, at: number): void {
  const ipv6 = bytes[at + PACKET_OFFSET]! >> 4 === 6;
  bytes[at + FAMILY_OFFSET] = 0;
  bytes[at + FAMILY_OFFSET + 1] = 0;
  bytes[at + FAMILY_OFFSET + 2] = 0;
  bytes[at + FAMILY_OFFSET + 3] = ipv6 ? AF_INET6 : AF_INET;
}

function openError(libc: Libc, name: string, errno: number): AggvpnError {
  const hints: Record<number, string> = {
    [ERRNO.ENOENT]: `Make the device node: "cd /dev && sh MAKEDEV ${name}".`,
    [ERRNO.EBUSY]: "Another program uses it: stop that, or set another tunnel.interface.",
    [ERRNO.ENXIO]: "This kernel has no tun(4); set another tunnel.interface if it has others.",
    [ERRNO.EACCES]: "Run as root.",
    [ERRNO.EPERM]: "Run as root.",
  };
  return systemError(libc, `Cannot open "${tunDevice(name)}"`, errno, hints[errno]);
}
