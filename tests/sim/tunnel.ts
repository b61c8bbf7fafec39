/**
 * What the simulator drives: the verbs of `Endpoint`, and how a pair of them is made.
 *
 * @module
 */

import type { Remote } from "../../src/remote.ts";
import type { PacketPool } from "../../src/slab.ts";
import type { Core } from "../../src/tunnel/core.ts";
import type { EndpointStatus } from "../../src/tunnel/options.ts";
import type { Rng } from "../pair/rng.ts";
import type { Side } from "./packet.ts";

/** One end of a tunnel. */
export interface Tunnel extends Core {
  status(now: number): EndpointStatus | undefined;
}

/** What one end is built from. */
export interface TunnelContext {
  readonly side: Side;
  readonly pool: PacketPool;
  /** How many sockets it has. */
  readonly sockets: number;
  readonly rng: Rng;
  /** By link: where to reach the other end. On the server only until it learns better. */
  readonly remotes: readonly Remote[];
}

/** Builds one end. */
export type TunnelFactory = (context: TunnelContext) => Tunnel;
