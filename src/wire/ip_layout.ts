/**
 * Where the fields of inner packets are, and the numbers in them: IPv4, IPv6, TCP, UDP and ICMP.
 *
 * Offsets are in bytes from the start of the header. All code that reads or writes a header uses
 * these.
 *
 * Sources: RFC 791 section 3.1, RFC 8200 section 3, RFC 9293 section 3.1, RFC 768, RFC 3168,
 * RFC 792, RFC 1191, RFC 4443.
 *
 * @module
 */

/** Bytes of an IPv4 header without options. */
export const IPV4_BYTES = 20;
export const IPV4_DSCP_ECN = 1;
export const IPV4_TOTAL_LENGTH = 2;
export const IPV4_IDENTIFICATION = 4;
/** Flags and fragment offset. */
export const IPV4_FRAGMENT = 6;
export const IPV4_TTL = 8;
export const IPV4_PROTOCOL = 9;
export const IPV4_CHECKSUM = 10;
export const IPV4_SOURCE = 12;
export const IPV4_DESTINATION = 16;
/** Of {@linkcode IPV4_FRAGMENT}: "more fragments" and the offset, which only fragments have. */
export const IPV4_IS_FRAGMENT = 0x3fff;
/** Of {@linkcode IPV4_FRAGMENT}: where a fragment begins, in units of 8 bytes. */
export const IPV4_OFFSET = 0x1fff;
/** Of {@linkcode IPV4_FRAGMENT}: "don't fragment". */
export const IPV4_DONT_FRAGMENT = 0x4000;
/** Of {@linkcode IPV4_FRAGMENT}: "more fragments". */
export const IPV4_MORE_FRAGMENTS = 0x2000;

/** Bytes of an IPv6 header. */
export const IPV6_BYTES = 40;
export const IPV6_PAYLOAD_LENGTH = 4;
export const IPV6_NEXT_HEADER = 6;
export const IPV6_HOP_LIMIT = 7;
export const IPV6_SOURCE = 8;
export const IPV6_DESTINATION = 24;

/** The ports that TCP and UDP begin with. */
export const SOURCE_PORT = 0;
export const DESTINATION_PORT = 2;

/** Bytes of a TCP header without options. */
export const TCP_BYTES = 20;
export const TCP_SEQUENCE = 4;
export const TCP_ACKNOWLEDGMENT = 8;
export const TCP_DATA_OFFSET = 12;
export const TCP_FLAGS = 13;
export const TCP_WINDOW = 14;
export const TCP_CHECKSUM = 16;
export const TCP_URGENT = 18;

/** Flags of TCP. */
export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const CWR = 0x80;

/** Bytes of a UDP header. */
export const UDP_BYTES = 8;
export const UDP_LENGTH = 4;
export const UDP_CHECKSUM = 6;

/** Bytes of the header of ICMP and ICMPv6; of an error message the packet follows. */
export const ICMP_BYTES = 8;
export const ICMP_TYPE = 0;
export const ICMP_CODE = 1;
export const ICMP_CHECKSUM = 2;
/** "Fragmentation needed" of ICMP: the MTU as 16 bits. */
export const ICMP_MTU = 6;
/** "Packet too big" of ICMPv6: the MTU as 32 bits. */
export const ICMP6_MTU = 4;

/** Protocols: IANA, Protocol Numbers. */
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMP6 = 58;

/** Smallest MTU that a link with IPv6 may have: RFC 8200 section 5. */
export const IPV6_MIN_MTU = 1280;

/** Returns the bytes of the TCP header that begins at `at`, options included. */
export function tcpHeaderBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at + TCP_DATA_OFFSET]! >> 4) * 4;
}

/** Returns the bytes of the IPv4 header that begins at `at`, options included. */
export function ipv4HeaderBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at]! & 0x0f) * 4;
}

/** Returns the IP version that the header at `at` says, 0 to 15. */
export function ipVersion(bytes: Uint8Array, at: number): number {
  return bytes[at]! >> 4;
}
