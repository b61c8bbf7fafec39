/**
 * Merges packets for the tunnel interface into super-packets, so that the kernel has one to handle
 * instead of dozens: what network drivers do under the name of GRO.
 *
 * A batch is divided into *runs*, each of which is one write: the first packet with its headers
 * changed in place, then the payloads of those that follow it. Nothing is copied. A run takes the
 * place of its first packet; a packet that does not continue its flow's run ends it, so order
 * within a flow is kept.
 *
 * Sources: those of mergeable.ts; virtio section 5.1.6 for what is written in front.
 *
 * @module
 */

import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { writeU16 } from "../wire/field.ts";
import {
  FIN,
  IPV4_BYTES,
  IPV4_TOTAL_LENGTH,
  IPV6_BYTES,
  IPV6_PAYLOAD_LENGTH,
  PROTOCOL_TCP,
  PSH,
  TCP_FLAGS,
  UDP_LENGTH,
} from "../wire/ip_layout.ts";
import { parseTransport, TransportInfo } from "../wire/transport.ts";
import { pseudoSum, writeIpv4Checksum } from "./checksum.ts";
import type { Framing } from "./framing.ts";
import {
  flowKey,
  haveSameIp,
  haveSameTcp,
  ID_STEP,
  idStep,
  isCandidate,
  isRight,
  isSameFlow,
  sequenceOf,
} from "./mergeable.ts";
import { clearVnetHeader, GSO, NEEDS_CSUM, VnetHeader } from "./vnet_header.ts";

/** Most packets of one batch. */
export const MERGE_PACKETS = 64;
/** Flows that can have an open run at a time. */
const OPEN_RUNS = 8;
const NONE = -1;

/** What the kernel does to super-packets. */
export interface MergeRules {
  /** Whether it takes those of UDP. */
  readonly udp: boolean;
  /**
   * Whether it chooses a new IPv4 identification for each packet that it cuts off. Otherwise it
   * counts, so only packets whose identifications count can be merged.
   */
  readonly renumbers: boolean;
  /** Bytes that one may have, at most 65,535: its length has 16 bits. */
  readonly mostBytes: number;
}

/** The runs of one batch. Reused: {@linkcode plan} overwrites them. */
export class Merger {
  /** How many runs there are. */
  count = 0;
  /** By run: its first packet, and how many it has. A packet is given by its place in the batch. */
  readonly first: Uint8Array = new Uint8Array(MERGE_PACKETS);
  readonly packets: Uint8Array = new Uint8Array(MERGE_PACKETS);
  /** By packet: its slot, and the next packet of its run, or -1. */
  readonly slot: Int32Array = new Int32Array(MERGE_PACKETS);
  readonly next: Int8Array = new Int8Array(MERGE_PACKETS);
  /** By run: bytes in front of the payload, in each of its packets. */
  readonly headerBytes: Uint8Array = new Uint8Array(MERGE_PACKETS);
  /** Bytes that a super-packet may have; never more than the kernel takes. */
  mostBytes: number;

  readonly #framing: Framing;
  readonly #rules: MergeRules;
  readonly #info = new TransportInfo();
  readonly #header = new VnetHeader();
  readonly #last = new Uint8Array(MERGE_PACKETS);
  readonly #totalBytes = new Uint32Array(MERGE_PACKETS);
  readonly #segmentBytes = new Uint16Array(MERGE_PACKETS);
  readonly #nextSequence = new Uint32Array(MERGE_PACKETS);
  readonly #idStep = new Uint8Array(MERGE_PACKETS);
  /** Whether the checksums of the run's first packet have been looked at. */
  readonly #verified = new Uint8Array(MERGE_PACKETS);
  /** Open runs and the keys of their flows; the oldest is replaced. */
  readonly #open = new Int8Array(OPEN_RUNS).fill(NONE);
  readonly #keys = new Int32Array(OPEN_RUNS);
  #oldest = 0;
  #isAnyOpen = false;

  /** @param framing what the interface wants in front of a packet */
  constructor(framing: Framing, rules: MergeRules) {
    this.#framing = framing;
    this.#rules = rules;
    this.mostBytes = rules.mostBytes;
  }

