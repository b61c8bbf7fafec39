/**
 * A TUN interface behind a descriptor: what both systems and both ways of carrying packets
 * (plain_tun.ts, offload_tun.ts) have in common.
 *
 * @module
 */

import { MOST_PACKET_BYTES, type PacketPool } from "../slab.ts";
import type { CErrors, SystemError } from "./ffi.ts";
import type { Tun } from "./platform.ts";

/** The functions of libc that move packets: read(2), write(2), writev(2), close(2). */
export interface TunCalls {
  read(fd: number, at: bigint, bytes: bigint): number;
  write(fd: number, at: bigint, bytes: bigint): number;
  writev(fd: number, iovecs: bigint, count: number): number;
  close(fd: number): number;
}

/** What a system calls its errors. */
export interface TunErrors {
  readonly ERRNO: Readonly<Record<"EAGAIN" | "EINTR" | "ENOMEM" | "ENOBUFS", number>>;
  readonly systemError: SystemError;
}

/** An open descriptor of an interface. */
export class TunDevice {
  readonly calls: TunCalls;
  readonly #libc: CErrors;
  readonly #errors: TunErrors;
  readonly #beforeClose: () => void;
  #open = true;

  /** @param beforeClose undoes what outlives the descriptor */
  constructor(
    libc: CErrors & { readonly symbols: TunCalls },
    readonly fd: number,
    readonly name: string,
    errors: TunErrors,
    beforeClose: () => void = () => {},
  ) {
    this.calls = libc.symbols;
    this.#libc = libc;
    this.#errors = errors;
    this.#beforeClose = beforeClose;
  }

  /** Throws AggvpnError when `result` of read(2) is an error other than that nothing waits. */
  checkRead(result: number): void {
    const { ERRNO, systemError } = this.#errors;
    const errno = result < 0 ? this.#libc.errno("read") : ERRNO.EAGAIN;
    if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return;
    throw systemError(
      this.#libc,
      `Cannot read from interface "${this.name}"`,
      errno,
      "Somebody removed the interface; start aggvpn again.",
    );
  }

  /** Tells whether the call that just failed did so because the kernel had no memory. */
  lacksMemory(): boolean {
    const { ERRNO } = this.#errors;
    const errno = this.#libc.errno("write");
    return errno === ERRNO.ENOMEM || errno === ERRNO.ENOBUFS;
  }

  /** Closes the descriptor; a second time it does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#beforeClose();
    this.calls.close(this.fd);
  }
}

/** Returns lengths of packets with `extra` bytes, as C wants them: no packet converts one. */
export function packetLengths(extra: number): readonly bigint[] {
  return Array.from({ length: MOST_PACKET_BYTES + 1 }, (_, n) => BigInt(n + extra));
}

/** An open TUN interface. */
export abstract class DeviceTun implements Tun {
  /** Packets longer than `MAX_PACKET_BYTES`, which were dropped. */
  abstract readonly oversizePackets: number;
  /** Packets that contradict what the kernel said about them, or are not IP; they were dropped. */
  abstract readonly malformedPackets: number;
  abstract readonly backlog: boolean;
  abstract readonly offload: string;
  /** Packets the kernel refused: no memory; Linux: interface down (EIO), not IP (EINVAL). */
  refusedPackets = 0;
  readonly fd: number;
  readonly name: string;

  constructor(protected readonly device: TunDevice) {
    this.fd = device.fd;
    this.name = device.name;
  }

  abstract read(pool: PacketPool, slots: Int32Array, limit: number): number;
  abstract write(pool: PacketPool, slots: Int32Array, count: number): number;

  close(): void {
    this.device.close();
  }
}
