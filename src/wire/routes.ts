/**
 * Which peer takes a packet for an inner address, and which addresses a peer may use.
 *
 * @module
 */

import { IPV4_DESTINATION, IPV4_SOURCE, IPV6_DESTINATION, IPV6_SOURCE } from "./ip_layout.ts";

/** A network: address bytes (4 or 16) and the length of the prefix in bits. */
export interface Network {
  readonly address: Uint8Array;
  readonly prefix: number;
}

/** Tells whether the source address of the packet at `at` lies in one of `networks`. */
export function mayUseSource(
  networks: readonly Network[],
  bytes: Uint8Array,
  at: number,
  version: 4 | 6,
): boolean {
  if (networks.length === 0) return true;
  return networks.some((network) => isFrom(network, bytes, at, version));
}

/**
 * Returns the longest matching prefix, in bits, of the packet's destination in
 * `networks`; 0 when the list is empty (everything is welcome), -1 for no match.
 */
export function matchDestination(
  networks: readonly Network[],
  bytes: Uint8Array,
  at: number,
  version: 4 | 6,
): number {
  if (networks.length === 0) return 0;
  let best = -1;
  for (const network of networks) {
    if (network.prefix > best && isTo(network, bytes, at, version)) {
      best = network.prefix;
    }
  }
  return best;
}

/** Tells whether the source of the packet at `at` lies in `network`. */
export function isFrom(network: Network, bytes: Uint8Array, at: number, version: 4 | 6): boolean {
  return contains(network, bytes, at + (version === 4 ? IPV4_SOURCE : IPV6_SOURCE), version);
}

/** Tells whether the destination of the packet at `at` lies in `network`. */
export function isTo(network: Network, bytes: Uint8Array, at: number, version: 4 | 6): boolean {
  return contains(
    network,
    bytes,
    at + (version === 4 ? IPV4_DESTINATION : IPV6_DESTINATION),
    version,
  );
}

/** Tells whether the address at `at`, of IP `version`, lies in `network`. */
export function contains(network: Network, bytes: Uint8Array, at: number, version: 4 | 6): boolean {
  if (network.address.length !== (version === 4 ? 4 : 16)) return false;
  const whole = network.prefix >> 3;
  for (let i = 0; i < whole; i++) if (bytes[at + i] !== network.address[i]) return false;
  const rest = network.prefix & 7;
  return rest === 0 || (bytes[at + whole]! ^ network.address[whole]!) >> (8 - rest) === 0;
}
