/**
 * What a router says when a packet is too large for the next line: ICMP "fragmentation needed"
 * (RFC 792, type 3 code 4, with the MTU of RFC 1191 section 4) and ICMPv6 "packet too big" (RFC
 * 4443 section 3.2, type 2).
 *
 * The line has no address. The answer comes from the address that the packet was
 * meant for, which the sender has a route to, so that no filter of reverse paths drops it.
 *
 * @module
 */

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const ICMP_HEADER = 8;
/** What RFC 792 quotes of a packet beyond its header; Linux' hosts need the ports. */
const QUOTED_BYTES = 8;
/** RFC 4443: as much of the packet as fits the least MTU. */
const IPV6_LEAST_MTU = 1280;
const HOP_LIMIT = 64;
const ICMP = 1;
const ICMPV6 = 58;
const UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;
const PACKET_TOO_BIG = 2;

/**
 * The answer to `packet`, which is larger than `mtu`; undefined when there is none: without "don't
 * fragment", to anything but the first fragment, and to errors of ICMP.
 */
export function tooBigAnswer(packet: Uint8Array, mtu: number): Uint8Array | undefined {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4) return answerIpv4(packet, mtu);
  return version === 6 ? answerIpv6(packet, mtu) : undefined;
}

function answerIpv4(packet: Uint8Array, mtu: number): Uint8Array | undefined {
  const headerBytes = ((packet[0] ?? 0) & 0xf) * 4;
  const flags = packet[6] ?? 0;
  const dontFragment = (flags & 0x40) !== 0;
  const isFirst = (flags & 0x1f) === 0 && packet[7] === 0;
  if (!dontFragment || !isFirst) return undefined;
  if (packet[9] === ICMP && isIcmpError(packet[headerBytes] ?? 0)) return undefined;
  const quoted = packet.subarray(0, headerBytes + QUOTED_BYTES);
  const answer = new Uint8Array(IPV4_HEADER + ICMP_HEADER + quoted.length);
  const view = new DataView(answer.buffer);
  answer[0] = 0x45;
  view.setUint16(2, answer.length);
  answer[8] = HOP_LIMIT;
  answer[9] = ICMP;
  answer.set(packet.subarray(16, 20), 12);
  answer.set(packet.subarray(12, 16), 16);
  view.setUint16(10, checksum(answer.subarray(0, IPV4_HEADER)));
  answer.set([UNREACHABLE, FRAGMENTATION_NEEDED], IPV4_HEADER);
  view.setUint16(IPV4_HEADER + 6, mtu);
  answer.set(quoted, IPV4_HEADER + ICMP_HEADER);
  view.setUint16(IPV4_HEADER + 2, checksum(answer.subarray(IPV4_HEADER)));
  return answer;
}

/** RFC 1122 section 3.2.2: no error is the answer to an error. */
function isIcmpError(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

function answerIpv6(packet: Uint8Array, mtu: number): Uint8Array | undefined {
  // Types below 128 are errors (RFC 4443 section 2.1).
  if (packet[6] === ICMPV6 && (packet[IPV6_HEADER] ?? 0) < 128) return undefined;
  const quoted = packet.subarray(0, IPV6_LEAST_MTU - IPV6_HEADER - ICMP_HEADER);
  const answer = new Uint8Array(IPV6_HEADER + ICMP_HEADER + quoted.length);
  const view = new DataView(answer.buffer);
  answer[0] = 0x60;
  view.setUint16(4, ICMP_HEADER + quoted.length);
  answer[6] = ICMPV6;
  answer[7] = HOP_LIMIT;
  answer.set(packet.subarray(24, 40), 8);
  answer.set(packet.subarray(8, 24), 24);
  answer[IPV6_HEADER] = PACKET_TOO_BIG;
  view.setUint32(IPV6_HEADER + 4, mtu);
  answer.set(quoted, IPV6_HEADER + ICMP_HEADER);
  const message = answer.subarray(IPV6_HEADER);
  // The pseudo-header: addresses, length, next header (RFC 8200 section 8.1).
  const pseudo = sum(answer.subarray(8, IPV6_HEADER)) + message.length + ICMPV6;
  view.setUint16(IPV6_HEADER + 2, checksum(message, pseudo));
  return answer;
}

/** The Internet checksum (RFC 1071) of `bytes`, whose own field is zero. */
function checksum(bytes: Uint8Array, start = 0): number {
  let total = start + sum(bytes);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += (bytes[i] ?? 0) << 8 | (bytes[i + 1] ?? 0);
  return total;
}
