/**
 * Messages of rtnetlink(7): what the kernel tells of interfaces, addresses and routes, and how it is
 * asked about one of them.
 *
 * <linux/netlink.h>, <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>; integers are in the
 * order of the machine, which is little-endian:
 * ```text
 * nlmsghdr  16: length u32 0, type u16 4, flags u16 6, sequence u32 8, port id u32 12
 * nlmsgerr     : error i32 0, then the header of the request
 * ifinfomsg 16: family u8 0, type u16 2, index i32 4, flags u32 8, change u32 12
 * ifaddrmsg  8: family u8 0, prefix length u8 1, flags u8 2, scope u8 3, index u32 4
 * rtmsg     12: family u8 0, length of destination u8 1, of source u8 2, TOS u8 3, table u8 4,
 *               protocol u8 5, scope u8 6, type u8 7, flags u32 8
 * rtattr     4: length u16 0, type u16 2; the value follows
 * ```
 * Lengths include the header; messages and attributes begin at multiples of 4.
 *
 * @module
 */

import type { Family } from "../../address.ts";
import {
  AF_INET,
  AF_INET6,
  IFA_ADDRESS,
  IFA_F_TEMPORARY,
  IFA_LOCAL,
  IFLA_EXT_MASK,
  IFLA_IFNAME,
  IFLA_MTU,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_OVERRUN,
  RTA_DST,
  RTA_GATEWAY,
  RTA_MARK,
  RTA_OIF,
  RTA_PRIORITY,
  RTA_SRC,
  RTA_TABLE,
  RTA_VIA,
  RTEXT_FILTER_SKIP_STATS,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_DELROUTE,
  RTM_F_FIB_MATCH,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_GETROUTE,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
} from "./constants.ts";

const HEADER_BYTES = 16;
const ATTRIBUTE_BYTES = 4;
/** NLA_TYPE_MASK: the two upper bits of a type are flags. */
const TYPE_MASK = 0x3fff;
const NONE = new Uint8Array(0);

/** An interface that appears, disappears or is another than before. */
export interface InterfaceMessage {
  readonly kind: "interface";
  readonly isGone: boolean;
  readonly index: number;
  readonly name: string;
  /** IFF_UP, ... */
  readonly flags: number;
  /** In bytes. */
  readonly mtu: number;
}

/** An address of an interface that appears, disappears or is another than before. */
export interface AddressMessage {
  readonly kind: "address";
  readonly isGone: boolean;
  readonly index: number;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  /** RT_SCOPE_... */
  readonly scope: number;
  readonly isTemporary: boolean;
}

/** A route that appears, disappears or is another than before. */
export interface RouteMessage {
  readonly kind: "route";
  readonly isGone: boolean;
  readonly family: Family;
  /** Address of the network; no bytes for a default route. */
  readonly destination: Uint8Array;
  /** Bits of it that count. */
  readonly length: number;
  readonly table: number;
  /** Number of the interface; 0 when it has none or several. */
  readonly index: number;
  /** 4 or 16 bytes; none when it has none or several. */
  readonly gateway: Uint8Array;
  /** The smallest wins. */
  readonly metric: number;
  /** RTN_... */
  readonly type: number;
}

/** Everything that a request asked for has been told. */
export interface DoneMessage {
  readonly kind: "done";
}

/** Something went wrong: with a request (`errno` > 0), or messages were lost (0). */
export interface ErrorMessage {
  readonly kind: "error";
  readonly errno: number;
}

/** What was told. `sequence` is that of the request it answers; 0 for none. */
export type NetlinkMessage =
  & (InterfaceMessage | AddressMessage | RouteMessage | ErrorMessage | DoneMessage)
  & { readonly sequence: number };

/**
 * Reads the messages of one datagram. Those that are of no use here are left out; undefined when
 * something does not fit, for then anything may have been told.
 */
