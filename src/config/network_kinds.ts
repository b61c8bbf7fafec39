/**
 * Kinds of addresses, networks, endpoints and names of the network.
 *
 * @module
 */

import { Address, type Family, parseAddress, parsePrefix, Prefix } from "../address.ts";
import { isPattern } from "../pattern.ts";
import type { ListenConfig } from "./config.ts";
import { type HostAndPort, parseHostPort } from "./host_port.ts";
import { expected, type Kind, text } from "./kind.ts";

const SAMPLE: Readonly<Record<Family, string>> = { 4: "10.44.43.1", 6: "fd00:44::1" };
const SAMPLE_LENGTH: Readonly<Record<Family, number>> = { 4: 30, 6: 64 };
/** What `default` and `default6` stand for; `default` alone may mean both: see the `[tunnel]` table. */
export const ALL: Readonly<Record<Family, Prefix>> = {
  4: new Prefix(new Uint8Array(4), 0),
  6: new Prefix(new Uint8Array(16), 0),
};

/** An address of either family, such as a source address. */
export const anyAddress: Kind<Address> = text(
  "ADDRESS",
  'an IP address such as "192.0.2.1" or "2001:db8::1"',
  parseAddress,
  (text) => parsePrefix(text) && text.split("/", 1)[0],
);

/** The address of a host, of one family, such as a gateway. */
export function hostAddress(family: Family): Kind<Address> {
  return text(
    "ADDRESS",
    `an IPv${family} address such as "${SAMPLE[family]}"`,
    (text) => hostOf(parseAddress(text), family),
    (text) => parsePrefix(text)?.family === family ? text.split("/", 1)[0] : undefined,
  );
}

/** The address of a name server that is reached through the tunnel. */
export const nameServer: Kind<Address> = text(
  "ADDRESS",
  'an IP address such as "10.44.43.2" or "2001:db8::53"',
  (text) => {
    const address = parseAddress(text);
    return address?.isOfHost && !address.isLinkLocal ? address : undefined;
  },
);

/** The address of this host's tunnel interface and the length of its network's prefix. */
export function interfaceAddress(family: Family): Kind<Prefix> {
  const sample = `${SAMPLE[family]}/${SAMPLE_LENGTH[family]}`;
  return text(
    "ADDRESS/LENGTH",
    `an IPv${family} address of a host with a prefix length, such as "${sample}"`,
    (text) => {
      const prefix = parsePrefix(text);
      const host = hostOf(prefix?.toAddress(), family);
      if (!prefix || !host || prefix.isDefault) return undefined;
      return prefix.isNetworkAddress(host) || prefix.isBroadcast(host) ? undefined : prefix;
    },
    (text) => suggestInterfaceAddress(text, family),
  );
}

function suggestInterfaceAddress(text: string, family: Family): string | undefined {
  if (parseAddress(text)?.family === family) return `${text}/${SAMPLE_LENGTH[family]}`;
  const prefix = parsePrefix(text);
  if (!prefix || !hostOf(prefix.toAddress(), family)) return undefined;
  // The network itself or its broadcast address: the first host is more likely meant.
  const first = prefix.toNetwork().bytes.slice();
  first[first.length - 1]! |= 1;
  return `${new Prefix(first, prefix.length)}`;
}

/** A client's inner address as a network of one address; a prefix length is allowed and ignored. */
export function clientAddress(family: Family): Kind<Prefix> {
  return text(
    "ADDRESS",
    `an IPv${family} address such as "${SAMPLE[family]}"`,
    (text) => hostOf(parsePrefix(text)?.toAddress() ?? parseAddress(text), family)?.toPrefix(),
  );
}

/** Returns the address without zone if a host in the tunnel can have it: there is only one link. */
function hostOf(address: Address | undefined, family: Family): Address | undefined {
  return address?.family === family && address.isOfHost ? new Address(address.bytes) : undefined;
}

/** A network; `default` and `default6` are all addresses. */
export const network: Kind<Prefix> = text(
  "NETWORK",
  'a network such as "192.0.2.0/24", "2001:db8::/32" or "default"',
  (text) => {
    if (text === "default") return ALL[4];
    if (text === "default6") return ALL[6];
    const prefix = parsePrefix(text);
    return prefix?.equals(prefix.toNetwork()) ? prefix : undefined;
  },
  (text) => {
    const prefix = parseAddress(text)?.toPrefix() ?? parsePrefix(text)?.toNetwork();
    return prefix && `${prefix}`;
  },
);

/** A host with or without a port. */
export const host: Kind<HostAndPort> = text(
  "HOST[:PORT]",
  'a host name or address, such as "vpn.example.net", "192.0.2.1:5080" or "[2001:db8::1]:5080"',
  parseHostPort,
);

/** An address and a port to listen on. */
export const listenAddress: Kind<ListenConfig> = text(
  "ADDRESS:PORT",
  'an address and a port from 1 to 65535, such as "192.0.2.1:5080" or "[2001:db8::1]:5080"',
  (text) => {
    const { host, port } = parseHostPort(text) ?? {};
    return host instanceof Address && port !== undefined ? { host, port } : undefined;
  },
  (text) => /^\*?:\d+$/.test(text) ? `0.0.0.0:${text.split(":")[1]}` : undefined,
);

/** Where HTTP is served: this host alone can ask, unless an address is written. */
export const httpAddress: Kind<ListenConfig> = {
  metavar: "PORT|ADDRESS:PORT",
  read: (value, field) => {
    const text = value.kind === "integer" || value.kind === "string" ? `${value.value}` : "";
    const { host, port } = parseHostPort(/^\d+$/.test(text) ? `127.0.0.1:${text}` : text) ?? {};
    if (host instanceof Address && port !== undefined) return { host, port };
    const hint = /^(?:localhost|\*)?:\d+$/.test(text)
      ? `did you mean ${text.slice(text.indexOf(":") + 1)}?`
      : undefined;
    const what = 'a port from 1 to 65535, or an address and a port such as "192.0.2.1:9180"';
    return expected(value, field, what, hint);
  },
};

/** The name of an interface, or a pattern of names. */
export const interfacePattern: Kind<string> = text(
  "INTERFACE",
  'an interface name of at most 15 letters, digits, dots, dashes and underscores, or a pattern such as "wwan*"',
  (text) => {
    if (!/^[A-Za-z0-9_*?][A-Za-z0-9_.*?-]{0,14}$/.test(text)) return undefined;
    return isPattern(text) ? text : interfaceNameOf(text);
  },
);

/** The name of a network interface: at most 15 bytes in both kernels (IFNAMSIZ). */
export const interfaceName: Kind<string> = text(
  "INTERFACE",
  "an interface name of at most 15 letters, digits, dots, dashes and underscores",
  interfaceNameOf,
);

/** Tells whether an interface may have this name. */
export function isInterfaceName(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(text);
}

function interfaceNameOf(text: string): string | undefined {
  return isInterfaceName(text) ? text : undefined;
}
