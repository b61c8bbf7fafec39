/**
 * TCP and UDP packets as plain values, and what cutting does to them: slow, obvious, and written
 * from the RFCs alone, for the tests to compare with the fast code.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";

export const TCP = 6;
export const UDP = 17;
export const FLAG = {
  fin: 1,
  syn: 2,
  rst: 4,
  psh: 8,
  ack: 16,
  urg: 32,
  ece: 64,
  cwr: 128,
} as const;

/** A packet. Numbers of the other version or protocol are ignored. */
export interface Packet {
  readonly version: 4 | 6;
  readonly protocol: number;
  /** 4 or 16 bytes each. */
  readonly source: readonly number[];
  readonly destination: readonly number[];
  /** TOS or traffic class. */
  readonly tos: number;
  readonly ttl: number;
  /** IPv4: identification, "don't fragment", options in whole words. */
  readonly id: number;
  readonly df: boolean;
  readonly ipOptions: readonly number[];
  /** IPv6: flow label, and a destination options header of whole 8 bytes or nothing. */
  readonly label: number;
  readonly extension: readonly number[];
  readonly ports: readonly [number, number];
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly tcpOptions: readonly number[];
  readonly payload: Uint8Array;
}

/** What goes into the field of the transport checksum. */
export type Field = "right" | "pseudo" | "zero" | "wrong";

/** An ordinary TCP segment over IPv4, with `changes`. */
export function packetOf(changes: Partial<Packet> = {}): Packet {
  const version = changes.version ?? 4;
  const tail = version === 4 ? [] : new Array(10).fill(0);
  return {
    version,
    protocol: TCP,
    source: version === 4 ? [192, 0, 2, 1] : [0x20, 1, 0xd, 0xb8, ...tail, 0, 1],
    destination: version === 4 ? [198, 51, 100, 2] : [0x20, 1, 0xd, 0xb8, ...tail, 0, 2],
    tos: 0,
    ttl: 64,
    id: 100,
    df: true,
    ipOptions: [],
    label: 0x12345,
    extension: [],
    ports: [1000, 2000],
    sequence: 5000,
    acknowledgment: 7000,
    flags: FLAG.ack,
    window: 500,
    urgent: 0,
    tcpOptions: [],
    payload: new Uint8Array(0),
    ...changes,
  };
}

/** `length` bytes that depend on their position. */
export function payloadOf(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
}

