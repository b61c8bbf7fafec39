/**
 * The local address that a link's socket is to have.
 *
 * @module
 */

import { type Address, parseAddress } from "../address.ts";
import { AggvpnError } from "../errors.ts";
import type { SocketOptions } from "./platform.ts";

/** Returns the address family of the socket. Throws AggvpnError when its address is invalid. */
export function familyOf(options: SocketOptions): 4 | 6 {
  if (options.address === undefined) return options.family;
  return parseLocal(options.address).bytes.length === 4 ? 4 : 6;
}

/** Parses the address to bind to. Throws AggvpnError when it is invalid. */
export function parseLocal(text: string): Address {
  const address = parseAddress(text);
  if (address) return address;
  throw new AggvpnError(`Cannot bind to ${JSON.stringify(text)}: not an IP address`, {
    hint: "Give an IPv4 or IPv6 address of this host.",
  });
}
