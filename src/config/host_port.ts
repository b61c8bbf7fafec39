/**
 * `host:port`, with IPv6 addresses in brackets (RFC 3986 section 3.2.2).
 *
 * @module
 */

import { Address, parseAddress } from "../address.ts";
import type { HostPort } from "./config.ts";

/** A host, by its address or its name, and the port if one was written. */
export interface HostAndPort {
  readonly host: Address | string;
  readonly port: number | undefined;
}

/**
 * Reads `host`, `host:port`, an IPv6 address, `[ipv6]` or `[ipv6]:port`. Returns undefined
 * for anything else.
 */
export function parseHostPort(text: string): HostAndPort | undefined {
  const bare = parseAddress(text);
  if (bare) return { host: bare, port: undefined };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,6}))?$/.exec(text);
  if (!match) return undefined;
  const [, inBrackets, name, digits] = match;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && !isPort(port)) return undefined;
  const address = parseAddress(inBrackets ?? name!);
  if (address && (address.family === 6) === (inBrackets !== undefined)) {
    return { host: address, port };
  }
  return name !== undefined && isHostName(name) ? { host: name, port } : undefined;
}

/** Tells whether a number is a port that can be sent to. */
function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

/** Writes `host:port`, an IPv6 host in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return host instanceof Address ? host.withPort(port) : `${host}:${port}`;
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
