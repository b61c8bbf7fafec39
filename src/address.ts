/**
 * IP addresses and networks as text.
 *
 * IPv4 is dotted decimal without leading zeros (inet_aton(3) would read them as
 * octal); IPv6 is RFC 4291 section 2.2, with a zone as in RFC 4007 section 11.
 *
 * @module
 */

import { formatIpv6 } from "./remote.ts";

/** Address family. */
export type Family = 4 | 6;

/** An address: 4 or 16 bytes. */
export interface Address {
  readonly bytes: Uint8Array;
  /** Interface of a link-local address, as in `fe80::1%eth0`. */
  readonly zone?: string;
}

/** An address with the length of its network's prefix. */
export interface Prefix {
  readonly bytes: Uint8Array;
  /** In bits. */
  readonly length: number;
}

/** Reads an address of either family; returns undefined when it is none. */
export function parseAddress(text: string): Address | undefined {
  const [, address = "", zone] = /^([^%]*)(?:%([A-Za-z0-9_.-]{1,15}))?$/.exec(text) ?? [];
  const bytes = address.includes(":") ? parseIpv6(address) : parseIpv4(address);
  if (!bytes) return undefined;
  if (zone === undefined) return { bytes };
  return isLinkLocal(bytes) ? { bytes, zone } : undefined;
}

/** Reads `address/length`; returns undefined when it is none. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, address = "", digits = ""] = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const bytes = parseAddress(address)?.bytes;
  const length = Number(digits);
  return bytes && length <= bytes.length * 8 ? { bytes, length } : undefined;
}

/** Writes an address; IPv6 as RFC 5952 recommends. */
export function formatAddress(address: Address): string {
  const text = address.bytes.length === 4 ? address.bytes.join(".") : formatIpv6(address.bytes);
  return address.zone === undefined ? text : `${text}%${address.zone}`;
}

/** Writes `address/length`. */
export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`;
}

/** Returns the first address of the network that `prefix` lies in: host bits cleared. */
export function networkOf(prefix: Prefix): Prefix {
  return withHostBits(prefix, 0);
}

/** Tells whether `bytes` is the last address of an IPv4 network: its broadcast address. */
export function isBroadcast(bytes: Uint8Array, network: Prefix): boolean {
  return bytes.length === 4 && network.length < 31 &&
    equalBytes(bytes, withHostBits(network, 0xff).bytes);
}

/** Tells whether `bytes` is the first address of an IPv4 network, which no host may have. */
export function isNetworkAddress(bytes: Uint8Array, network: Prefix): boolean {
  return bytes.length === 4 && network.length < 31 && equalBytes(bytes, networkOf(network).bytes);
}

/** Tells whether `bytes` lies in `network`; never across families. */
export function contains(network: Prefix, bytes: Uint8Array): boolean {
  return bytes.length === network.bytes.length &&
    equalBytes(networkOf({ bytes, length: network.length }).bytes, networkOf(network).bytes);
}

/** Tells whether two networks share an address. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return a.length <= b.length ? contains(a, b.bytes) : contains(b, a.bytes);
}

/** Tells whether one host can have the address: not any, loopback, multicast or reserved. */
export function isHostAddress(bytes: Uint8Array): boolean {
  const first = bytes[0]!;
  if (bytes.length === 4) return first > 0 && first < 224 && first !== 127;
  const isLow = bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15]! <= 1;
  return first !== 0xff && !isLow;
}

/** Tells whether every byte is zero: any address of the family. */
export function isUnspecified(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Tells whether two addresses have the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Tells whether an IPv6 address needs an interface: fe80::/10 (RFC 4291 section 2.5.6). */
export function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

function withHostBits(prefix: Prefix, fill: 0 | 0xff): Prefix {
  const bytes = prefix.bytes.map((byte, i) => {
    const hostBits = Math.min(8, Math.max(0, 8 * (i + 1) - prefix.length));
    const mask = (1 << hostBits) - 1;
    return (byte & ~mask) | (fill & mask);
  });
  return { bytes, length: prefix.length };
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  const valid = (part: string): boolean => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256;
  return parts.length === 4 && parts.every(valid) ? Uint8Array.from(parts, Number) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const [before = "", after, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const head = parseGroups(before, after === undefined);
  const tail = after === undefined ? [] : parseGroups(after, true);
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** Reads groups between colons into bytes; the last may be IPv4 when `atEnd`. */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    const ipv4 = atEnd && i === groups.length - 1 ? parseIpv4(group) : undefined;
    if (!ipv4 && !/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
    const value = parseInt(group, 16);
    bytes.push(...ipv4 ?? [value >> 8, value & 0xff]);
  }
  return bytes;
}
