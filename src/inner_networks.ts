/**
 * Whose addresses are whose inside the tunnel.
 *
 * @module
 */

import type { Prefix } from "./address.ts";

/** What a peer may use as the source of its packets, as this end sees it. */
export interface InnerNetworks {
  /** Where its packets may come from; empty: from anywhere. */
  readonly allowed: readonly Prefix[];
  /** Addresses of this end, which are no source of a packet that arrives. */
  readonly own: readonly Prefix[];
}
