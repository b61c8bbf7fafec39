/**
 * Numbers and bytes of calls in readable form, with the bytes next to it.
 *
 * @module
 */

import { Address } from "../../../src/address.ts";
import { type Layouts, NUMBERS, REQUESTS } from "./abi.ts";
import { hex, Struct } from "./memory.ts";

type NumberName = keyof typeof NUMBERS;

/** Writes a set of flags; one without a name is the caller's error. */
export function flags(value: number, ...names: readonly NumberName[]): string {
  const set = names.filter((name) => (value & NUMBERS[name]) !== 0);
  const known = set.reduce((sum, name) => sum | NUMBERS[name], 0);
  if (known !== value) throw new Error(`Unknown flags 0x${(value & ~known).toString(16)}`);
  return set.join("|") || "0";
}

/** Writes an address family, or the number of an unknown one. */
export function family(value: number): string {
  return value === NUMBERS.AF_INET
    ? "AF_INET"
    : value === NUMBERS.AF_INET6
    ? "AF_INET6"
    : value === NUMBERS.AF_ROUTE
    ? "AF_ROUTE"
    : `${value}`;
}

const LEVELS: Readonly<Record<number, readonly NumberName[]>> = {
  [NUMBERS.SOL_SOCKET]: ["SOL_SOCKET", "SO_SNDBUF", "SO_RCVBUF", "SO_RTABLE"],
  [NUMBERS.AF_ROUTE]: ["AF_ROUTE", "ROUTE_MSGFILTER", "ROUTE_TABLEFILTER"],
  [NUMBERS.IPPROTO_IP]: ["IPPROTO_IP", "IP_RECVDSTADDR"],
  [NUMBERS.IPPROTO_IPV6]: ["IPPROTO_IPV6", "IPV6_V6ONLY", "IPV6_RECVPKTINFO", "IPV6_DONTFRAG"],
};

/** Writes the type of a socket with its flags. */
export function socketType(value: number): string {
  const { SOCK_RAW } = NUMBERS;
  const isRaw = (value & SOCK_RAW) === SOCK_RAW;
  const rest = flags(
    isRaw ? value & ~SOCK_RAW : value,
    "SOCK_DGRAM",
    "SOCK_NONBLOCK",
    "SOCK_CLOEXEC",
  );
  return isRaw ? `SOCK_RAW|${rest}` : rest;
}

/** Returns level and option by name; throws when there is no such option. */
export function option(level: number, name: number): readonly [string, NumberName] {
  const [levelName, ...options] = LEVELS[level] ?? [];
  const found = options.find((candidate) => NUMBERS[candidate] === name);
  if (levelName === undefined || !found) throw new Error(`No socket option ${level}, ${name}`);
  return [levelName, found];
}

/** Returns a request of ioctl(2) by name. */
export function request(value: bigint): keyof typeof REQUESTS {
  const found = Object.entries(REQUESTS).find(([, number]) => number === value)?.[0];
  if (found === undefined) throw new Error(`No request 0x${value.toString(16)}`);
  return found as keyof typeof REQUESTS;
}

/** A socket address as the kernel reads it. */
export interface SocketAddress {
  readonly address: Uint8Array;
  readonly port: number;
  readonly scope: number;
}

/** Reads a socket address whose length was given with it; throws unless every byte is right. */
export function readAddress(layouts: Layouts, bytes: Uint8Array<ArrayBuffer>): SocketAddress {
  const struct = new Struct(bytes);
  const ipv6 = bytes[1] === NUMBERS.AF_INET6;
  const layout = ipv6 ? layouts.sockaddr_in6 : layouts.sockaddr_in;
  if (bytes.length !== layout.size || bytes[0] !== layout.size) {
    throw new Error(`A socket address of ${bytes.length} bytes says it has ${bytes[0]}`);
  }
  const port = bytes[2]! << 8 | bytes[3]!;
  if (!ipv6) {
    const { sin_addr = 0, sin_zero = 0 } = layouts.sockaddr_in.offsets;
    struct.expectZero(sin_zero, layout.size, "sockaddr_in");
    return { address: bytes.slice(sin_addr, sin_addr + 4), port, scope: 0 };
  }
  const { sin6_flowinfo = 0, sin6_addr = 0, sin6_scope_id = 0 } = layouts.sockaddr_in6.offsets;
  struct.expectZero(sin6_flowinfo, sin6_flowinfo + 4, "sin6_flowinfo");
  const scope = struct.u32(sin6_scope_id);
  return { address: bytes.slice(sin6_addr, sin6_addr + 16), port, scope };
}

/** Writes a socket address as the kernel does. */
export function writeAddress(
  layouts: Layouts,
  { address, port, scope }: SocketAddress,
): Uint8Array<ArrayBuffer> {
  const ipv6 = address.length === 16;
  const layout = ipv6 ? layouts.sockaddr_in6 : layouts.sockaddr_in;
  const bytes = new Uint8Array(layout.size);
  bytes[0] = layout.size;
  bytes[1] = ipv6 ? NUMBERS.AF_INET6 : NUMBERS.AF_INET;
  bytes.set([port >> 8, port & 0xff], 2);
  bytes.set(address, ipv6 ? layout.offsets.sin6_addr : layout.offsets.sin_addr);
  if (ipv6) new Struct(bytes).setU32(layout.offsets.sin6_scope_id!, scope);
  return bytes;
}

/** Writes an address as text. */
export function ip(address: Uint8Array): string {
  return `${new Address(address)}`;
}

/** Writes a socket address as text, with its bytes. */
export function addressText(
  bytes: Uint8Array<ArrayBuffer>,
  { address, port }: SocketAddress,
): string {
  const host = address.length === 4 ? ip(address) : `[${ip(address)}]`;
  return `${host}:${port} {${hex(bytes)}}`;
}
