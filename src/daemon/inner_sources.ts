/**
 * From which inner addresses the other end may send, and which are this end's own: as far as a
 * packet's source is concerned, what is routed into a tunnel is all that may come out of it.
 *
 * @module
 */

import { Prefix } from "../address.ts";
import type { ClientConfig, Config, ServerModeConfig, TunnelConfig } from "../config/config.ts";
import { ALL } from "../config/network_kinds.ts";
import type { InnerNetworks } from "../inner_networks.ts";

/** Neighbours on the tunnel interface speak from there: fe80::/10 (RFC 4291 section 2.5.6). */
const LINK_LOCAL = new Prefix(Uint8Array.of(0xfe, 0x80, ...new Array<number>(14).fill(0)), 10);

/** Returns the addresses of this end in the tunnel, as far as the configuration gives it some. */
export function ownAddresses({ tunnel }: Config): InnerNetworks["own"] {
  return addressesOf(tunnel).map((address) => address.toAddress().toPrefix());
}

/** Returns where packets of a client's server may come from; empty: from anywhere. */
export function serverSources({ tunnel }: Config): InnerNetworks["allowed"] {
  return isAddressed(tunnel) ? [...networksOf(tunnel), ...furtherOf(tunnel)] : [];
}

/**
 * Returns where packets of one of a server's clients may come from; empty: from anywhere. What is
 * routed into the tunnel is the only client's; several ones share nothing.
 */
export function clientSources(
  { tunnel, clients }: ServerModeConfig,
  { allowed }: ClientConfig,
): InnerNetworks["allowed"] {
  if (clients.length > 1) return allowed;
  const isPlaced = allowed.some(({ isSingle }) => isSingle);
  if (!isPlaced && !isAddressed(tunnel)) return [];
  const networks = isPlaced ? linkLocal(tunnel) : networksOf(tunnel);
  return [...networks, ...allowed, ...furtherOf(tunnel)];
}

/** Whether the tunnel's network is known: without an address here a script sets it. */
function isAddressed(tunnel: TunnelConfig): boolean {
  return addressesOf(tunnel).length > 0;
}

function addressesOf({ address, address6 }: TunnelConfig): Prefix[] {
  return [address, address6].filter((address) => address !== undefined);
}

function networksOf(tunnel: TunnelConfig): Prefix[] {
  return [...addressesOf(tunnel).map((address) => address.toNetwork()), ...linkLocal(tunnel)];
}

function linkLocal({ address6 }: TunnelConfig): Prefix[] {
  return address6 ? [LINK_LOCAL] : [];
}

function furtherOf({ routes, sources = [] }: TunnelConfig): Prefix[] {
  const any = sources.some(({ isDefault }) => isDefault);
  return any ? [ALL[4], ALL[6]] : [...routes, ...sources];
}
