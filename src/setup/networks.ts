/**
 * Addresses for a tunnel that nothing else has.
 *
 * @module
 */

import { type Family, Prefix } from "../address.ts";

/** Random bytes that {@linkcode chooseNetwork} wants. */
export const RANDOM_BYTES = 5;

/** Networks of IPv4 are one of these in 10.0.0.0/8, whose lower part everybody else takes. */
const SECOND = { first: 64, count: 192 } as const;
const LENGTH: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };

/**
 * Returns a network that overlaps none of `used`: of IPv4 10.x.y.0/24, of IPv6 a unique local one
 * with a random global id (RFC 4193). Undefined when there is none.
 *
 * @param random {@linkcode RANDOM_BYTES}
 */
export function chooseNetwork(
  family: Family,
  used: readonly Prefix[],
  random: Uint8Array,
): Prefix | undefined {
  const taken = used.filter(({ isDefault }) => !isDefault);
  const start = random[0]! << 8 | random[1]!;
  const count = SECOND.count * 256;
  for (let i = 0; i < count; i++) {
    const at = (start + i) % count;
    const network = family === 4
      ? prefix(4, [10, SECOND.first + (at >> 8), at & 0xff])
      : prefix(6, [0xfd, at >> 8, at & 0xff, ...random.subarray(2, RANDOM_BYTES)]);
    if (!taken.some((other) => other.overlaps(network))) return network;
  }
  return undefined;
}

/** Returns host number `host` of a network, with the network's prefix length. */
export function hostOf(network: Prefix, host: number): Prefix {
  const bytes = network.toNetwork().bytes.slice();
  for (let at = bytes.length - 1, rest = host; rest > 0; at--, rest = Math.floor(rest / 256)) {
    bytes[at] = bytes[at]! | rest % 256;
  }
  return new Prefix(bytes, network.length);
}

/**
 * Returns the lowest host number that is free in every one of `networks`, all of which have room
 * for it; undefined when they are full.
 */
export function freeHost(
  networks: readonly Prefix[],
  taken: readonly Prefix[],
): number | undefined {
  const bits = Math.min(...networks.map(({ bytes, length }) => 8 * bytes.length - length), 16);
  for (let host = 1; host < 2 ** bits; host++) {
    const isFree = networks.every((network) => {
      const address = hostOf(network, host).toAddress();
      return !network.isBroadcast(address) && !taken.some((other) => other.covers(address));
    });
    if (isFree) return host;
  }
  return undefined;
}

function prefix(family: Family, first: readonly number[]): Prefix {
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  bytes.set(first);
  return new Prefix(bytes, LENGTH[family]);
}
