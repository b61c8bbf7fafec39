/**
 * IP addresses and networks: values that are read once and written where people or system
 * programs want text.
 *
 * IPv4 is dotted decimal without leading zeros (inet_aton(3) would read them as
 * octal); IPv6 is RFC 4291 section 2.2, with a zone as in RFC 4007 section 11.
 *
 * @module
 */

/** Address family. */
export type Family = 4 | 6;

/** Returns the family of an address of 4 or 16 bytes. */
export function familyOf(bytes: Uint8Array): Family {
  return bytes.length === 4 ? 4 : 6;
}

/** An address. */
export class Address {
  readonly family: Family;

  /**
   * @param bytes 4 or 16, which nobody changes afterwards
   * @param zone interface of a link-local address, as in `fe80::1%eth0`
   */
  constructor(readonly bytes: Uint8Array, readonly zone?: string) {
    this.family = familyOf(bytes);
  }

  /** Whether every byte is zero: any address of the family. */
  get isUnspecified(): boolean {
    return this.bytes.every((byte) => byte === 0);
  }

  /** Whether a single host can have the address: not any, loopback, multicast or reserved. */
  get isOfHost(): boolean {
    const { bytes } = this;
    const first = bytes[0]!;
    if (this.family === 4) return first > 0 && first < 224 && first !== 127;
    const isLow = bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15]! <= 1;
    return first !== 0xff && !isLow;
  }

  /** Whether it is this host's own, which no other can reach: 127.0.0.0/8, ::1. */
  get isLoopback(): boolean {
    const { bytes } = this;
    if (this.family === 4) return bytes[0] === 127;
    return bytes[15] === 1 && bytes.subarray(0, 15).every((byte) => byte === 0);
  }

  /** Whether an interface has to be named too: fe80::/10 (RFC 4291 section 2.5.6). */
  get isLinkLocal(): boolean {
    return isLinkLocal(this.bytes);
  }

  /** Returns the network of this address alone, without zone. */
  toPrefix(): Prefix {
    return new Prefix(this.bytes, this.bytes.length * 8);
  }

  /** Tells whether two addresses are the same, zones included. */
  equals(other: Address): boolean {
    return equalBytes(this.bytes, other.bytes) && this.zone === other.zone;
  }

  /** Writes the address and a port: `192.0.2.1:5080`, `[2001:db8::1]:5080`. */
  withPort(port: number): string {
    return this.family === 4 ? `${this}:${port}` : `[${this}]:${port}`;
  }

  /** Writes the address; IPv6 as RFC 5952 recommends. */
  toString(): string {
    const text = this.family === 4 ? this.bytes.join(".") : formatIpv6(this.bytes);
    return this.zone === undefined ? text : `${text}%${this.zone}`;
  }
}

/** A network, or the address of a host with the length of its network's prefix. */
export class Prefix {
  readonly family: Family;

  /**
   * @param bytes 4 or 16, which nobody changes afterwards
   * @param length of the prefix, in bits
   */
  constructor(readonly bytes: Uint8Array, readonly length: number) {
    this.family = familyOf(bytes);
  }

  /** Returns the address without the length. */
  toAddress(): Address {
    return new Address(this.bytes);
  }

  /** Returns the network that the address is in: host bits cleared. */
  toNetwork(): Prefix {
    return this.#withHostBits(0);
  }

  /** Whether it is all addresses of the family. */
  get isDefault(): boolean {
    return this.length === 0;
  }

  /** Whether it is a single address. */
  get isSingle(): boolean {
    return this.length === this.bytes.length * 8;
  }

  /**
   * Tells whether the address of `family` that begins at `at` of `bytes` lies in this network;
   * never across families. Allocates nothing.
   */
  contains(bytes: Uint8Array, at: number, family: Family): boolean {
    if (this.family !== family) return false;
    const own = this.bytes;
    const whole = this.length >> 3;
    for (let i = 0; i < whole; i++) if (bytes[at + i] !== own[i]) return false;
    const rest = this.length & 7;
    return rest === 0 || (bytes[at + whole]! ^ own[whole]!) >> (8 - rest) === 0;
  }

  /** Tells whether every address of `other`, a network or an address, lies in this network. */
  covers(other: Prefix | Address): boolean {
    if (other instanceof Prefix && other.length < this.length) return false;
    return this.contains(other.bytes, 0, other.family);
  }

  /** Tells whether two networks share an address. */
  overlaps(other: Prefix): boolean {
    return this.covers(other) || other.covers(this);
  }

  /** Tells whether two prefixes have the same bytes and length. */
  equals(other: Prefix): boolean {
    return this.length === other.length && equalBytes(this.bytes, other.bytes);
  }

  /** Tells whether `address` is the first of this IPv4 network, which no host may have. */
  isNetworkAddress(address: Address): boolean {
    return this.#hasReserved && equalBytes(address.bytes, this.toNetwork().bytes);
  }

  /** Tells whether `address` is the last of this IPv4 network: its broadcast address. */
  isBroadcast(address: Address): boolean {
    return this.#hasReserved && equalBytes(address.bytes, this.#withHostBits(0xff).bytes);
  }

  /** Writes `address/length`. */
  toString(): string {
    return `${this.toAddress()}/${this.length}`;
  }

  /** IPv4 networks of more than two addresses reserve the first and the last of them (RFC 3021). */
  get #hasReserved(): boolean {
    return this.family === 4 && this.length < 31;
  }

  #withHostBits(fill: 0 | 0xff): Prefix {
    const bytes = this.bytes.map((byte, i) => {
      const hostBits = Math.min(8, Math.max(0, 8 * (i + 1) - this.length));
      const mask = (1 << hostBits) - 1;
      return (byte & ~mask) | (fill & mask);
    });
    return new Prefix(bytes, this.length);
  }
}

/** Reads an address of either family; returns undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const [, address = "", zone] = /^([^%]*)(?:%([A-Za-z0-9_.-]{1,15}))?$/.exec(text) ?? [];
  const bytes = address.includes(":") ? parseIpv6(address) : parseIpv4(address);
  if (!bytes) return undefined;
  return zone === undefined || isLinkLocal(bytes) ? new Address(bytes, zone) : undefined;
}

/** Reads `address/length`; returns undefined for anything else. */
export function parsePrefix(text: string): Prefix | undefined {
  const [, address = "", digits = ""] = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const bytes = parseAddress(address)?.bytes;
  const length = Number(digits);
  return bytes && length <= bytes.length * 8 ? new Prefix(bytes, length) : undefined;
}

function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}

function formatIpv6(address: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => address[2 * i]! << 8 | address[2 * i + 1]!);
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > best.length) best = { at: i, length: end - i };
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  if (best.at < 0) return hex(groups);
  return `${hex(groups.slice(0, best.at))}::${hex(groups.slice(best.at + best.length))}`;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
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
