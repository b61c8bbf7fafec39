/**
 * Batches of datagrams and slots with packets, for tests.
 *
 * @module
 */

import { parseAddress } from "../../../src/address.ts";
import { ReceiveBatch, TransmitBatch } from "../../../src/batch.ts";
import type { LinkSocket, Tun } from "../../../src/platform/platform.ts";
import { Remote, REMOTE_BYTES, remoteOf } from "../../../src/remote.ts";
import { PACKET_OFFSET, type PacketPool } from "../../../src/slab.ts";

/** Where a datagram goes. */
export function remoteAt(address: string, port: number): Remote {
  return remoteOf(parseAddress(address)!.bytes, port);
}

/** A batch with one datagram for each payload. */
export function batchOf(
  remote: Remote,
  ...payloads: readonly (readonly number[])[]
): TransmitBatch {
  const batch = new TransmitBatch();
  for (const payload of payloads) batch.append(Uint8Array.from(payload), remote);
  return batch;
}

/** Receives one batch, as what the core sees of it. */
export function receive(
  socket: LinkSocket,
  batch: ReceiveBatch = new ReceiveBatch(),
): { payload: number[]; remote: Remote }[] {
  const count = socket.receive(batch);
  return Array.from({ length: count }, (_, i) => ({
    payload: [...batch.slab.bytes.slice(batch.slab.at(i), batch.slab.at(i) + batch.lengths[i]!)],
    remote: new Remote(batch.remotes, i * REMOTE_BYTES),
  }));
}

/** Puts a packet into a slot. */
export function put(pool: PacketPool, packet: Uint8Array): number {
  const slot = pool.alloc();
  pool.bytes.set(packet, pool.at(slot) + PACKET_OFFSET);
  pool.lengths[slot] = packet.length;
  return slot;
}

/** Reads what waits, at most `limit` packets, as bytes; gives the slots back. */
export function readPackets(tun: Tun, pool: PacketPool, limit = 8): Uint8Array[] {
  const slots = new Int32Array(limit);
  const count = tun.read(pool, slots, limit);
  const packets = Array.from(slots.subarray(0, count), (slot) => pool.packet(slot).slice());
  for (const slot of slots.subarray(0, count)) pool.release(slot);
  return packets;
}

/** An IPv4 packet with nothing in it but its header. */
export const IPV4_PACKET: Uint8Array<ArrayBuffer> = Uint8Array.fromHex(
  "45000014000000004011000" + "00a2c2b010a2c2b02",
);
/** An IPv6 packet with nothing in it but its header. */
export const IPV6_PACKET: Uint8Array<ArrayBuffer> = Uint8Array.fromHex(
  "6000000000003b40" + "20010db8004400000000000000000001" + "20010db8004400000000000000000002",
);
