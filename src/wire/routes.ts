/**
 * Which peer takes a packet for an inner address, and which addresses a peer may use.
 *
 * @module
 */

import { Address, type Family, type Prefix } from "../address.ts";
import { IPV4_DESTINATION, IPV4_SOURCE, IPV6_DESTINATION, IPV6_SOURCE } from "./ip_layout.ts";

/** Tells whether the source of the packet at `at` lies in one of `networks`; none: any will do. */
export function mayUseSource(
  networks: readonly Prefix[],
  bytes: Uint8Array,
  at: number,
  version: Family,
): boolean {
  return networks.length === 0 || isFromAny(networks, bytes, at, version);
}

/** The same where an empty list means that no source will do. */
export function isFromAny(
  networks: readonly Prefix[],
  bytes: Uint8Array,
  at: number,
  version: Family,
): boolean {
  for (const network of networks) if (isFrom(network, bytes, at, version)) return true;
  return false;
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

/** Returns the source of the packet at `at`. */
export function sourceOf(bytes: Uint8Array, at: number, version: Family): Address {
  const from = at + (version === 4 ? IPV4_SOURCE : IPV6_SOURCE);
  return new Address(bytes.slice(from, from + (version === 4 ? 4 : 16)));
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
