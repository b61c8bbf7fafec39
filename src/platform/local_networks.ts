/**
 * The networks of a host itself, which a leak guard leaves alone.
 *
 * An uplink's public network belongs to its provider, and whoever runs the network that a host has
 * joined can call anything local (CVE-2023-36672, CVE-2024-3661). So of an uplink only private
 * networks count, and routes do not: they may come from a DHCP server.
 *
 * @module
 */

import { parsePrefix, type Prefix } from "../address.ts";

/** Private addresses of IPv4 (RFC 1918) and link-local ones (RFC 3927), unique local ones of IPv6. */
const PRIVATE: readonly Prefix[] = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "fc00::/7",
].map((text) => parsePrefix(text)!);

/** A network of one of the host's interfaces. */
export interface LocalNetwork {
  readonly interface: string;
  readonly network: Prefix;
}

/**
 * Returns the local ones of the networks that interfaces have by their `addresses`, each once.
 *
 * @param uplinks interfaces that lead to the internet
 * @param device the tunnel's interface
 */
export function localNetworks(
  addresses: readonly { readonly interface: string; readonly address: Prefix }[],
  uplinks: ReadonlySet<string>,
  device: string | undefined,
): LocalNetwork[] {
  const networks = new Map<string, LocalNetwork>();
  for (const { interface: name, address } of addresses) {
    const network = address.toNetwork();
    const isPrivate = PRIVATE.some((range) => range.covers(network));
    // Link-local addresses of IPv6 are allowed on every interface.
    const first = network.toAddress();
    if (name === device || network.isSingle || first.isLinkLocal || !first.isOfHost) continue;
    if (!isPrivate && uplinks.has(name)) continue;
    networks.set(`${name} ${network}`, { interface: name, network });
  }
  return [...networks.values()];
}
