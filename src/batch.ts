/**
 * Batches, in which datagrams travel between the core and the sockets.
 *
 * @module
 */

import { type Remote, REMOTE_BYTES } from "./remote.ts";
import { DatagramSlab } from "./slab.ts";

/** Datagrams of one batch. */
export const BATCH_DATAGRAMS = 64;

/** Messages asked of the kernel at once. Where it joins datagrams, each is a run of them. */
export const MESSAGES = 16;
/** Room for one message: no UDP datagram is longer. */
export const MESSAGE_BYTES = 65_536;

/** Datagrams that one socket received; the first `count` slots of the slab. */
export class ReceiveBatch {
  /** The slots; the memory behind them holds what has arrived but is not yet in slots. */
  readonly slab: DatagramSlab = new DatagramSlab(BATCH_DATAGRAMS, MESSAGES * MESSAGE_BYTES);
  /** Bytes of each datagram; 0 for one that was too large and must be ignored. */
  readonly lengths: Uint16Array<ArrayBuffer> = new Uint16Array(BATCH_DATAGRAMS);
  /** One endpoint record (`src/remote.ts`) per datagram. */
  readonly remotes: Uint8Array<ArrayBuffer> = new Uint8Array(BATCH_DATAGRAMS * REMOTE_BYTES);
  count = 0;
  /** How many messages to ask for at once, 1 to {@linkcode MESSAGES}; each can be many datagrams. */
  messages = MESSAGES;
}

/** Datagrams for one socket to send; the first `count` slots of the slab. */
export class TransmitBatch {
  readonly slab: DatagramSlab = new DatagramSlab(BATCH_DATAGRAMS);
  readonly lengths: Uint16Array<ArrayBuffer> = new Uint16Array(BATCH_DATAGRAMS);
  readonly remotes: Remote[] = [];
  /** The path each datagram belongs to, for errors that sending reports; -1 for none. */
  readonly paths: Int32Array<ArrayBuffer> = new Int32Array(BATCH_DATAGRAMS);
  count = 0;

  get full(): boolean {
    return this.count === BATCH_DATAGRAMS;
  }

  /** Appends a whole datagram that belongs to no path. The batch must not be full. */
  append(datagram: Uint8Array, remote: Remote): void {
    this.slab.bytes.set(datagram, this.slab.at(this.count));
    this.lengths[this.count] = datagram.length;
    this.remotes[this.count] = remote;
    this.paths[this.count] = -1;
    this.count++;
  }
}

/** Why the kernel refused to send. */
export type SendFailure =
  | "again" // socket buffer full: wait for POLLOUT
  | "nobufs" // interface queue full (ENOBUFS): back-pressure, not death
  | "unreachable" // no route, interface or network down: the link is dead right now
  | "message-size" // larger than the path MTU the kernel knows
  | "refused" // an earlier datagram met a closed port (ECONNREFUSED): says nothing about the link
  | "denied"; // EPERM or EACCES, such as a firewall rule
