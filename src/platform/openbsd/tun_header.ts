/**
 * What tun(4) puts in front of a packet: its address family, and with TUNSCAP a header that says
 * what is left to do to the packet.
 *
 *     without    family                                    4 bytes, network order
 *     with       flags, padding, vtag, mss, family         4 times 2 bytes of the host, 4 as above
 *
 * What the header asks for and how it is interpreted, in sys/net/if_tun.c and what that calls:
 *
 * - A checksum left to compute: the kernel computes it, pseudo header included, when it sends the
 *   packet on (in_proto_cksum_out() of netinet/ip_output.c), and takes it to be right when the
 *   packet is for itself (`M_TCP_CSUM_IN_OK`). What the field holds does not matter, except that a
 *   UDP datagram over IPv6 with 0 in it has no checksum and is dropped (netinet/udp_usrreq.c).
 * - `TUN_H_TCP_MSS`: a super-packet, with `mss` bytes of payload in each segment. It is cut when it
 *   is sent on (tcp_softtso_chop() of netinet/tcp_output.c, or a network card), and delivered whole
 *   locally. Only TCP directly after an IPv6 header or an IPv4 header without options can be one.
 * - The kernel hands out only what the capabilities of the interface say, in the same form, except
 *   that in a super-packet the pseudo header's sum leaves out the length.
 *
 * A super-packet larger than the MTU of its outgoing interface is cut as its header says, if that
 * is less than this MTU; the headers are not counted (tcp_if_output_tso()).
 *
 * Sources: sys/net/if_tun.h 1.18, sys/net/if_tun.c 1.252, tun(4).
 *
 * @module
 */

import { writeIpv4Checksum } from "../../offload/checksum.ts";
import type { Framing } from "../../offload/framing.ts";
import { clearVnetHeader, GSO, NEEDS_CSUM, type VnetHeader } from "../../offload/vnet_header.ts";
import type { PacketPool } from "../../slab.ts";
import {
  IPV4_BYTES,
  ipv4HeaderBytes,
  ipVersion,
  PROTOCOL_TCP,
  TCP_CHECKSUM,
} from "../../wire/ip_layout.ts";
import { parseTransport, TransportInfo } from "../../wire/transport.ts";
import {
  AF_INET,
  AF_INET6,
  TUN_H_ICMP_CSUM,
  TUN_H_IPV4_CSUM,
  TUN_H_TCP_CSUM,
  TUN_H_TCP_MSS,
  TUN_H_UDP_CSUM,
} from "./constants.ts";
import { TUN_HDR_BYTES, TUN_HDR_FLAGS, TUN_HDR_MSS } from "./structures.ts";

/** Bytes of the address family in front of a packet. */
const FAMILY_BYTES = 4;
/** Bytes of header and family. */
const HEADER_BYTES = TUN_HDR_BYTES + FAMILY_BYTES;
/** What is left to do to the transport header and what follows it. */
const TRANSPORT = TUN_H_TCP_MSS | TUN_H_TCP_CSUM | TUN_H_UDP_CSUM;

/** The address family alone. */
export const FAMILY_FRAMING: Framing = {
  bytes: FAMILY_BYTES,
  write: (bytes, at) => writeFamily(bytes, at),
  read: ({ bytes }, at) => isIp(bytes, at),
};

const info = new TransportInfo();

/** The header of TUNSCAP and the address family. */
export const OFFLOAD_FRAMING: Framing = {
  bytes: HEADER_BYTES,
  write(bytes, at, header): void {
    const to = at - HEADER_BYTES;
    bytes.fill(0, to, to + TUN_HDR_BYTES);
    let flags = 0;
    if ((header.flags & NEEDS_CSUM) !== 0) {
      flags = header.csumOffset === TCP_CHECKSUM ? TUN_H_TCP_CSUM : TUN_H_UDP_CSUM;
    }
    if (header.gsoType !== GSO.none) flags |= TUN_H_TCP_MSS;
    writeHost(bytes, to + TUN_HDR_FLAGS, flags);
    writeHost(bytes, to + TUN_HDR_MSS, header.gsoSize);
    writeFamily(bytes, at);
  },
  read(pool, at, length, header): boolean {
    const { bytes } = pool;
    const from = at - HEADER_BYTES;
    clearVnetHeader(header);
    if (!isIp(bytes, at)) return false;
    const flags = readHost(bytes, from + TUN_HDR_FLAGS);
    // The kernel computes that of ICMP itself.
    if ((flags & TUN_H_ICMP_CSUM) !== 0) return false;
    if ((flags & TUN_H_IPV4_CSUM) !== 0 && !fillIpv4(pool, at, length)) return false;
    if ((flags & TRANSPORT) === 0) return true;
    if (!parseTransport(bytes, at, length, info)) return false;
    const mss = readHost(bytes, from + TUN_HDR_MSS);
    return readTransport(flags, mss, length, header);
  },
};

/** Reads what is left to do to the packet that `info` describes. */
function readTransport(flags: number, mss: number, length: number, header: VnetHeader): boolean {
  const isTcp = info.protocol === PROTOCOL_TCP;
  if ((flags & (isTcp ? TUN_H_UDP_CSUM : TUN_H_TCP_CSUM | TUN_H_TCP_MSS)) !== 0) return false;
  header.flags = NEEDS_CSUM;
  header.hdrLen = info.headerBytes;
  header.csumStart = info.ipBytes;
  header.csumOffset = info.checksumAt - info.ipBytes;
  if ((flags & TUN_H_TCP_MSS) === 0) return true;
  if (mss === 0) return false;
  // What fits one segment is no super-packet, though it claims to be.
  if (length - info.headerBytes <= mss) return true;
  header.gsoType = info.version === 4 ? GSO.tcp4 : GSO.tcp6;
  header.gsoSize = mss;
  return true;
}

/** Fills in the IPv4 header's checksum, if there is such a header. */
function fillIpv4(pool: PacketPool, at: number, length: number): boolean {
  const headerBytes = ipv4HeaderBytes(pool.bytes, at);
  const isIpv4 = ipVersion(pool.bytes, at) === 4 && headerBytes >= IPV4_BYTES &&
    headerBytes <= length;
  if (isIpv4) writeIpv4Checksum(pool, at, headerBytes);
  return isIpv4;
}

/** Writes the address family in front of the packet at `at`. */
function writeFamily(bytes: Uint8Array, at: number): void {
  bytes[at - 4] = bytes[at - 3] = bytes[at - 2] = 0;
  bytes[at - 1] = ipVersion(bytes, at) === 6 ? AF_INET6 : AF_INET;
}

function isIp(bytes: Uint8Array, at: number): boolean {
  return bytes[at - 1] === AF_INET || bytes[at - 1] === AF_INET6;
}

/** The machines that Deno runs on under OpenBSD are little-endian. */
function readHost(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8;
}

function writeHost(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}
