/**
 * Messages of route(4): what the kernel tells of interfaces, addresses and routes, and how it is
 * asked for a route.
 *
 * One read(2) gives one message: a header that says how long it is, then socket addresses, those of
 * the bits of `addrs` in ascending order, each at a multiple of 8.
 *
 * @module
 */

import type { Address } from "../../address.ts";
import { remoteOf } from "../../remote.ts";
import {
  AF_INET,
  AF_INET6,
  IFAN_DEPARTURE,
  IFNAMSIZ,
  RTA_DST,
  RTA_IFP,
  RTA_NETMASK,
  RTM_ADD,
  RTM_CHANGE,
  RTM_DELADDR,
  RTM_DELETE,
  RTM_DESYNC,
  RTM_GET,
  RTM_IFANNOUNCE,
  RTM_IFINFO,
  RTM_NEWADDR,
  RTM_VERSION,
} from "./constants.ts";
import { writeSockaddr } from "./sockaddr.ts";
import {
  IF_ANNOUNCEMSGHDR_BYTES,
  IF_ANNOUNCEMSGHDR_NAME,
  IF_ANNOUNCEMSGHDR_WHAT,
  IF_DATA_LINK_STATE,
  IF_DATA_MTU,
  IF_MSGHDR_BYTES,
  IF_MSGHDR_DATA,
  IF_MSGHDR_FLAGS,
  IFA_MSGHDR_BYTES,
  RT_MSGHDR_ADDRS,
  RT_MSGHDR_BYTES,
  RT_MSGHDR_ERRNO,
  RT_MSGHDR_FLAGS,
  RT_MSGHDR_HDRLEN,
  RT_MSGHDR_INDEX,
  RT_MSGHDR_MSGLEN,
  RT_MSGHDR_SEQ,
  RT_MSGHDR_TABLEID,
  RT_MSGHDR_TYPE,
  RT_MSGHDR_VERSION,
  SOCKADDR_DL_DATA,
  SOCKADDR_DL_NLEN,
  SOCKADDR_IN6_ADDR,
  SOCKADDR_IN_ADDR,
  SOCKADDR_IN_FAMILY,
} from "./structures.ts";

/** An interface is another than before. */
export interface InterfaceMessage {
  readonly kind: "interface";
  readonly index: number;
  readonly name: string;
  /** IFF_UP, ... */
  readonly flags: number;
  /** LINK_STATE_... */
  readonly linkState: number;
  /** In bytes. */
  readonly mtu: number;
}

/** An interface appears or disappears. */
export interface AnnounceMessage {
  readonly kind: "announce";
  readonly index: number;
  readonly name: string;
  readonly isGone: boolean;
}

/** An address of an interface appears or disappears. */
export interface AddressMessage {
  readonly kind: "address";
  readonly index: number;
}

/** A route appears, disappears or is another than before, or is the answer to a question. */
export interface RouteMessage {
  readonly kind: "route";
  readonly table: number;
  readonly index: number;
  /** RTF_UP, ... */
  readonly flags: number;
  /** Address of the network, 4 or 16 bytes; empty for another family. */
  readonly destination: Uint8Array;
  /** Bits of it that count are set; empty for a single host. */
  readonly mask: Uint8Array;
  readonly sequence: number;
  /** Of a question that failed. */
  readonly errno: number;
}

/** Messages were lost. */
export interface LostMessage {
  readonly kind: "lost";
}

/** What was told. */
export type RoutingMessage =
  | InterfaceMessage
  | AnnounceMessage
  | AddressMessage
  | RouteMessage
  | LostMessage;

/**
 * Reads one message; undefined when it is of another type or version, or does not fit what it says
 * of itself.
 */
export function parseMessage(bytes: Uint8Array): RoutingMessage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < RT_MSGHDR_INDEX || bytes[RT_MSGHDR_VERSION] !== RTM_VERSION) return undefined;
  if (view.getUint16(RT_MSGHDR_MSGLEN, true) !== bytes.length) return undefined;
  const type = bytes[RT_MSGHDR_TYPE]!;
  if (type === RTM_DESYNC) return { kind: "lost" };
  const reader = READERS[type];
  const header = view.getUint16(RT_MSGHDR_HDRLEN, true);
  if (!reader || header < reader.bytes || header > bytes.length) return undefined;
  return reader.read(bytes, view, header);
}

interface Reader {
  /** Least length of the header. */
  readonly bytes: number;
  readonly read: (bytes: Uint8Array, view: DataView, header: number) => RoutingMessage | undefined;
}

const ROUTE: Reader = { bytes: RT_MSGHDR_BYTES, read: readRoute };
const ADDRESS: Reader = {
  bytes: IFA_MSGHDR_BYTES,
  read: (_bytes, view) => ({ kind: "address", index: view.getUint16(RT_MSGHDR_INDEX, true) }),
};
const READERS: Readonly<Record<number, Reader>> = {
  [RTM_ADD]: ROUTE,
  [RTM_DELETE]: ROUTE,
  [RTM_CHANGE]: ROUTE,
  [RTM_GET]: ROUTE,
  [RTM_NEWADDR]: ADDRESS,
  [RTM_DELADDR]: ADDRESS,
  [RTM_IFINFO]: { bytes: IF_MSGHDR_BYTES, read: readInterface },
  [RTM_IFANNOUNCE]: { bytes: IF_ANNOUNCEMSGHDR_BYTES, read: readAnnounce },
};

