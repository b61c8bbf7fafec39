/**
 * Names to addresses, by the system's resolver: /etc/hosts counts.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { type Remote, remoteOf } from "../remote.ts";
import { Address, type Family, parseAddress } from "../address.ts";

/** Finds the addresses of a name. Throws AggvpnError when there are none. */
export type Lookup = (host: string) => Promise<readonly Address[]>;

/** Finds the number of an interface, for addresses such as `fe80::1%eth0`; 0 for none. */
export type FindInterface = (name: string) => number;

/**
 * Resolves `host`, an address or a name. With `family` only such an address will do; without, IPv4
 * comes before IPv6, because that is what a socket without further options uses. Throws AggvpnError
 * when the name is unknown or has no address of the family.
 */
export async function resolveRemote(
  host: Address | string,
  port: number,
  family?: Family,
  findInterface: FindInterface = () => 0,
  lookup: Lookup = lookupAddresses,
): Promise<Remote> {
  const candidates = host instanceof Address ? [host] : await lookup(host);
  const address = candidates.find((candidate) => candidate.family === (family ?? 4)) ??
    (family === undefined ? candidates[0] : undefined);
  if (!address) {
    throw new AggvpnError(`${host} has no IPv${family ?? 4} address`, {
      hint: "The address of a link and that of its remote must be of one family.",
    });
  }
  return remoteOf(address.bytes, port, zoneIndex(address, findInterface));
}

/** Asks the system's resolver. */
export async function lookupAddresses(host: string): Promise<Address[]> {
  try {
    // Imported here: it loads much of Deno's node layer, a third of the time of a start.
    const { lookup } = await import("node:dns/promises");
    const found = await lookup(host, { all: true });
    return found.flatMap(({ address }) => parseAddress(address) ?? []);
  } catch (cause) {
    throw new AggvpnError(`Cannot resolve "${host}"`, {
      cause,
      hint: "Check the name and this host's resolver, or give an address.",
    });
  }
}

function zoneIndex({ zone }: Address, findInterface: FindInterface): number {
  if (zone === undefined) return 0;
  const index = /^\d+$/.test(zone) ? Number(zone) : findInterface(zone);
  if (index > 0) return index;
  throw new AggvpnError(`Cannot find interface "${zone}"`, {
    hint: "A link-local address ends with the name of one of this host's interfaces.",
  });
}
