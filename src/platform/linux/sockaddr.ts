/**
 * Socket addresses between the kernel's form and ours (`src/remote.ts`).
 *
 * Linux, <linux/in.h> and <linux/in6.h>; ip(7), ipv6(7):
 * ```text
 * sockaddr_in   16: family u16 0, port be16 2, address 4:4, zero 8:8
 * sockaddr_in6  28: family u16 0, port be16 2, flow info 4, address 8:16, scope u32 24
 * in_pktinfo    12: interface u32 0, local address 4:4, destination 8:4
 * in6_pktinfo   20: address 0:16, interface u32 16
 * cmsghdr       16: length u64 0, level i32 8, type i32 12; the data follows
 * ```
 *
 * @module
 */

import { Address } from "../../address.ts";
import type { Remote } from "../../remote.ts";
import { writeEndpointRecord } from "../endpoint_record.ts";
import { addressOf, type AddressWords, addressWords } from "../ffi.ts";
import {
  AF_INET,
  AF_INET6,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
} from "./constants.ts";

/** Bytes of the larger of the two socket addresses. */
export const SOCKADDR_BYTES = 28;
const SOCKADDR_IN_BYTES = 16;
/** Bytes of struct cmsghdr: CMSG_DATA starts here. */
export const CMSG_HEADER_BYTES = 16;

/** Writes `remote` as the kernel wants it. */
export function writeSockaddr(remote: Remote): Uint8Array<ArrayBuffer> {
  const record = remote.bytes;
  const ipv4 = record[0] === 4;
  const sockaddr = new Uint8Array(ipv4 ? SOCKADDR_IN_BYTES : SOCKADDR_BYTES);
  const view = new DataView(sockaddr.buffer);
  view.setUint16(0, ipv4 ? AF_INET : AF_INET6, true);
  sockaddr.set(record.subarray(2, 4), 2);
  sockaddr.set(ipv4 ? record.subarray(4, 8) : record.subarray(4, 20), ipv4 ? 4 : 8);
  if (!ipv4) view.setUint32(24, scopeOf(remote), true);
  return sockaddr;
}

/** Writes an endpoint record, see {@linkcode writeEndpointRecord}. */
export function readSockaddr(
  names: Uint8Array,
  at: number,
  control: Uint8Array,
  localAt: number,
  records: Uint8Array,
  to: number,
): void {
  writeEndpointRecord(names[at] === AF_INET, names, at, control, localAt, records, to);
}

/** Where a datagram goes, as struct msghdr refers to it; made once for each remote. */
export class Destination {
  readonly name: AddressWords;
  readonly nameBytes: number;
  /** The control message that sets the source address; empty: the kernel chooses it. */
  readonly control: Uint32Array<ArrayBuffer>;
  /** What {@linkcode name} points to. */
  readonly memory: Uint8Array<ArrayBuffer>;

  constructor(remote: Remote) {
    this.memory = writeSockaddr(remote);
    this.name = addressWords(addressOf(this.memory));
    this.nameBytes = this.memory.length;
    const control = writePacketInfo(remote);
    this.control = control ? new Uint32Array(control.buffer) : new Uint32Array(0);
  }
}

/** Returns the control message that sets the source address, or undefined for none. */
function writePacketInfo(remote: Remote): Uint8Array<ArrayBuffer> | undefined {
  const record = remote.bytes;
  const ipv4 = record[0] === 4;
  const local = record.subarray(20, ipv4 ? 24 : 36);
  if (local.every((byte) => byte === 0)) return undefined;
  const dataBytes = ipv4 ? 12 : 20;
  // CMSG_SPACE(): data padded to 8 bytes; CMSG_LEN(): not padded. cmsg(3)
  const message = new Uint8Array(CMSG_HEADER_BYTES + Math.ceil(dataBytes / 8) * 8);
  const view = new DataView(message.buffer);
  view.setUint32(0, CMSG_HEADER_BYTES + dataBytes, true);
  view.setInt32(8, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, true);
  view.setInt32(12, ipv4 ? IP_PKTINFO : IPV6_PKTINFO, true);
  message.set(local, CMSG_HEADER_BYTES + (ipv4 ? 4 : 0));
  if (!ipv4) {
    const scope = new Address(local).isLinkLocal ? scopeOf(remote) : 0;
    view.setUint32(CMSG_HEADER_BYTES + 16, scope, true);
  }
  return message;
}

function scopeOf(remote: Remote): number {
  return new DataView(remote.bytes.buffer, remote.bytes.byteOffset).getUint32(36);
}
