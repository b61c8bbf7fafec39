/**
 * What a kernel would put into the staging memory, and what results from it.
 *
 * @module
 */

import { fillChecksum } from "../../src/offload/checksum.ts";
import type { Segmenter } from "../../src/offload/segmenter.ts";
import {
  GSO,
  GSO_ECN,
  NEEDS_CSUM,
  VNET_HEADER_BYTES,
  VnetHeader,
  writeVnetHeader,
} from "../../src/offload/vnet_header.ts";
import { PACKET_OFFSET, type PacketPool } from "../../src/slab.ts";
import {
  bytesOf,
  checksumOffsetOf,
  FLAG,
  headerBytesOf,
  ipBytesOf,
  type Packet,
  TCP,
} from "./reference.ts";

/** The header of a super-packet with segments of `size`, or, without one, of a packet without checksum. */
export function headerOf(packet: Packet, size = 0): VnetHeader {
  const header = new VnetHeader();
  const ecn = (packet.flags & FLAG.cwr) === 0 ? 0 : GSO_ECN;
  header.flags = NEEDS_CSUM;
  header.hdrLen = headerBytesOf(packet);
  header.csumStart = ipBytesOf(packet);
  header.csumOffset = checksumOffsetOf(packet);
  header.gsoSize = size;
  if (size === 0) return header;
  if (packet.protocol !== TCP) header.gsoType = GSO.udp;
  else header.gsoType = (packet.version === 4 ? GSO.tcp4 : GSO.tcp6) | ecn;
  return header;
}

/** Puts header and packet into the staging memory; returns the length of both. */
export function stage(pool: PacketPool, header: VnetHeader, packet: Uint8Array): number {
  writeVnetHeader(pool.bytes, pool.stagingAt + PACKET_OFFSET - VNET_HEADER_BYTES, header);
  pool.bytes.set(packet, pool.stagingAt + PACKET_OFFSET);
  return VNET_HEADER_BYTES + packet.length;
}

/** Stages a super-packet. */
export function stageSuper(pool: PacketPool, packet: Packet, size: number): number {
  return stage(pool, headerOf(packet, size), bytesOf(packet, "pseudo"));
}

/** Puts a packet into a slot of its own. */
export function put(pool: PacketPool, packet: Uint8Array, needsChecksum = false): number {
  const slot = pool.alloc();
  pool.bytes.set(packet, pool.at(slot) + PACKET_OFFSET);
  pool.lengths[slot] = packet.length;
  pool.needsChecksum[slot] = needsChecksum ? 1 : 0;
  return slot;
}

/** Cuts what is pending, `room` packets at a time, fills in checksums, and returns the slots. */
export function cutAll(segmenter: Segmenter, pool: PacketPool, room = 64): Uint8Array[] {
  const slots = new Int32Array(room);
  const packets: Uint8Array[] = [];
  while (segmenter.pending) {
    const count = segmenter.cut(pool, slots, 0, room);
    for (const slot of slots.subarray(0, count)) {
      if (pool.needsChecksum[slot] !== 0) fillChecksum(pool, slot);
      packets.push(pool.packet(slot).slice());
      pool.release(slot);
    }
  }
  return packets;
}
