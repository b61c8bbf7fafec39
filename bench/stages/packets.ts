/**
 * Inner packets for the stages: IPv4 and TCP headers, and a payload that nobody reads.
 *
 * @module
 */

import { PACKET_OFFSET, type PacketPool } from "../../src/slab.ts";
import {
  IPV4_BYTES,
  PROTOCOL,
  SERVER,
  write16,
  writeIpv4,
  writePorts,
} from "../../tests/sim/packet.ts";

const TCP_BYTES = 20;
const TCP_DATA_OFFSET = 0x50;
const TCP_ACK = 0x10;
const FIRST_PORT = 30_000;

/** Smallest packet: headers alone, an acknowledgement. */
export const ACK_BYTES = IPV4_BYTES + TCP_BYTES;

/** Headers of a packet of `sizeBytes` of TCP flow number `flow`. */
export function tcpHeaders(sizeBytes: number, flow: number): Uint8Array {
  const headers = new Uint8Array(ACK_BYTES);
  writeIpv4(headers, SERVER, PROTOCOL.tcp, sizeBytes, 0);
  writePorts(headers, SERVER, FIRST_PORT + flow);
  headers[IPV4_BYTES + 12] = TCP_DATA_OFFSET;
  headers[IPV4_BYTES + 13] = TCP_ACK;
  write16(headers, IPV4_BYTES + 14, 0xffff);
  return headers;
}

/** Puts a packet of `sizeBytes` into `slot`. */
export function putPacket(
  pool: PacketPool,
  slot: number,
  headers: Uint8Array,
  sizeBytes: number,
): void {
  const at = pool.at(slot) + PACKET_OFFSET;
  for (let i = 0; i < ACK_BYTES; i++) pool.bytes[at + i] = headers[i]!;
  pool.lengths[slot] = sizeBytes;
}
