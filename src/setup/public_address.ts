/**
 * Which of a host's addresses others can reach it by.
 *
 * @module
 */

import { type Address, parsePrefix, type Prefix } from "../address.ts";

/** Addresses that mean nothing elsewhere: RFC 1918, 6598, 3927, 5735, 4193, 4291. */
const LOCAL: readonly Prefix[] = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "198.18.0.0/15",
  "fc00::/7",
  "fe80::/10",
].map((text) => parsePrefix(text)!);

/** Tells whether other networks can have a route to an address. */
export function isPublic(address: Address): boolean {
  return address.isOfHost && !LOCAL.some((network) => network.covers(address));
}

/**
 * Returns the public addresses, those of the interfaces with a default route first, IPv4 before
 * IPv6.
 */
export function publicAddresses(
  addresses: readonly { readonly interface: string; readonly address: Prefix }[],
  uplinks: readonly string[],
): Address[] {
  const found = addresses.map((one) => ({ ...one, address: one.address.toAddress() }))
    .filter(({ address }) => isPublic(address));
  const rank = ({ interface: name, address }: (typeof found)[number]): number =>
    (uplinks.includes(name) ? 0 : 2) + (address.family === 4 ? 0 : 1);
  return found.toSorted((a, b) => rank(a) - rank(b)).map(({ address }) => address);
}
