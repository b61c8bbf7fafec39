/**
 * Inner packets as the core's classifier will read them: real IPv4, TCP, UDP
 * and ICMP headers. Payload is whatever the slot held; the TCP and UDP checksums are left at zero
 * since nobody on the way looks at them.
 *
 * The client is 10.7.0.1, the server 10.7.0.2. A flow is identified by its client port.
 *
 * @module
 */

/** Which end of the tunnel a host is. */
export type Side = 0 | 1;
export const CLIENT = 0;
export const SERVER = 1;

/** Bytes of headers that a packet of the simulator may have: the rest is payload. */
export const HEADER_BYTES = 100;
export const IPV4_BYTES = 20;
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const;
const SERVER_PORT = 5201;

/** Writes the IPv4 header of a packet that `side` sends. */
export function writeIpv4(
  out: Uint8Array,
  side: Side,
  protocol: number,
  totalBytes: number,
  id: number,
  tos = 0,
): void {
  out.fill(0, 0, IPV4_BYTES);
  out[0] = 0x45;
  out[1] = tos;
  write16(out, 2, totalBytes);
  write16(out, 4, id);
  out[6] = 0x40;
  out[8] = 64;
  out[9] = protocol;
  out[12] = out[16] = 10;
  out[13] = out[17] = 7;
  out[15] = side === CLIENT ? 1 : 2;
  out[19] = side === CLIENT ? 2 : 1;
  let sum = 0;
  for (let i = 0; i < IPV4_BYTES; i += 2) sum += read16(out, i);
  sum = (sum & 0xffff) + (sum >>> 16);
  write16(out, 10, ~(sum + (sum >>> 16)) & 0xffff);
}

/** Writes the two ports of TCP or UDP after the IPv4 header. */
export function writePorts(out: Uint8Array, side: Side, clientPort: number): void {
  write16(out, IPV4_BYTES, side === CLIENT ? clientPort : SERVER_PORT);
  write16(out, IPV4_BYTES + 2, side === CLIENT ? SERVER_PORT : clientPort);
}

/** Returns the client port (ICMP: the identifier) of the packet at `at`, which names its flow. */
export function flowPortOf(bytes: Uint8Array, at: number): number {
  if (bytes[at + 9] === PROTOCOL.icmp) return read16(bytes, at + IPV4_BYTES + 4);
  const fromClient = bytes[at + 15] === 1;
  return read16(bytes, at + IPV4_BYTES + (fromClient ? 0 : 2));
}

/** Returns the identification field of the IPv4 header at `at`. */
export function packetIdOf(bytes: Uint8Array, at: number): number {
  return read16(bytes, at + 4);
}

/** Reads and writes big-endian numbers. */
export function read16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

export function write16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}

export function read32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

export function write32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}

/** The MTU of "fragmentation needed" (RFC 1191 section 4); undefined for any other packet. */
export function tooBigMtu(bytes: Uint8Array, at: number): number | undefined {
  if (bytes[at + 9] !== PROTOCOL.icmp) return undefined;
  const isTooBig = bytes[at + IPV4_BYTES] === 3 && bytes[at + IPV4_BYTES + 1] === 4;
  return isTooBig ? read16(bytes, at + IPV4_BYTES + 6) : undefined;
}
