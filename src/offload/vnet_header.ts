/**
 * What is left to do to a packet, in virtio's terms; and its encoding, which a Linux TUN interface
 * with `IFF_VNET_HDR` puts in front of every packet.
 *
 * Source: struct virtio_net_hdr of <linux/virtio_net.h>; Virtual I/O Device (VIRTIO) 1.2,
 * section 5.1.6. The legacy layout has the byte order of the host: little-endian here.
 *
 * @module
 */

/** Bytes of the header. */
export const VNET_HEADER_BYTES = 10;
/** Flag: the checksum from `csumStart` to the end is missing; its place holds the pseudo header's sum. */
export const NEEDS_CSUM = 1;
/** Kinds of packets that are to be cut; UDP for both versions of IP. */
export const GSO = { none: 0, tcp4: 1, tcp6: 4, udp: 5 } as const;
/** Added to a kind of TCP: only the first segment has CWR. */
export const GSO_ECN = 0x80;

/** The fields. Reused. */
export class VnetHeader {
  flags = 0;
  /** One of {@linkcode GSO}, and {@linkcode GSO_ECN}. */
  gsoType = 0;
  /** Bytes of all headers; only a hint, to the kernel and to this program. */
  hdrLen = 0;
  /** Payload bytes of each segment but the last. */
  gsoSize = 0;
  /** Where the checksum begins, from the start of the packet. */
  csumStart = 0;
  /** Where it goes, from there. */
  csumOffset = 0;
}

/** Makes `header` say that nothing is left to do. */
export function clearVnetHeader(header: VnetHeader): void {
  header.flags = header.gsoType = header.gsoSize = 0;
  header.hdrLen = header.csumStart = header.csumOffset = 0;
}

/** Reads the header at `at`, which is whole. */
export function readVnetHeader(bytes: Uint8Array, at: number, header: VnetHeader): void {
  header.flags = bytes[at]!;
  header.gsoType = bytes[at + 1]!;
  header.hdrLen = readLittle(bytes, at + 2);
  header.gsoSize = readLittle(bytes, at + 4);
  header.csumStart = readLittle(bytes, at + 6);
  header.csumOffset = readLittle(bytes, at + 8);
}

/** Writes the header at `at`. */
export function writeVnetHeader(bytes: Uint8Array, at: number, header: Readonly<VnetHeader>): void {
  bytes[at] = header.flags;
  bytes[at + 1] = header.gsoType;
  writeLittle(bytes, at + 2, header.hdrLen);
  writeLittle(bytes, at + 4, header.gsoSize);
  writeLittle(bytes, at + 6, header.csumStart);
  writeLittle(bytes, at + 8, header.csumOffset);
}

function readLittle(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8;
}

function writeLittle(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}
