/**
 * The TUN interface with offload: super-packets of up to 64 KiB cross it in one system call,
 * and no checksum is computed that the kernel can leave out.
 *
 * What is read goes to the staging memory of the pool and is cut there (offload/segmenter.ts).
 * What is written is gathered from the slots it lies in (offload/merger.ts): a single packet with
 * the kernel's header put in front of it, a super-packet by the list of its pieces.
 *
 * Kernel documentation: Documentation/networking/tuntap.rst; readv(2) for struct iovec.
 *
 * @module
 */

import { MERGE_PACKETS, Merger, VNET_OFFSET } from "../../offload/merger.ts";
import { Segmenter } from "../../offload/segmenter.ts";
import { STAGED_BYTES, STAGED_HEADER } from "../../offload/super_packet.ts";
import { VNET_HEADER_BYTES } from "../../offload/vnet_header.ts";
import { PACKET_OFFSET, type PacketPool } from "../../slab.ts";
import { addressOf, addressWords, slotAddresses } from "../ffi.ts";
import type { Libc } from "./libc.ts";
import { LinuxTun, packetLengths } from "./tun_device.ts";
import type { Offload } from "./tun_offload.ts";

const READ_BYTES = BigInt(STAGED_BYTES);
const LENGTHS = packetLengths(VNET_HEADER_BYTES);

/** struct iovec in words of 4 bytes: base 0:2, length 2:2; the upper half of a length stays 0. */
const IOVEC_WORDS = 4;
const IOVEC_LENGTH = 2;

/** Where a pool is in memory, as C wants it. */
class PoolAddresses {
  /** By slot: where the kernel's header goes, the packet behind it. */
  readonly frames: readonly bigint[];
  /** By slot: where it starts, in words. */
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly staging: bigint;

  constructor(readonly pool: PacketPool) {
    this.frames = slotAddresses(pool, VNET_OFFSET);
    const slots = slotAddresses(pool, 0).map(addressWords);
    this.low = Uint32Array.from(slots, ({ low }) => low);
    this.high = Uint32Array.from(slots, ({ high }) => high);
    this.staging = addressOf(pool.bytes) + BigInt(pool.stagingAt + STAGED_HEADER);
  }
}

/** An open TUN interface with offload. */
export class OffloadTun extends LinuxTun {
  readonly offload: string;
  readonly #segmenter = new Segmenter();
  readonly #merger: Merger;
  readonly #iovecs = new Uint32Array(MERGE_PACKETS * IOVEC_WORDS);
  readonly #iovecsAt = addressOf(this.#iovecs);
  #addresses: PoolAddresses | undefined;

  constructor(libc: Libc, fd: number, name: string, offload: Offload) {
    super(libc, fd, name);
    this.offload = offload.name;
    this.#merger = new Merger(offload.uso);
  }

  get oversizePackets(): number {
    return this.#segmenter.oversize;
  }

  get malformedPackets(): number {
    return this.#segmenter.malformed;
  }

  get backlog(): boolean {
    return this.#segmenter.pending;
  }

  read(pool: PacketPool, slots: Int32Array, limit: number): number {
    const { symbols } = this.libc;
    const segmenter = this.#segmenter;
    const { staging } = this.#addressesOf(pool);
    let count = segmenter.cut(pool, slots, 0, limit);
    while (count < limit && pool.available > 0) {
      const length = symbols.read(this.fd, staging, READ_BYTES);
      if (length <= 0) {
        this.checkRead(length);
        return count;
      }
      segmenter.load(pool, length);
      count = segmenter.cut(pool, slots, count, limit);
    }
    return count;
  }

  write(pool: PacketPool, slots: Int32Array, count: number): number {
    const addresses = this.#addressesOf(pool);
    let taken = 0;
    for (let from = 0; from < count; from += MERGE_PACKETS) {
      this.#merger.plan(pool, slots, from, Math.min(MERGE_PACKETS, count - from));
      for (let run = 0; run < this.#merger.count; run++) taken += this.#writeRun(addresses, run);
    }
    this.refusedPackets += count - taken;
    return taken;
  }

  /** Returns how many packets were taken: all of the run or none. */
  #writeRun(addresses: PoolAddresses, run: number): number {
    const merger = this.#merger;
    const { symbols } = this.libc;
    const { pool, frames } = addresses;
    if (!merger.finish(pool, run)) return 0;
    const packets = merger.packets[run]!;
    const slot = merger.slot[merger.first[run]!]!;
    let result: number;
    if (packets === 1) {
      result = symbols.write(this.fd, frames[slot]!, LENGTHS[pool.lengths[slot]!]!);
    } else {
      this.#gather(addresses, run);
      result = symbols.writev(this.fd, this.#iovecsAt, packets);
    }
    return result >= 0 ? packets : 0;
  }

  /** Lists the pieces of a run: the first packet with its headers, the payloads of the others. */
  #gather({ pool, low, high }: PoolAddresses, run: number): void {
    const merger = this.#merger;
    const iovecs = this.#iovecs;
    let from = VNET_OFFSET;
    let at = 0;
    for (let packet = merger.first[run]!; packet >= 0; packet = merger.next[packet]!) {
      const slot = merger.slot[packet]!;
      const address = low[slot]! + from;
      iovecs[at] = address;
      iovecs[at + 1] = high[slot]! + (address > 0xffff_ffff ? 1 : 0);
      iovecs[at + IOVEC_LENGTH] = PACKET_OFFSET + pool.lengths[slot]! - from;
      at += IOVEC_WORDS;
      from = PACKET_OFFSET + merger.headerBytes[run]!;
    }
  }

  #addressesOf(pool: PacketPool): PoolAddresses {
    if (this.#addresses?.pool !== pool) this.#addresses = new PoolAddresses(pool);
    return this.#addresses!;
  }
}
