/**
 * Names to addresses, by the system's resolver: /etc/hosts counts.
 *
 * @module
 */

import { AbsentError, AggvpnError } from "../errors.ts";
import { type Remote, remoteOf } from "../remote.ts";
import { type Address, type Family, parseAddress } from "../address.ts";

/** Finds the addresses of a name. Throws AbsentError when there are none. */
export type Lookup = (host: string) => Promise<readonly Address[]>;

/** Finds the number of an interface, for addresses such as `fe80::1%eth0`; 0 for none. */
export type FindInterface = (name: string) => number;

/**
 * Returns those of `addresses`, which are all that `host` has, that a link may send to, in their
 * order, which is the resolver's (RFC 6724); with `family` only such. Throws AbsentError when none
 * is left.
 */
export function remotesOf(
  host: Address | string,
  addresses: readonly Address[],
  port: number,
  family?: Family,
  findInterface: FindInterface = () => 0,
): readonly Remote[] {
  const usable = addresses.filter((address) => [undefined, address.family].includes(family));
  if (usable.length === 0) {
    throw new AbsentError(`${host} has no IPv${family ?? 4} address`, {
      hint: "The address of a link and that of its remote must be of one family.",
    });
  }
  return usable.map((address) => remoteOf(address.bytes, port, zoneIndex(address, findInterface)));
}

/**
 * Returns `remotes` with both families alternately, each in its order: RFC 8305 section 4 with a First
 * Address Family Count of 1. `first` is the family to begin with, by default that of the first.
 */
export function interleaveFamilies(
  remotes: readonly Remote[],
  first: Family | undefined = remotes[0]?.family,
): readonly Remote[] {
  const preferred = remotes.filter(({ family }) => family === first);
  const others = remotes.filter(({ family }) => family !== first);
  const count = Math.max(preferred.length, others.length);
  return Array.from({ length: count }, (_, i) => [preferred[i], others[i]]).flat()
    .filter((remote) => remote !== undefined);
}

/** Asks the system's resolver. */
export async function lookupAddresses(host: string): Promise<Address[]> {
  try {
    // Imported here: it loads much of Deno's node layer, a third of the time of a start.
    const { lookup } = await import("node:dns/promises");
    const found = await lookup(host, { all: true });
    return found.flatMap(({ address }) => parseAddress(address) ?? []);
  } catch (cause) {
    throw new AbsentError(`Cannot resolve "${host}"`, {
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
