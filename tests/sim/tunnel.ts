/**
 * What the simulator drives: the verbs of `Endpoint`, and how a pair of them is made.
 *
 * @module
 */

import type { ReceiveBatch, TransmitBatch } from "../../src/batch.ts";
import type { SendFailure } from "../../src/platform/platform.ts";
import type { Remote } from "../../src/remote.ts";
import type { PacketPool } from "../../src/slab.ts";
import type { EndpointEvent, EndpointStatus } from "../../src/tunnel/options.ts";
import type { Side } from "./packet.ts";
import type { Rng } from "./rng.ts";

/** One end of a tunnel. */
export interface Tunnel {
  wantsPackets(): number;
  handlePackets(now: number, slots: Int32Array, count: number): void;
  handleDatagrams(now: number, socket: number, batch: ReceiveBatch): void;
  handleSendFailure(now: number, socket: number, path: number, failure: SendFailure): void;
  handleTimeout(now: number): void;
  pollTransmit(now: number, batches: readonly TransmitBatch[]): boolean;
  pollPackets(now: number, slots: Int32Array): number;
  pollEvent(): EndpointEvent | undefined;
  pollTimeout(): number;
  status(now: number): EndpointStatus | undefined;
  close(now: number): void;
}

/** What one end is built from. */
export interface TunnelContext {
  readonly side: Side;
  readonly pool: PacketPool;
  /** How many sockets it has. */
  readonly sockets: number;
  readonly rng: Rng;
  /** By link: where the other end is reached. On the server only until it learns better. */
  readonly remotes: readonly Remote[];
}

/** Builds one end. */
export type TunnelFactory = (context: TunnelContext) => Tunnel;
