/**
 * Addresses and networks of tests, from their texts.
 *
 * @module
 */

import { type Address, parseAddress, parsePrefix, type Prefix } from "../src/address.ts";

/** Returns the address that `text` is. */
export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (!parsed) throw new Error(`${text} is no address`);
  return parsed;
}

/** Returns the address with a prefix length, or the network, that `text` is. */
export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (!parsed) throw new Error(`${text} has no prefix`);
  return parsed;
}
