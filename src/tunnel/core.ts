/**
 * The tunnel machine as the driver and the simulator see it: they tell it and ask it everything.
 *
 * The product's is `Endpoint`; tests drive the loop with smaller ones.
 *
 * @module
 */

import type { ReceiveBatch, SendFailure, TransmitBatch } from "../batch.ts";
import type { EndpointEvent } from "./options.ts";

/** What the driver calls; `now` is in microseconds, monotonic. */
export interface Core {
  /** How many packets may be read from the TUN; 0 is back-pressure. */
  wantsPackets(): number;
  /** Takes over the first `count` slots of `slots`. */
  handlePackets(now: number, slots: Int32Array, count: number): void;
  handleDatagrams(now: number, socket: number, batch: ReceiveBatch): void;
  handleSendFailure(
    now: number,
    socket: number,
    path: number,
    failure: SendFailure,
    length: number,
  ): void;
  /** Link `link` has an obstacle, in words, or (undefined) a way that is free or another. */
  handleNetworkChange(now: number, link: number, obstacle: string | undefined): void;
  /** Call it when {@linkcode pollTimeout} is due; harmless before. */
  handleTimeout(now: number): void;
  /** Appends what is due to `batches[socket]`; true when a batch is full and more waits. */
  pollTransmit(now: number, batches: readonly TransmitBatch[]): boolean;
  /** Fills `slots` with packets for the TUN, which the caller releases; returns how many. */
  pollPackets(now: number, slots: Int32Array): number;
  pollEvent(): EndpointEvent | undefined;
  /** The next deadline in microseconds; Infinity for none. */
  pollTimeout(): number;
  /** Queues a farewell for every peer; drain {@linkcode pollTransmit} once more. */
  close(now: number): void;
}
