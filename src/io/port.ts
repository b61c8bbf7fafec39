/**
 * One socket of the tunnel and the datagrams that wait to leave it.
 *
 * A send that stops short is handled here: a full buffer keeps the rest for later, anything else
 * costs one datagram, about which the core is told.
 *
 * @module
 */

import { TransmitBatch } from "../batch.ts";
import type { LinkSocket } from "../platform/platform.ts";
import type { Core } from "../tunnel/core.ts";

/** Pause after ENOBUFS: the interface's queue gives no sign when it has room again. */
const NOBUFS_RETRY_US = 1000;

/** A socket, by its number: link id on a client, listen index on a server. */
export class Port {
  readonly batch: TransmitBatch = new TransmitBatch();
  /** The socket; undefined while it cannot be opened. */
  socket: LinkSocket | undefined;
  /** Position in the poller's list; -1 while it is not watched. */
  watched = -1;
  /** Whether the socket's buffer is full, so that it has to wait for POLLOUT. */
  blocked = false;
  /** When to try to send again after ENOBUFS; Infinity when there is nothing to retry. */
  retryAtUs = Infinity;
  /** When to try to open the socket again. */
  reopenAtUs = Infinity;
  /** Whether there is to be no socket, since its link was removed. */
  isGone = false;
  /** Datagrams the kernel dropped on sockets that have since been closed. */
  #pastDrops = 0;
  /** First datagram of the batch that has not been sent. */
  #first = 0;

  constructor(readonly index: number) {}

  /** Datagrams the kernel dropped because a receive buffer was full. */
  get receiveDrops(): number {
    return this.#pastDrops + (this.socket?.receiveDrops ?? 0);
  }

  /** Whether it has to wait before it sends. */
  get held(): boolean {
    return this.blocked || this.retryAtUs !== Infinity;
  }

  /** Closes the socket and forgets what waited for it; new keys resend what matters. */
  closeSocket(): void {
    if (this.socket === undefined) return;
    this.#pastDrops += this.socket.receiveDrops;
    this.socket.close();
    this.socket = undefined;
    this.#reset();
  }

  /** Sends what the batch holds. Returns whether anything left the batch. */
  flush(now: number, core: Core): boolean {
    const batch = this.batch;
    if (batch.count === 0 || this.held) return false;
    const before = this.#first;
    while (this.#first < batch.count) {
      if (this.socket !== undefined) this.#first += this.socket.send(batch, this.#first);
      if (this.#first < batch.count && !this.#refused(now, core)) return this.#first > before;
    }
    this.#reset();
    return true;
  }

  /** Handles the failure of the next datagram; returns false when it has to wait. */
  #refused(now: number, core: Core): boolean {
    const failure = this.socket === undefined ? "unreachable" : this.socket.failure ?? "again";
    if (failure === "again") {
      this.blocked = true;
      return false;
    }
    if (failure === "nobufs") {
      this.retryAtUs = now + NOBUFS_RETRY_US;
      return false;
    }
    const { paths, lengths } = this.batch;
    core.handleSendFailure(now, this.index, paths[this.#first]!, failure, lengths[this.#first]!);
    this.#first++;
    return true;
  }

  #reset(): void {
    this.batch.count = 0;
    this.#first = 0;
    this.blocked = false;
    this.retryAtUs = Infinity;
  }
}
