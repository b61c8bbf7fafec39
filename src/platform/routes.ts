/**
 * Routes of a tunnel that stand beside those of the host.
 *
 * @module
 */

import { Prefix } from "../address.ts";

/** A default route becomes two halves, which win over the host's own without replacing it. */
export function halvesOf(destination: Prefix): readonly Prefix[] {
  if (!destination.isDefault) return [destination];
  const upper = new Uint8Array(destination.bytes.length);
  upper[0] = 0x80;
  return [new Prefix(new Uint8Array(upper.length), 1), new Prefix(upper, 1)];
}
