/**
 * Kinds of addresses, networks, endpoints and names of the network.
 *
 * @module
 */

import {
  type Family,
  formatAddress,
  formatPrefix,
  isBroadcast,
  isHostAddress,
  isNetworkAddress,
  networkOf,
  parseAddress,
  parsePrefix,
  type Prefix,
} from "../address.ts";
import type { HostPort } from "./config.ts";
import { type HostAndPort, parseHostPort } from "./host_port.ts";
import { type Kind, text } from "./kind.ts";

const BYTES: Readonly<Record<Family, number>> = { 4: 4, 6: 16 };
const SAMPLE: Readonly<Record<Family, string>> = { 4: "10.44.43.1", 6: "fd00:44::1" };
const SAMPLE_LENGTH: Readonly<Record<Family, number>> = { 4: 30, 6: 64 };

/** An address of either family, such as a source address. */
export const anyAddress: Kind<string> = text(
  "ADDRESS",
  'an IP address such as "192.0.2.1" or "2001:db8::1"',
  (text) => {
    const address = parseAddress(text);
    return address && formatAddress(address);
  },
  (text) => parsePrefix(text) && text.split("/", 1)[0],
);

/** The address of a host, of one family, such as a gateway. */
export function hostAddress(family: Family): Kind<Uint8Array> {
  return text(
    "ADDRESS",
    `an IPv${family} address such as "${SAMPLE[family]}"`,
    (text) => {
      const address = parseAddress(text);
      const fits = address?.bytes.length === BYTES[family] && isHostAddress(address.bytes);
      return fits ? address.bytes : undefined;
    },
    (text) => parsePrefix(text)?.bytes.length === BYTES[family] ? text.split("/", 1)[0] : undefined,
  );
}

/** The address of this host's tunnel interface and the length of its network's prefix. */
export function interfaceAddress(family: Family): Kind<Prefix> {
  const sample = `${SAMPLE[family]}/${SAMPLE_LENGTH[family]}`;
  return text(
    "ADDRESS/LENGTH",
    `an IPv${family} address of a host with a prefix length, such as "${sample}"`,
    (text) => {
      const prefix = parsePrefix(text);
      if (prefix?.bytes.length !== BYTES[family] || !isHostAddress(prefix.bytes)) return undefined;
      const isTaken = isNetworkAddress(prefix.bytes, prefix) || isBroadcast(prefix.bytes, prefix);
      return isTaken || prefix.length === 0 ? undefined : prefix;
    },
    (text) => suggestInterfaceAddress(text, family),
  );
}

function suggestInterfaceAddress(text: string, family: Family): string | undefined {
  if (parseAddress(text)?.bytes.length === BYTES[family]) return `${text}/${SAMPLE_LENGTH[family]}`;
  const prefix = parsePrefix(text);
  if (prefix?.bytes.length !== BYTES[family] || !isHostAddress(prefix.bytes)) return undefined;
  // The network itself or its broadcast address: the first host is more likely meant.
  const first = networkOf(prefix).bytes.slice();
  first[first.length - 1]! |= 1;
  return formatPrefix({ bytes: first, length: prefix.length });
}

/** A client's inner address as a network of one; a prefix length is allowed and not used. */
export function clientAddress(family: Family): Kind<string> {
  return text("ADDRESS", `an IPv${family} address such as "${SAMPLE[family]}"`, (text) => {
    const bytes = parsePrefix(text)?.bytes ?? parseAddress(text)?.bytes;
    if (bytes?.length !== BYTES[family] || !isHostAddress(bytes)) return undefined;
    return formatPrefix({ bytes, length: bytes.length * 8 });
  });
}

/** A network; `default` and `default6` are all addresses. */
export const network: Kind<string> = text(
  "NETWORK",
  'a network such as "192.0.2.0/24", "2001:db8::/32" or "default"',
  (text) => {
    if (text === "default") return "0.0.0.0/0";
    if (text === "default6") return "::/0";
    const prefix = parsePrefix(text);
    const spelled = prefix && formatPrefix(networkOf(prefix));
    return prefix && formatPrefix(prefix) === spelled ? spelled : undefined;
  },
  (text) => {
    const bytes = parseAddress(text)?.bytes;
    const prefix = bytes ? { bytes, length: bytes.length * 8 } : parsePrefix(text);
    return prefix && formatPrefix(networkOf(prefix));
  },
);

/** A host with or without a port. */
export const host: Kind<HostAndPort> = text(
  "HOST[:PORT]",
  'a host name or address, such as "vpn.example.net", "192.0.2.1:5080" or "[2001:db8::1]:5080"',
  parseHostPort,
);

/** An address and a port to listen on. */
export const listenAddress: Kind<HostPort> = text(
  "ADDRESS:PORT",
  'an address and a port from 1 to 65535, such as "192.0.2.1:5080" or "[2001:db8::1]:5080"',
  (text) => {
    const parsed = parseHostPort(text);
    if (!parsed || !parseAddress(parsed.host) || parsed.port === undefined) return undefined;
    return { host: parsed.host, port: parsed.port };
  },
  (text) => /^\*?:\d+$/.test(text) ? `0.0.0.0:${text.split(":")[1]}` : undefined,
);

/** The name of a network interface: at most 15 bytes, as both kernels have it (IFNAMSIZ). */
export const interfaceName: Kind<string> = text(
  "INTERFACE",
  "an interface name of at most 15 letters, digits, dots, dashes and underscores",
  (text) =>
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text) && !/^\.+$/.test(text) ? text : undefined,
);
