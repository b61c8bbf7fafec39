/**
 * Socket addresses between the kernel's form and ours (`src/remote.ts`); inet(4), ip(4), inet6(4),
 * ip6(4).
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
  IP_SENDSRCADDR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_PKTINFO,
} from "./constants.ts";
import {
  CMSG_DATA,
  CMSGHDR_LEN,
  CMSGHDR_LEVEL,
  CMSGHDR_TYPE,
  controlLength,
  controlSpace,
  IN6_PKTINFO_BYTES,
  IN6_PKTINFO_IFINDEX,
  IN_ADDR_BYTES,
  SOCKADDR_IN6_ADDR,
  SOCKADDR_IN6_BYTES,
  SOCKADDR_IN6_SCOPE_ID,
  SOCKADDR_IN_ADDR,
  SOCKADDR_IN_BYTES,
  SOCKADDR_IN_FAMILY,
  SOCKADDR_IN_LEN,
  SOCKADDR_IN_PORT,
} from "./structures.ts";

/** Writes `remote` as the kernel wants it. */
export function writeSockaddr(remote: Remote): Uint8Array<ArrayBuffer> {
  const record = remote.bytes;
  const ipv4 = record[0] === 4;
  const sockaddr = new Uint8Array(ipv4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
  sockaddr[SOCKADDR_IN_LEN] = sockaddr.length;
  sockaddr[SOCKADDR_IN_FAMILY] = ipv4 ? AF_INET : AF_INET6;
  sockaddr.set(record.subarray(2, 4), SOCKADDR_IN_PORT);
  sockaddr.set(record.subarray(4, ipv4 ? 8 : 20), ipv4 ? SOCKADDR_IN_ADDR : SOCKADDR_IN6_ADDR);
  if (!ipv4) {
    new DataView(sockaddr.buffer).setUint32(SOCKADDR_IN6_SCOPE_ID, scopeOf(remote), true);
  }
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
  writeEndpointRecord(
    names[at + SOCKADDR_IN_FAMILY] === AF_INET,
    names,
    at,
    control,
    localAt,
    records,
    to,
  );
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
  const message = new Uint8Array(controlSpace(dataBytes));
  const view = new DataView(message.buffer);
  // The kernel compares the length without padding.
  view.setUint32(CMSGHDR_LEN, controlLength(dataBytes), true);
  view.setInt32(CMSGHDR_LEVEL, ipv4 ? IPPROTO_IP : IPPROTO_IPV6, true);
  view.setInt32(CMSGHDR_TYPE, ipv4 ? IP_SENDSRCADDR : IPV6_PKTINFO, true);
  message.set(local, CMSG_DATA);
  if (!ipv4 && new Address(local).isLinkLocal) {
    view.setUint32(CMSG_DATA + IN6_PKTINFO_IFINDEX, scopeOf(remote), true);
  }
  return message;
}

function scopeOf(remote: Remote): number {
  return new DataView(remote.bytes.buffer, remote.bytes.byteOffset).getUint32(36);
}
