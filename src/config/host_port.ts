/**
 * `host:port`, with IPv6 addresses in brackets (RFC 3986 section 3.2.2).
 *
 * @module
 */

import { formatAddress, parseAddress } from "../address.ts";

/** A host (address or name) and, when it was written, a port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * Reads `host`, `host:port`, an IPv6 address, `[ipv6]` or `[ipv6]:port`. Addresses
 * come out in their usual spelling. Returns undefined when it is none of these.
 */
export function parseHostPort(text: string): HostAndPort | undefined {
  const bare = parseAddress(text);
  if (bare) return { host: formatAddress(bare), port: undefined };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,6}))?$/.exec(text);
  if (!match) return undefined;
  const [, inBrackets, name, digits] = match;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && !isPort(port)) return undefined;
  const address = parseAddress(inBrackets ?? name!);
  if (address && (address.bytes.length === 16) === (inBrackets !== undefined)) {
    return { host: formatAddress(address), port };
  }
  return name !== undefined && isHostName(name) ? { host: name, port } : undefined;
}

/** Tells whether a number is a port that can be sent to. */
export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

/** Writes `host:port`, an IPv6 host in brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Tells whether `text` can be a host name: labels of letters, digits, `-` and `_`
 * (RFC 1123 section 2.1), the last one not a number, which would be a bad address.
 */
export function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, "").split(".");
  const isLabel = (label: string): boolean =>
    /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label);
  return text.length <= 253 && labels.every(isLabel) && !/^\d+$/.test(labels.at(-1)!);
}