function u16(value: number): number[] {
  return [value >>> 8 & 0xff, value & 0xff];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

/** The folded sum of bytes as 16-bit words (RFC 1071). */
export function slowSum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

function pseudoHeader(packet: Packet, length: number): number[] {
  const addresses = [...packet.source, ...packet.destination];
  return packet.version === 4
    ? [...addresses, 0, packet.protocol, ...u16(length)]
    : [...addresses, ...u32(length), 0, 0, 0, packet.protocol];
}

/** Bytes in front of the payload. */
export function headerBytesOf(packet: Packet): number {
  return ipBytesOf(packet) + (packet.protocol === TCP ? 20 + packet.tcpOptions.length : 8);
}

/** Bytes in front of the transport header. */
export function ipBytesOf({ version, ipOptions, extension }: Packet): number {
  return version === 4 ? 20 + ipOptions.length : 40 + extension.length;
}

/** Where the checksum is in the transport header. */
export function checksumOffsetOf({ protocol }: Packet): number {
  return protocol === TCP ? 16 : 6;
}

/** The packet as bytes. */
export function bytesOf(packet: Packet, field: Field = "right"): Uint8Array {
  const transport = transportOf(packet);
  const at = checksumOffsetOf(packet);
  const pseudo = slowSum(pseudoHeader(packet, transport.length));
  let sum = ~slowSum([...u16(pseudo), ...transport]) & 0xffff;
  if (packet.protocol === UDP && sum === 0) sum = 0xffff;
  const value = { right: sum, pseudo, zero: 0, wrong: sum ^ 0x5555 }[field];
  transport.set(u16(value), at);
  return Uint8Array.from([...ipHeaderOf(packet, transport.length), ...transport]);
}

function transportOf(packet: Packet): Uint8Array {
  const { ports, payload } = packet;
  const head = packet.protocol === TCP
    ? [
      ...u16(ports[0]),
      ...u16(ports[1]),
      ...u32(packet.sequence),
      ...u32(packet.acknowledgment),
      (5 + packet.tcpOptions.length / 4) * 16,
      packet.flags,
      ...u16(packet.window),
      ...[0, 0],
      ...u16(packet.urgent),
      ...packet.tcpOptions,
    ]
    : [...u16(ports[0]), ...u16(ports[1]), ...u16(8 + payload.length), 0, 0];
  return Uint8Array.from([...head, ...payload]);
}

function ipHeaderOf(packet: Packet, transportBytes: number): number[] {
  const { source, destination } = packet;
  if (packet.version === 6) {
    const next = packet.extension.length > 0 ? 60 : packet.protocol;
    const first = 6 * 2 ** 28 + packet.tos * 2 ** 20 + packet.label;
    const length = packet.extension.length + transportBytes;
    const head = [...u32(first), ...u16(length & 0xffff), next, packet.ttl];
    return [...head, ...source, ...destination, ...packet.extension];
  }
  const words = 5 + packet.ipOptions.length / 4;
  const header = [
    0x40 + words,
    packet.tos,
    ...u16(words * 4 + transportBytes & 0xffff),
    ...u16(packet.id),
    packet.df ? 0x40 : 0,
    0,
    packet.ttl,
    packet.protocol,
    0,
    0,
    ...source,
    ...destination,
    ...packet.ipOptions,
  ];
  header.splice(10, 2, ...u16(~slowSum(header) & 0xffff));
  return header;
}

/** The packets that a super-packet stands for. */
export function segmentsOf(packet: Packet, size: number): Packet[] {
  const segments: Packet[] = [];
  for (let offset = 0; offset < packet.payload.length; offset += size) {
    const isLast = offset + size >= packet.payload.length;
    const isUrgent = (packet.flags & FLAG.urg) !== 0 && (packet.urgent > offset || offset === 0);
    let flags = packet.flags;
    if (!isLast) flags &= ~(FLAG.fin | FLAG.psh);
    if (offset > 0) flags &= ~FLAG.cwr;
    if (!isUrgent) flags &= ~FLAG.urg;
    const urgent = (packet.flags & FLAG.urg) === 0
      ? packet.urgent
      : Math.max(0, packet.urgent - offset);
    segments.push({
      ...packet,
      id: packet.id + segments.length & 0xffff,
      sequence: (packet.sequence + offset) % 2 ** 32,
      flags,
      urgent,
      payload: packet.payload.slice(offset, offset + size),
    });
  }
  return segments;
}

/** Reads a packet with right lengths and, unless `field` says otherwise, right checksums. */
export function packetFrom(bytes: Uint8Array, field: Field = "right"): Packet {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = bytes[0]! >> 4;
  assert(version === 4 || version === 6, `IP version ${version}`);
  const next = version === 4 ? bytes[9]! : bytes[6]!;
  const extensionBytes = version === 6 && next === 60 ? (bytes[41]! + 1) * 8 : 0;
  const ipBytes = version === 4 ? (bytes[0]! & 15) * 4 : 40 + extensionBytes;
  const protocol = extensionBytes > 0 ? bytes[40]! : next;
  assert(protocol === TCP || protocol === UDP, `protocol ${protocol}`);
  const isTcp = protocol === TCP;
  const headerBytes = isTcp ? ipBytes + (bytes[ipBytes + 12]! >> 4) * 4 : ipBytes + 8;
  const packet: Packet = {
    version,
    protocol,
    source: [...version === 4 ? bytes.subarray(12, 16) : bytes.subarray(8, 24)],
    destination: [...version === 4 ? bytes.subarray(16, 20) : bytes.subarray(24, 40)],
    tos: version === 4 ? bytes[1]! : view.getUint16(0) >> 4 & 0xff,
    ttl: version === 4 ? bytes[8]! : bytes[7]!,
    id: version === 4 ? view.getUint16(4) : 0,
    df: version === 4 && (bytes[6]! & 0x40) !== 0,
    ipOptions: version === 4 ? [...bytes.subarray(20, ipBytes)] : [],
    label: version === 6 ? view.getUint32(0) & 0xf_ffff : 0,
    extension: version === 6 ? [...bytes.subarray(40, ipBytes)] : [],
    ports: [view.getUint16(ipBytes), view.getUint16(ipBytes + 2)],
    sequence: isTcp ? view.getUint32(ipBytes + 4) : 0,
    acknowledgment: isTcp ? view.getUint32(ipBytes + 8) : 0,
    flags: isTcp ? bytes[ipBytes + 13]! : 0,
    window: isTcp ? view.getUint16(ipBytes + 14) : 0,
    urgent: isTcp ? view.getUint16(ipBytes + 18) : 0,
    tcpOptions: isTcp ? [...bytes.subarray(ipBytes + 20, headerBytes)] : [],
    payload: bytes.slice(headerBytes),
  };
  assertEquals(bytes, bytesOf(packet, field), "a length or a checksum is wrong");
  return packet;
}
