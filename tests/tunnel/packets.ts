/**
 * Inner packets for the tests of the tunnel: real headers, and a number that identifies each.
 *
 * @module
 */

import { sumOfBytes } from "../../src/wire/checksum.ts";

/** Bytes of a packet that {@linkcode udp4} makes when nothing else is said. */
const LEAST_BYTES = 32;

/** What may differ between packets. */
export interface PacketOptions {
  readonly from?: string;
  readonly to?: string;
  readonly port?: number;
  readonly bytes?: number;
  readonly tos?: number;
}

/** A UDP packet over IPv4 that carries `number`. Ordered within the flow of its ports. */
export function udp4(number: number, options: PacketOptions = {}): Uint8Array {
  const { from = "10.7.0.1", to = "10.7.0.2", port = 4000, bytes = LEAST_BYTES } = options;
  const packet = new Uint8Array(bytes);
  const view = new DataView(packet.buffer);
  packet.set([0x45, options.tos ?? 0]);
  view.setUint16(2, bytes);
  packet.set([64, 17], 8);
  packet.set(addressOf(from), 12);
  packet.set(addressOf(to), 16);
  view.setUint16(10, ~sumOfBytes(packet, 0, 20));
  view.setUint16(20, port);
  view.setUint16(22, 5201);
  view.setUint16(24, bytes - 20);
  view.setUint32(28, number);
  return packet;
}

/** The smallest IPv6 packet: no next header. */
export function ip6(from: Uint8Array, to: Uint8Array): Uint8Array {
  const packet = new Uint8Array(40);
  packet[0] = 0x60;
  packet[6] = 59;
  packet.set(from, 8);
  packet.set(to, 24);
  return packet;
}

/** The number that {@linkcode udp4} was given. */
export function numberOf(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(28);
}

/** The numbers of several packets. */
export function numbersOf(packets: readonly Uint8Array[]): number[] {
  return packets.map(numberOf);
}

/** `[from, from + 1, ..., to - 1]`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

/** The bytes of a dotted IPv4 address. */
export function addressOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.split("."), Number);
}
