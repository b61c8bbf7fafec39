/**
 * What was read from a TUN interface with offload: a packet, or a *super-packet*, whose headers
 * stand for many segments, and what the kernel says is left to do.
 *
 * The kernel is trusted no more than the network: any inconsistent combination of header and packet
 * counts as malformed, and none of it is used.
 *
 * @module
 */

import { PACKET_OFFSET, type PacketPool, STAGING_BYTES } from "../slab.ts";
import { readU16 } from "../wire/field.ts";
import {
  IPV4_BYTES,
  IPV4_FRAGMENT,
  IPV4_IS_FRAGMENT,
  IPV4_PROTOCOL,
  ipv4HeaderBytes,
  IPV6_BYTES,
  IPV6_NEXT_HEADER,
  ipVersion,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  TCP_BYTES,
  TCP_CHECKSUM,
  tcpHeaderBytes,
  UDP_BYTES,
  UDP_CHECKSUM,
} from "../wire/ip_layout.ts";
import type { Framing } from "./framing.ts";
import { GSO, GSO_ECN, NEEDS_CSUM, VnetHeader } from "./vnet_header.ts";

/** Returns where in a pool's staging memory the interface's bytes go, followed by the packet. */
export function stagedOffset(framing: Framing): number {
  return PACKET_OFFSET - framing.bytes;
}

/** Returns how many bytes may be read there, the interface's included. */
export function stagedBytes(framing: Framing): number {
  return STAGING_BYTES - stagedOffset(framing);
}

/** The packet in the staging memory of a pool. Reused. */
export class SuperPacket {
  /** Where it starts in the pool's memory. */
  at = 0;
  length = 0;
  version: 4 | 6 = 4;
  /** TCP or UDP when it is to be cut, else 0. */
  protocol = 0;
  /** Bytes in front of the transport header. */
  ipBytes = 0;
  /** Bytes in front of the payload. */
  headerBytes = 0;
  /** Payload bytes of each segment but the last. */
  segmentBytes = 0;
  /** Whether the checksum is missing, and where it begins and belongs, from the start. */
  needsChecksum = false;
  checksumFrom = 0;
  checksumAt = 0;
  /** Whether its segments are of the kind whose checksum may stay unfilled (wire/transport.ts). */
  plain = false;
  readonly #header = new VnetHeader();
  readonly #framing: Framing;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** Looks at the `length` bytes, framing and packet, in the staging memory. False: malformed. */
  parse(pool: PacketPool, length: number): boolean {
    const header = this.#header;
    this.at = pool.stagingAt + PACKET_OFFSET;
    this.length = length - this.#framing.bytes;
    if (this.length < 1 || length > stagedBytes(this.#framing)) return false;
    if (!this.#framing.read(pool, this.at, this.length, header)) return false;
    this.needsChecksum = (header.flags & NEEDS_CSUM) !== 0;
    this.checksumFrom = header.csumStart;
    this.checksumAt = header.csumStart + header.csumOffset;
    this.protocol = 0;
    if (this.needsChecksum && this.checksumAt + 2 > this.length) return false;
    return header.gsoType === GSO.none || this.#parseGso(pool.bytes);
  }

  /** Payload bytes. */
  get payloadBytes(): number {
    return this.length - this.headerBytes;
  }

  #parseGso(bytes: Uint8Array): boolean {
    const { gsoSize, csumStart } = this.#header;
    this.segmentBytes = gsoSize;
    this.ipBytes = csumStart;
    return this.needsChecksum && gsoSize > 0 && this.#parseIp(bytes) && this.#parseKind(bytes) &&
      this.payloadBytes > 0;
  }

  /** The IP header, extensions included, must end where the checksum begins. */
  #parseIp(bytes: Uint8Array): boolean {
    const { at, ipBytes } = this;
    if (ipVersion(bytes, at) === 4) {
      this.version = 4;
      this.plain = ipBytes === IPV4_BYTES;
      return ipBytes >= IPV4_BYTES && ipv4HeaderBytes(bytes, at) === ipBytes &&
        (readU16(bytes, at + IPV4_FRAGMENT) & IPV4_IS_FRAGMENT) === 0;
    }
    this.version = 6;
    this.plain = ipBytes === IPV6_BYTES;
    // Extension headers are multiples of 8 bytes (RFC 8200 section 4).
    return ipVersion(bytes, at) === 6 && ipBytes >= IPV6_BYTES && (ipBytes & 7) === 0;
  }

  /** The kind that the kernel names must be that of the packet. */
  #parseKind(bytes: Uint8Array): boolean {
    const { gsoType, csumOffset } = this.#header;
    const isTcp = (gsoType & ~GSO_ECN) === (this.version === 4 ? GSO.tcp4 : GSO.tcp6);
    if (!isTcp && gsoType !== GSO.udp) return false;
    this.protocol = isTcp ? PROTOCOL_TCP : PROTOCOL_UDP;
    if (csumOffset !== (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM)) return false;
    const named = bytes[this.at + (this.version === 4 ? IPV4_PROTOCOL : IPV6_NEXT_HEADER)]!;
    if ((this.version === 4 || this.plain) && named !== this.protocol) return false;
    if (!isTcp) this.headerBytes = this.ipBytes + UDP_BYTES;
    else {
      if (this.ipBytes + TCP_BYTES > this.length) return false;
      const tcpBytes = tcpHeaderBytes(bytes, this.at + this.ipBytes);
      if (tcpBytes < TCP_BYTES) return false;
      this.headerBytes = this.ipBytes + tcpBytes;
    }
    return true;
  }
}
