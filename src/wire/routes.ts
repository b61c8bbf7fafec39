/**
 * Which peer takes a packet for an inner address, and which addresses a peer may use.
 *
 * @module
 */

import type { Family, Prefix } from "../address.ts";
import { IPV4_DESTINATION, IPV4_SOURCE, IPV6_DESTINATION, IPV6_SOURCE } from "./ip_layout.ts";

/** What it is called where peers are. */

/** Tells whether the source address of the packet at `at` lies in one of `networks`. */
export function mayUseSource(
  networks: readonly Prefix[],
  bytes: Uint8Array,
  at: number,
  version: Family,
): boolean {
  if (networks.length === 0) return true;
  return networks.some((network) => isFrom(network, bytes, at, version));
}

/**
 * Returns the longest matching prefix, in bits, of the packet's destination in
 * `networks`; 0 when the list is empty (everything is welcome), undefined for no match.
 */
export function matchDestination(
  networks: readonly Prefix[],
  bytes: Uint8Array,
  at: number,
  version: Family,
): number | undefined {
  if (networks.length === 0) return 0;
  let best: number | undefined;
  for (const network of networks) {
    const isLonger = best === undefined || network.length > best;
    if (isLonger && isTo(network, bytes, at, version)) best = network.length;
  }
  return best;
}

/** Tells whether the source of the packet at `at` lies in `network`. */
export function isFrom(network: Prefix, bytes: Uint8Array, at: number, version: Family): boolean {
  return network.contains(bytes, at + (version === 4 ? IPV4_SOURCE : IPV6_SOURCE), version);
}

/** Tells whether the destination of the packet at `at` lies in `network`. */
export function isTo(network: Prefix, bytes: Uint8Array, at: number, version: Family): boolean {
  const destination = version === 4 ? IPV4_DESTINATION : IPV6_DESTINATION;
  return network.contains(bytes, at + destination, version);
}