function readInterface(
  bytes: Uint8Array,
  view: DataView,
  header: number,
): InterfaceMessage | undefined {
  const addresses = readAddresses(bytes, view, header);
  if (!addresses) return undefined;
  const link = addresses.get(RTA_IFP);
  const length = link?.[SOCKADDR_DL_NLEN] ?? 0;
  return {
    kind: "interface",
    index: view.getUint16(RT_MSGHDR_INDEX, true),
    name: textOf(link?.subarray(SOCKADDR_DL_DATA, SOCKADDR_DL_DATA + length)),
    flags: view.getUint32(IF_MSGHDR_FLAGS, true),
    linkState: bytes[IF_MSGHDR_DATA + IF_DATA_LINK_STATE]!,
    mtu: view.getUint32(IF_MSGHDR_DATA + IF_DATA_MTU, true),
  };
}

function readAnnounce(bytes: Uint8Array, view: DataView): AnnounceMessage {
  const name = bytes.subarray(IF_ANNOUNCEMSGHDR_NAME, IF_ANNOUNCEMSGHDR_NAME + IFNAMSIZ);
  return {
    kind: "announce",
    index: view.getUint16(RT_MSGHDR_INDEX, true),
    name: textOf(name),
    isGone: view.getUint16(IF_ANNOUNCEMSGHDR_WHAT, true) === IFAN_DEPARTURE,
  };
}

function readRoute(bytes: Uint8Array, view: DataView, header: number): RouteMessage | undefined {
  const addresses = readAddresses(bytes, view, header);
  if (!addresses) return undefined;
  const destination = addresses.get(RTA_DST);
  const family = destination?.[SOCKADDR_IN_FAMILY];
  const isRead = family === AF_INET || family === AF_INET6;
  return {
    kind: "route",
    table: view.getUint16(RT_MSGHDR_TABLEID, true),
    index: view.getUint16(RT_MSGHDR_INDEX, true),
    flags: view.getUint32(RT_MSGHDR_FLAGS, true),
    destination: isRead ? addressIn(destination!, family) : new Uint8Array(0),
    mask: isRead && addresses.has(RTA_NETMASK)
      ? addressIn(addresses.get(RTA_NETMASK)!, family)
      : new Uint8Array(0),
    sequence: view.getInt32(RT_MSGHDR_SEQ, true),
    errno: view.getInt32(RT_MSGHDR_ERRNO, true),
  };
}

/** Socket addresses by their bits; undefined when they do not fit. */
function readAddresses(
  bytes: Uint8Array,
  view: DataView,
  header: number,
): Map<number, Uint8Array> | undefined {
  const addrs = view.getUint32(RT_MSGHDR_ADDRS, true);
  const addresses = new Map<number, Uint8Array>();
  let at = header;
  for (let bit = 0; bit < 31; bit++) {
    if ((addrs & 1 << bit) === 0) continue;
    const length = bytes[at];
    if (length === undefined || at + length > bytes.length) return undefined;
    addresses.set(1 << bit, bytes.subarray(at, at + length));
    at += roundUp(length);
  }
  return addresses;
}

/** The address in a socket address, which may be cut after its last byte that is not zero. */
function addressIn(sockaddr: Uint8Array, family: number): Uint8Array {
  const isIpv4 = family === AF_INET;
  const start = isIpv4 ? SOCKADDR_IN_ADDR : SOCKADDR_IN6_ADDR;
  const address = new Uint8Array(isIpv4 ? 4 : 16);
  address.set(sockaddr.subarray(start, start + address.length));
  return address;
}

function textOf(bytes: Uint8Array = new Uint8Array(0)): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Tells whether `route` leads to `address`. */
export function leadsTo({ destination, mask }: RouteMessage, { bytes }: Address): boolean {
  if (destination.length !== bytes.length) return false;
  return destination.every((byte, i) => ((byte ^ bytes[i]!) & (mask[i] ?? 0xff)) === 0);
}

/** Writes a question: by which route do datagrams to `address` leave in `table`? */
export function writeQuestion(
  sequence: number,
  table: number,
  address: Address,
): Uint8Array<ArrayBuffer> {
  const sockaddr = writeSockaddr(remoteOf(address.bytes, 0));
  const bytes = new Uint8Array(RT_MSGHDR_BYTES + roundUp(sockaddr.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(RT_MSGHDR_MSGLEN, bytes.length, true);
  bytes[RT_MSGHDR_VERSION] = RTM_VERSION;
  bytes[RT_MSGHDR_TYPE] = RTM_GET;
  view.setUint16(RT_MSGHDR_HDRLEN, RT_MSGHDR_BYTES, true);
  view.setUint16(RT_MSGHDR_TABLEID, table, true);
  view.setUint32(RT_MSGHDR_ADDRS, RTA_DST, true);
  view.setInt32(RT_MSGHDR_SEQ, sequence, true);
  bytes.set(sockaddr, RT_MSGHDR_BYTES);
  return bytes;
}

/** ROUNDUP() of sys/net/rtsock.c: a length of 0 takes 8 bytes too. */
function roundUp(length: number): number {
  return Math.max(1, Math.ceil(length / 8)) * 8;
}
