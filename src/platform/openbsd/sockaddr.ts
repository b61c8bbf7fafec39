/**
 * Socket addresses between the kernel's form and ours (`src/remote.ts`).
 *
 * OpenBSD, <netinet/in.h> and <netinet6/in6.h>; inet(4), ip(4), inet6(4), ip6(4):
 * ```text
 * sockaddr_in   16: length u8 0, family u8 1, port be16 2, address 4:4, zero 8:8
 * sockaddr_in6  28: length u8 0, family u8 1, port be16 2, flow info 4, address 8:16, scope u32 24
 * in_addr        4: address 0:4
 * in6_pktinfo   20: address 0:16, interface u32 16
 * cmsghdr       12: length u32 0, level i32 4, type i32 8; the data begins at 16
 * ```
 *
 * @module
 */

import { isLinkLocal } from "../../address.ts";
import type { Remote } from "../../remote.ts";
import { writeEndpointRecord } from "../endpoint_record.ts";
import { addressOf, type AddressWords, addressWords } from "../ffi.ts";
import {
  AF_INET,
  AF_INET6,
  IP_SENDSRCADDR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
} from "./constants.ts";

/** Bytes of the larger of the two socket addresses. */
export const SOCKADDR_BYTES = 28;
const SOCKADDR_IN_BYTES = 16;
/** Where the data of a control message begins: struct cmsghdr, aligned to 8. */
export const CMSG_DATA_BYTES = 16;
const IN_ADDR_BYTES = 4;
const IN6_PKTINFO_BYTES = 20;

/** Writes `remote` as the kernel wants it. */
export function writeSockaddr(remote: Remote): Uint8Array<ArrayBuffer> {
  const record = remote.bytes;
  const ipv4 = record[0] === 4;
  const sockaddr = new Uint8Array(ipv4 ? SOCKADDR_IN_BYTES : SOCKADDR_BYTES);
  sockaddr[0] = sockaddr.length;
  sockaddr[1] = ipv4 ? AF_INET : AF_INET6;
  sockaddr.set(record.subarray(2, 4), 2);
  sockaddr.set(ipv4 ? record.subarray(4, 8) : record.subarray(4, 20), ipv4 ? 4 : 8);
  if (!ipv4) new DataView(sockaddr.buffer).setUint32(24, scopeOf(remote), true);
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
  writeEndpointRecord(names[at + 1] === AF_INET, names, at, control, localAt, records, to);
}

/** Where a datagram goes, as struct msghdr refers to it; made once for each remote. */
export class Destination {
  readonly name: AddressWords;
  readonly nameBytes: number;
  readonly control: AddressWords;
  /** 0: the kernel chooses the source address. */
  readonly controlBytes: number;
  readonly memory: readonly Uint8Array<ArrayBuffer>[];

  constructor(remote: Remote) {
    const sockaddr = writeSockaddr(remote);
    const control = writeSource(remote);
    this.memory = control ? [sockaddr, control] : [sockaddr];
    this.name = addressWords(addressOf(sockaddr));
    this.nameBytes = sockaddr.length;
    this.control = control ? addressWords(addressOf(control)) : { low: 0, high: 0 };
    this.controlBytes = control ? control.length : 0;
  }
}

/** Returns the control message that sets the source address, or undefined for none. */
function writeSource(remote: Remote): Uint8Array<ArrayBuffer> | undefined {
  const record = remote.bytes;
  const ipv4 = record[0] === 4;
  const local = record.subarray(20, ipv4 ? 24 : 36);
  if (local.every((byte) => byte === 0)) return undefined;
  const dataBytes = ipv4 ? IN_ADDR_BYTES : IN6_PKTINFO_BYTES;
  // CMSG_SPACE(): data padded to 8 bytes; CMSG_LEN(), which the kernel compares: not padded.
  const message = new Uint8Array(CMSG_DATA_BYTES + Math.ceil(dataBytes / 8) * 8);
  const view = new DataView(message.buffer);
  view.setUint32(0, CMSG_DATA_BYTES + dataBytes, true);
  view.setInt32(4, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, true);
  view.setInt32(8, ipv4 ? IP_SENDSRCADDR : IPV6_PKTINFO, true);
  message.set(local, CMSG_DATA_BYTES);
  if (!ipv4) view.setUint32(CMSG_DATA_BYTES + 16, isLinkLocal(local) ? scopeOf(remote) : 0, true);
  return message;
}

function scopeOf(remote: Remote): number {
  return new DataView(remote.bytes.buffer, remote.bytes.byteOffset).getUint32(36);
}
