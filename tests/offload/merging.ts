/**
 * What the kernel gets from a merger, and what it does with that.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { Merger, MergeRules } from "../../src/offload/merger.ts";
import {
  GSO,
  GSO_ECN,
  NEEDS_CSUM,
  readVnetHeader,
  VNET_HEADER_BYTES,
  VnetHeader,
} from "../../src/offload/vnet_header.ts";
import { PACKET_OFFSET, type PacketPool } from "../../src/slab.ts";
import {
  bytesOf,
  checksumOffsetOf,
  headerBytesOf,
  ipBytesOf,
  packetFrom,
  segmentsOf,
  slowSum,
  TCP,
} from "./reference.ts";

/** A kernel that accepts everything and counts identifications: Linux. */
export const LINUX_RULES: MergeRules = { udp: true, renumbers: false, mostBytes: 65_535 };

/** One write: the header for the interface, and the packet or super-packet. */
export interface Write {
  readonly header: VnetHeader;
  readonly bytes: Uint8Array;
}

/** Merges the packets in `slots` and returns what would be written; undefined for what cannot. */
export function mergeSlots(
  merger: Merger,
  pool: PacketPool,
  slots: readonly number[],
): (Write | undefined)[] {
  merger.plan(pool, Int32Array.from(slots), 0, slots.length);
  return Array.from({ length: merger.count }, (_, run) => {
    if (!merger.finish(pool, run)) return undefined;
    const bytes: number[] = [];
    let isFirst = true;
    for (let i: number = merger.first[run]!; i >= 0; i = merger.next[i]!, isFirst = false) {
      const slot = merger.slot[i]!;
      const at = pool.at(slot) + PACKET_OFFSET +
        (isFirst ? -VNET_HEADER_BYTES : merger.headerBytes[run]!);
      bytes.push(...pool.bytes.subarray(at, pool.at(slot) + PACKET_OFFSET + pool.lengths[slot]!));
    }
    const header = new VnetHeader();
    readVnetHeader(Uint8Array.from(bytes), 0, header);
    return { header, bytes: Uint8Array.from(bytes.slice(VNET_HEADER_BYTES)) };
  });
}

/** The packets that a kernel sends on for one write, with every checksum in place. */
export function expand({ header, bytes }: Write): Uint8Array[] {
  checkVnetHeader({ header, bytes });
  if (header.flags === 0) return [bytes];
  if (header.gsoType === GSO.none) {
    const whole = bytes.slice();
    const sum = ~slowSum(bytes.subarray(header.csumStart)) & 0xffff;
    const value = sum === 0 && header.csumOffset === 6 ? 0xffff : sum;
    whole.set([value >> 8, value & 0xff], header.csumStart + header.csumOffset);
    return [whole];
  }
  const packet = packetFrom(bytes, "pseudo");
  assertEquals(
    [header.hdrLen, header.csumStart, header.csumOffset],
    [headerBytesOf(packet), ipBytesOf(packet), checksumOffsetOf(packet)],
  );
  const type = packet.protocol !== TCP ? GSO.udp : packet.version === 4 ? GSO.tcp4 : GSO.tcp6;
  assertEquals(header.gsoType, type);
  return segmentsOf(packet, header.gsoSize).map((segment) => bytesOf(segment));
}

/** Asserts what Linux asks of the header: `virtio_net_hdr_to_skb()` of <linux/virtio_net.h>. */
export function checkVnetHeader({ header, bytes }: Write): void {
  assert(header.hdrLen <= bytes.length);
  if ((header.flags & NEEDS_CSUM) !== 0) {
    assert(header.csumStart + header.csumOffset + 2 <= bytes.length);
  }
  if (header.gsoType === GSO.none) return;
  assertEquals(header.flags, NEEDS_CSUM);
  assertEquals(header.gsoType & GSO_ECN, 0);
  assert(header.gsoSize > 0 && header.gsoSize < bytes.length - header.hdrLen);
  assert(bytes.length <= 65_535);
}