  /** Divides the packets in `slots[from]` to `slots[from + count - 1]`, at most 64, into runs. */
  plan(pool: PacketPool, slots: Int32Array, from: number, count: number): void {
    this.count = 0;
    this.#closeAll();
    for (let i = 0; i < count; i++) {
      this.slot[i] = slots[from + i]!;
      this.#add(pool, i);
    }
  }

  /**
   * Finishes the headers of `run`, and what the interface wants in front of the first packet.
   * Returns false when it cannot: a packet without checksum has no place for one.
   */
  finish(pool: PacketPool, run: number): boolean {
    const slot = this.slot[this.first[run]!]!;
    const at = pool.at(slot) + PACKET_OFFSET;
    const header = this.#header;
    clearVnetHeader(header);
    const isSuper = this.packets[run]! > 1;
    if (isSuper || pool.needsChecksum[slot] !== 0) {
      // The lengths in the headers are still those of the first packet.
      if (!parseTransport(pool.bytes, at, pool.lengths[slot]!, this.#info)) return false;
      if (isSuper) this.#writeSuper(pool, at, run);
      this.#leaveChecksum(pool, at, isSuper ? this.#totalBytes[run]! : pool.lengths[slot]!);
    }
    this.#framing.write(pool.bytes, at, header);
    return true;
  }

  #add(pool: PacketPool, packet: number): void {
    const info = this.#info;
    const slot = this.slot[packet]!;
    const at = pool.at(slot) + PACKET_OFFSET;
    if (!parseTransport(pool.bytes, at, pool.lengths[slot]!, info)) {
      // It may belong to any flow: a fragment does.
      this.#closeAll();
      this.#begin(pool, packet);
      return;
    }
    const key = flowKey(pool.words, at, info);
    const place = this.#isAnyOpen ? this.#findOpen(pool, key, at) : NONE;
    const isOne = isCandidate(pool, at, slot, info, this.#rules.udp);
    if (place !== NONE) {
      const run = this.#open[place]!;
      if (isOne && this.#continues(pool, run, at, slot)) {
        this.#append(pool, run, packet, at);
        if (this.#ends(pool, run, packet, at)) this.#open[place] = NONE;
        return;
      }
      this.#open[place] = NONE;
    }
    const run = this.#begin(pool, packet);
    if (isOne && !this.#ends(pool, run, packet, at)) this.#openRun(run, key, place);
  }

  /** Returns the place of the open run whose flow the packet at `at` belongs to, or -1. */
  #findOpen(pool: PacketPool, key: number, at: number): number {
    for (let place = 0; place < OPEN_RUNS; place++) {
      const run = this.#open[place]!;
      if (run === NONE || this.#keys[place] !== key) continue;
      if (isSameFlow(pool, this.#firstAt(pool, run), at, this.#info)) return place;
    }
    return NONE;
  }

  #continues(pool: PacketPool, run: number, at: number, slot: number): boolean {
    const info = this.#info;
    const first = this.#firstAt(pool, run);
    const payload = pool.lengths[slot]! - info.headerBytes;
    if (info.headerBytes !== this.headerBytes[run] || payload > this.#segmentBytes[run]!) {
      return false;
    }
    if (this.#totalBytes[run]! + payload > this.mostBytes) return false;
    if (!haveSameIp(pool, first, at, info)) return false;
    if (info.protocol === PROTOCOL_TCP) {
      if (sequenceOf(pool.bytes, at, info) !== this.#nextSequence[run]) return false;
      if (!haveSameTcp(pool, first, at, info)) return false;
    }
    return this.#followsId(pool, run, first, at) && this.#isVerified(pool, run, first) &&
      isRight(pool, at, slot, info);
  }

  #followsId(pool: PacketPool, run: number, first: number, at: number): boolean {
    if (this.#info.version === 6 || this.#rules.renumbers) return true;
    const step = idStep(pool.bytes, first, at, this.packets[run]!, this.#idStep[run]!);
    if (step === ID_STEP.unknown) return false;
    // If the packet is refused later on, the run ends, and its step no longer matters.
    this.#idStep[run] = step;
    return true;
  }

  /** The first packet's checksums matter only when there is a second packet. */
  #isVerified(pool: PacketPool, run: number, first: number): boolean {
    if (this.#verified[run] !== 0) return true;
    // The headers of all packets of a run are in the same places.
    if (!isRight(pool, first, this.slot[this.first[run]!]!, this.#info)) return false;
    this.#verified[run] = 1;
    return true;
  }

  #begin(pool: PacketPool, packet: number): number {
    const run = this.count++;
    const length = pool.lengths[this.slot[packet]!]!;
    this.first[run] = this.#last[run] = packet;
    this.packets[run] = 1;
    this.next[packet] = NONE;
    this.headerBytes[run] = this.#info.headerBytes;
    this.#totalBytes[run] = length;
    this.#segmentBytes[run] = Math.max(0, length - this.#info.headerBytes);
    this.#idStep[run] = ID_STEP.unknown;
    this.#verified[run] = 0;
    const at = this.#firstAt(pool, run);
    this.#nextSequence[run] = sequenceOf(pool.bytes, at, this.#info) + this.#segmentBytes[run]!;
    return run;
  }

  #append(pool: PacketPool, run: number, packet: number, at: number): void {
    const payload = pool.lengths[this.slot[packet]!]! - this.#info.headerBytes;
    this.next[this.#last[run]!] = packet;
    this.next[packet] = NONE;
    this.#last[run] = packet;
    this.packets[run] = this.packets[run]! + 1;
    this.#totalBytes[run] = this.#totalBytes[run]! + payload;
    this.#nextSequence[run] = sequenceOf(pool.bytes, at, this.#info) + payload;
  }

  /** Whether nothing may follow the run's newest packet: it is shorter, or its flags say so. */
  #ends(pool: PacketPool, run: number, packet: number, at: number): boolean {
    const payload = pool.lengths[this.slot[packet]!]! - this.#info.headerBytes;
    if (payload < this.#segmentBytes[run]!) return true;
    if (this.#info.protocol !== PROTOCOL_TCP) return false;
    return (pool.bytes[at + this.#info.ipBytes + TCP_FLAGS]! & (PSH | FIN)) !== 0;
  }

  /** @param place where the flow's last run was, or -1 */
  #openRun(run: number, key: number, place: number): void {
    let free = place;
    if (free === NONE) {
      free = this.#oldest;
      this.#oldest = (free + 1) % OPEN_RUNS;
    }
    this.#open[free] = run;
    this.#keys[free] = key;
    this.#isAnyOpen = true;
  }

  #closeAll(): void {
    if (!this.#isAnyOpen) return;
    this.#open.fill(NONE);
    this.#isAnyOpen = false;
  }

  #firstAt(pool: PacketPool, run: number): number {
    return pool.at(this.slot[this.first[run]!]!) + PACKET_OFFSET;
  }

  /** Makes the headers of the first packet those of the whole. */
  #writeSuper(pool: PacketPool, at: number, run: number): void {
    const info = this.#info;
    const header = this.#header;
    const { bytes } = pool;
    const total = this.#totalBytes[run]!;
    header.gsoSize = this.#segmentBytes[run]!;
    if (info.version === 4) {
      writeU16(bytes, at + IPV4_TOTAL_LENGTH, total);
      writeIpv4Checksum(pool, at, IPV4_BYTES);
    } else writeU16(bytes, at + IPV6_PAYLOAD_LENGTH, total - IPV6_BYTES);
    if (info.protocol === PROTOCOL_TCP) {
      header.gsoType = info.version === 4 ? GSO.tcp4 : GSO.tcp6;
      // Only the last segment can have PSH or FIN, and cutting leaves them to it.
      const lastSlot = this.slot[this.#last[run]!]!;
      const flagsAt = info.ipBytes + TCP_FLAGS;
      bytes[at + flagsAt] = bytes[at + flagsAt]! |
        bytes[pool.at(lastSlot) + PACKET_OFFSET + flagsAt]!;
    } else {
      header.gsoType = GSO.udp;
      writeU16(bytes, at + info.ipBytes + UDP_LENGTH, total - info.ipBytes);
    }
  }

  /** Leaves the transport checksum of a packet of `length` bytes to the kernel. */
  #leaveChecksum(pool: PacketPool, at: number, length: number): void {
    const { version, protocol, ipBytes, headerBytes, checksumAt } = this.#info;
    const header = this.#header;
    header.flags = NEEDS_CSUM;
    header.hdrLen = headerBytes;
    header.csumStart = ipBytes;
    header.csumOffset = checksumAt - ipBytes;
    const sum = pseudoSum(pool, at, version, protocol, length - ipBytes);
    writeU16(pool.bytes, at + checksumAt, sum);
  }
}