export function parseMessages(bytes: Uint8Array): NetlinkMessage[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < HEADER_BYTES) return undefined;
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || length > bytes.length - at) return undefined;
    const type = view.getUint16(at + 4, true);
    const read = READERS[type];
    if (read) {
      const content = new DataView(view.buffer, view.byteOffset + at + HEADER_BYTES, length - 16);
      const message = read(content, type);
      if (!message) return undefined;
      messages.push({ ...message, sequence: view.getUint32(at + 8, true) });
    }
    at += align(length);
  }
  return messages;
}

type Reader = (
  content: DataView<ArrayBufferLike>,
  type: number,
) => InterfaceMessage | AddressMessage | RouteMessage | ErrorMessage | DoneMessage | undefined;

const READERS: Readonly<Record<number, Reader>> = {
  [NLMSG_ERROR]: readError,
  [NLMSG_DONE]: () => ({ kind: "done" }),
  [NLMSG_OVERRUN]: () => ({ kind: "error", errno: 0 }),
  [RTM_NEWLINK]: readInterface,
  [RTM_DELLINK]: readInterface,
  [RTM_NEWADDR]: readAddress,
  [RTM_DELADDR]: readAddress,
  [RTM_NEWROUTE]: readRoute,
  [RTM_DELROUTE]: readRoute,
};

function readError(content: DataView): ErrorMessage | undefined {
  if (content.byteLength < 4) return undefined;
  return { kind: "error", errno: -content.getInt32(0, true) };
}

function readInterface(content: DataView, type: number): InterfaceMessage | undefined {
  const attributes = readAttributes(content, 16);
  if (!attributes) return undefined;
  return {
    kind: "interface",
    isGone: type === RTM_DELLINK,
    index: content.getInt32(4, true),
    name: readText(attributes.get(IFLA_IFNAME)),
    flags: content.getUint32(8, true),
    mtu: readNumber(attributes.get(IFLA_MTU)),
  };
}

function readAddress(content: DataView, type: number): AddressMessage | undefined {
  const attributes = readAttributes(content, 8);
  if (!attributes) return undefined;
  // IFA_ADDRESS is the other end where there is one; IPv6 has no IFA_LOCAL without.
  const address = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  return {
    kind: "address",
    isGone: type === RTM_DELADDR,
    index: content.getUint32(4, true),
    address: address ?? new Uint8Array(0),
    scope: content.getUint8(3),
    isTemporary: (content.getUint8(2) & IFA_F_TEMPORARY) !== 0,
  };
}

function readRoute(content: DataView, type: number): RouteMessage | undefined {
  const attributes = readAttributes(content, 12);
  if (!attributes) return undefined;
  const family = content.getUint8(0) === AF_INET ? 4 : 6;
  const length = content.getUint8(1);
  const destination = attributes.get(RTA_DST) ?? new Uint8Array(0);
  if (length > destination.length * 8) return undefined;
  const table = attributes.get(RTA_TABLE);
  return {
    kind: "route",
    isGone: type === RTM_DELROUTE,
    family,
    destination,
    length,
    table: table ? readNumber(table) : content.getUint8(4),
    index: readNumber(attributes.get(RTA_OIF)),
    gateway: attributes.get(RTA_GATEWAY) ?? attributes.get(RTA_VIA)?.subarray(2) ?? NONE,
    metric: readNumber(attributes.get(RTA_PRIORITY)),
    type: content.getUint8(7),
  };
}

/** Attributes by type, of those behind `from` bytes; undefined when lengths do not fit. */
function readAttributes(content: DataView, from: number): Map<number, Uint8Array> | undefined {
  if (content.byteLength < from) return undefined;
  const attributes = new Map<number, Uint8Array>();
  for (let at = from; content.byteLength - at >= ATTRIBUTE_BYTES;) {
    const length = content.getUint16(at, true);
    if (length < ATTRIBUTE_BYTES || length > content.byteLength - at) return undefined;
    const start = content.byteOffset + at + ATTRIBUTE_BYTES;
    const value = new Uint8Array(content.buffer, start, length - ATTRIBUTE_BYTES);
    attributes.set(content.getUint16(at + 2, true) & TYPE_MASK, value);
    at += align(length);
  }
  return attributes;
}

