/**
 * The TUN interface with offload: super-packets of up to 64 KiB cross it in one system call,
 * and no checksum is computed that the kernel can leave out.
 *
 * What is read goes to the staging memory of the pool and is cut there (offload/segmenter.ts).
 * What is written is gathered from the slots it lies in (offload/merger.ts): a single packet with
 * the kernel's bytes put in front of it, a super-packet by the list of its pieces.
 *
 * Source: readv(2) of both systems for struct iovec.
 *
 * @module
 */

import type { Framing } from "../offload/framing.ts";
import { MERGE_PACKETS, Merger, type MergeRules } from "../offload/merger.ts";
import { Segmenter } from "../offload/segmenter.ts";
import { stagedBytes, stagedOffset } from "../offload/super_packet.ts";
import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { addressOf, addressWords, slotAddresses } from "./ffi.ts";
import { DeviceTun, packetLengths, type TunDevice } from "./tun_device.ts";

/** What an interface has. */
export interface TunOffload {
  /** For people. */
  readonly name: string;
  readonly framing: Framing;
  /** What the kernel does to the super-packets that are written. */
  readonly rules: MergeRules;
}

/** struct iovec in words of 4 bytes: base 0:2, length 2:2; the upper half of a length stays 0. */
const IOVEC_WORDS = 4;
const IOVEC_LENGTH = 2;

/**
 * Bytes of a super-packet once the kernel had no memory for a larger one. OpenBSD, which puts a
 * packet into one piece of memory, has pieces of 16 and of 64 KiB; the former may be available when
 * the latter no longer are.
 */
export const MODEST_SUPER_BYTES = 16_000;

/** Where a pool is in memory, as C wants it. */
class PoolAddresses {
  /** By slot: where the kernel's bytes go, followed by the packet. */
  readonly frames: readonly bigint[];
  /** By slot: where it starts, in words. */
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly staging: bigint;

  constructor(readonly pool: PacketPool, framing: Framing) {
    this.frames = slotAddresses(pool, PACKET_OFFSET - framing.bytes);
    const slots = slotAddresses(pool, 0).map(addressWords);
    this.low = Uint32Array.from(slots, ({ low }) => low);
    this.high = Uint32Array.from(slots, ({ high }) => high);
    this.staging = addressOf(pool.bytes) + BigInt(pool.stagingAt + stagedOffset(framing));
  }
}

/** An open TUN interface with offload. */
export class OffloadTun extends DeviceTun {
  readonly offload: string;
  readonly #framing: Framing;
  readonly #segmenter: Segmenter;
  readonly #merger: Merger;
  readonly #readBytes: bigint;
  readonly #writeBytes: readonly bigint[];
  readonly #iovecs = new Uint32Array(MERGE_PACKETS * IOVEC_WORDS);
  readonly #iovecsAt = addressOf(this.#iovecs);
  #addresses: PoolAddresses | undefined;

  constructor(device: TunDevice, { name, framing, rules }: TunOffload) {
    super(device);
    this.offload = name;
    this.#framing = framing;
    this.#segmenter = new Segmenter(framing);
    this.#merger = new Merger(framing, rules);
    this.#readBytes = BigInt(stagedBytes(framing));
    this.#writeBytes = packetLengths(framing.bytes);
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
    const { calls } = this.device;
    const segmenter = this.#segmenter;
    const { staging } = this.#addressesOf(pool);
    let count = segmenter.cut(pool, slots, 0, limit);
    while (count < limit && pool.available > 0) {
      const length = calls.read(this.fd, staging, this.#readBytes);
      if (length <= 0) {
        this.device.checkRead(length);
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
    const { calls } = this.device;
    const { pool, frames } = addresses;
    if (!merger.finish(pool, run)) return 0;
    const packets = merger.packets[run]!;
    const slot = merger.slot[merger.first[run]!]!;
    if (packets === 1) {
      const bytes = this.#writeBytes[pool.lengths[slot]!]!;
      return calls.write(this.fd, frames[slot]!, bytes) >= 0 ? 1 : 0;
    }
    this.#gather(addresses, run);
    if (calls.writev(this.fd, this.#iovecsAt, packets) >= 0) return packets;
    if (this.device.lacksMemory()) merger.mostBytes = MODEST_SUPER_BYTES;
    return 0;
  }

  /** Lists the pieces of a run: the first packet with its headers, the payloads of the others. */
  #gather({ pool, low, high }: PoolAddresses, run: number): void {
    const merger = this.#merger;
    const iovecs = this.#iovecs;
    let from = PACKET_OFFSET - this.#framing.bytes;
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
    if (this.#addresses?.pool !== pool) this.#addresses = new PoolAddresses(pool, this.#framing);
    return this.#addresses!;
  }
}
