/**
 * Packets of one flow that differ in what may differ between them.
 *
 * @module
 */

import { sumOfBytes } from "../../src/wire/checksum.ts";
import { writeU16, writeU32 } from "../../src/wire/field.ts";

/** What changes from packet to packet of a flow. */
export interface Fields {
  readonly class?: number;
  readonly ttl?: number;
  readonly id?: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly checksum?: number;
  readonly options?: readonly number[];
  readonly payload?: readonly number[];
}

/** Two NOPs and time stamps. */
export function stamps(value: number, echo: number): number[] {
  const options = new Uint8Array(12);
  options.set([1, 1, 8, 10]);
  writeU32(options, 4, value);
  writeU32(options, 8, echo);
  return [...options];
}

function tcp(fields: Fields): Uint8Array {
  const { options = [], payload = [] } = fields;
  const segment = new Uint8Array(20 + options.length + payload.length);
  writeU32(segment, 0, 0x1f90_01bb);
  writeU32(segment, 4, fields.sequence ?? 0);
  writeU32(segment, 8, fields.acknowledgment ?? 0);
  segment[12] = 5 + options.length / 4 << 4;
  segment[13] = fields.flags ?? 0x10;
  writeU16(segment, 14, fields.window ?? 500);
  writeU16(segment, 16, fields.checksum ?? 0xbeef);
  segment.set([...options, ...payload], 20);
  return segment;
}

function udp({ checksum, payload = [] }: Fields): Uint8Array {
  const datagram = new Uint8Array(8 + payload.length);
  writeU32(datagram, 0, 0x1f90_01bb);
  writeU16(datagram, 4, datagram.length);
  writeU16(datagram, 6, checksum ?? 0xbeef);
  datagram.set(payload, 8);
  return datagram;
}

function ipv4(protocol: number, body: Uint8Array, fields: Fields): Uint8Array {
  const packet = new Uint8Array(20 + body.length);
  packet.set([0x45, fields.class ?? 0]);
  writeU16(packet, 2, packet.length);
  writeU16(packet, 4, fields.id ?? 0);
  packet.set([0x40, 0, fields.ttl ?? 64, protocol], 6);
  packet.set([10, 7, 0, 1, 10, 7, 0, 2], 12);
  writeU16(packet, 10, ~sumOfBytes(packet, 0, 20));
  packet.set(body, 20);
  return packet;
}

function ipv6(protocol: number, body: Uint8Array, fields: Fields): Uint8Array {
  const packet = new Uint8Array(40 + body.length);
  writeU32(packet, 0, 0x6001_2345 | (fields.class ?? 0) << 20);
  writeU16(packet, 4, body.length);
  packet.set([protocol, fields.ttl ?? 64], 6);
  packet.set([0xfd, 1], 8);
  packet.set([0xfd, 2], 24);
  packet.set(body, 40);
  return packet;
}

/** A packet of a flow of each kind. */
export const KINDS = {
  "TCP over IPv4": (fields: Fields) => ipv4(6, tcp(fields), fields),
  "TCP over IPv6": (fields: Fields) => ipv6(6, tcp(fields), fields),
  "UDP over IPv4": (fields: Fields) => ipv4(17, udp(fields), fields),
  "UDP over IPv6": (fields: Fields) => ipv6(17, udp(fields), fields),
} as const;