/** A u32; 0 when there is none. */
function readNumber(value: Uint8Array | undefined): number {
  if (value?.length !== 4) return 0;
  return new DataView(value.buffer, value.byteOffset).getUint32(0, true);
}

function readText(value: Uint8Array | undefined): string {
  const end = value?.indexOf(0) ?? 0;
  return new TextDecoder().decode(value?.subarray(0, end < 0 ? value.length : end));
}

/** Tells whether `route` leads to `address`, of 4 or 16 bytes. */
export function leadsTo(route: RouteMessage, address: Uint8Array): boolean {
  if ((route.family === 4) !== (address.length === 4)) return false;
  const { destination, length } = route;
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (destination[i] !== address[i]) return false;
  const rest = length & 7;
  if (rest === 0) return true;
  return (destination[whole]! ^ address[whole]!) >> 8 - rest === 0;
}

/** A route that is asked for: what a socket's datagrams are routed by. */
export interface RouteRequest {
  /** 4 or 16 bytes. */
  readonly to: Uint8Array;
  readonly from?: Uint8Array;
  readonly mark?: number;
  /** Number of the interface. */
  readonly index?: number;
}

/** What there may be many of. */
export type DumpType = typeof RTM_GETLINK | typeof RTM_GETADDR | typeof RTM_GETROUTE;

/** Writes a request for all interfaces, addresses or routes. */
export function writeDumpRequest(sequence: number, type: DumpType): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(CONTENT_BYTES[type]);
  const skipped = writeAttribute(IFLA_EXT_MASK, writeNumber(RTEXT_FILTER_SKIP_STATS));
  const parts = type === RTM_GETLINK ? [content, skipped] : [content];
  return writeRequest(type, sequence, parts, NLM_F_REQUEST | NLM_F_DUMP);
}

/** Bytes of ifinfomsg, ifaddrmsg and rtmsg. */
const CONTENT_BYTES: Readonly<Record<DumpType, number>> = {
  [RTM_GETLINK]: 16,
  [RTM_GETADDR]: 8,
  [RTM_GETROUTE]: 12,
};

/** Writes a request for the interface of a number. */
export function writeInterfaceRequest(sequence: number, index: number): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(16);
  new DataView(content.buffer).setInt32(4, index, true);
  const skipped = writeAttribute(IFLA_EXT_MASK, writeNumber(RTEXT_FILTER_SKIP_STATS));
  return writeRequest(RTM_GETLINK, sequence, [content, skipped]);
}

/** Writes a request for the route that datagrams take. */
export function writeRouteRequest(
  sequence: number,
  { to, from, mark, index }: RouteRequest,
): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(12);
  content.set([to.length === 4 ? AF_INET : AF_INET6, to.length * 8, (from?.length ?? 0) * 8]);
  new DataView(content.buffer).setUint32(8, RTM_F_FIB_MATCH, true);
  return writeRequest(RTM_GETROUTE, sequence, [
    content,
    writeAttribute(RTA_DST, to),
    ...from ? [writeAttribute(RTA_SRC, from)] : [],
    ...index === undefined ? [] : [writeAttribute(RTA_OIF, writeNumber(index))],
    ...mark === undefined ? [] : [writeAttribute(RTA_MARK, writeNumber(mark))],
  ]);
}

function writeRequest(
  type: number,
  sequence: number,
  parts: readonly Uint8Array[],
  flags = NLM_F_REQUEST,
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, HEADER_BYTES);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  let at = HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Every value here has a multiple of 4 bytes. */
function writeAttribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ATTRIBUTE_BYTES + value.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, bytes.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, ATTRIBUTE_BYTES);
  return bytes;
}

function writeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function align(length: number): number {
  return length + 3 & ~3;
}
