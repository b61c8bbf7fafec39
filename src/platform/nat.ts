/**
 * Which of a tunnel's networks are translated to the address of the host.
 *
 * @module
 */

import { Prefix } from "../address.ts";
import type { NetworkPlan } from "./platform.ts";

/** Unique local addresses, which nobody routes: RFC 4193 section 3.1. */
export const UNIQUE_LOCAL = new Prefix(Uint8Array.of(0xfc, ...new Array<number>(15).fill(0)), 7);

/**
 * Returns the addresses whose networks are translated. An IPv6 network that is not unique local was
 * given to this host to be routed, and hosts in it are to be reached by their own addresses.
 */
export function translated({ nat, addresses }: NetworkPlan): readonly Prefix[] {
  return addresses.filter((one) => nat && (one.family === 4 || UNIQUE_LOCAL.covers(one)));
}
