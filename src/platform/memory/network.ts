/**
 * A network in memory: sockets that reach each other by address, at once and
 * without loss, until a test says otherwise.
 *
 * @module
 */

import { Address, type Family } from "../../address.ts";
import { BATCH_DATAGRAMS, type ReceiveBatch, type TransmitBatch } from "../../batch.ts";
import type { SendFailure } from "../../batch.ts";
import { AggvpnError } from "../../errors.ts";
import { type Remote, REMOTE_BYTES, remoteOf } from "../../remote.ts";
import { SLOT_BYTES } from "../../slab.ts";
import type { LinkSocket, SocketOptions } from "../platform.ts";

/** First port for sockets that name none (RFC 6335 section 6, the dynamic ports). */
const FIRST_DYNAMIC_PORT = 49152;

const LOOPBACK: Readonly<Record<Family, Address>> = {
  4: new Address(Uint8Array.of(127, 0, 0, 1)),
  6: new Address(new Uint8Array(16).fill(1, 15)),
};

/** A datagram that waits in a receive queue. */
interface Queued {
  readonly payload: Uint8Array;
  readonly from: Remote;
}

/** Sockets by address, and listeners for deliveries. */
export class MemoryNetwork {
  /** Called after each delivery. */
  readonly listeners: (() => void)[] = [];
  readonly #sockets = new Map<string, MemorySocket>();
  #nextPort = FIRST_DYNAMIC_PORT;

  /** Opens a socket. An address that is not given is 127.0.0.1 or ::1. Throws AggvpnError if taken. */
  open(fd: number, options: SocketOptions): MemorySocket {
    const address = options.address ?? LOOPBACK[options.family];
    const local = remoteOf(address.bytes, options.port ?? this.#nextPort++);
    if (this.#sockets.has(local.toString())) {
      const cause = new Error("EADDRINUSE");
      throw new AggvpnError(`Cannot bind to ${local}: Address already in use`, { cause });
    }
    const socket = new MemorySocket(this, fd, local);
    this.#sockets.set(local.toString(), socket);
    return socket;
  }

  /** Puts a datagram into the queue of the socket at `to`; lost when there is none. */
  deliver(from: Remote, to: Remote, payload: Uint8Array): void {
    const socket = this.#sockets.get(to.toString());
    if (!socket) return;
    socket.enqueue({ payload, from });
    for (const listener of this.listeners) listener();
  }

  /** Frees the address of a socket. */
  remove(socket: MemorySocket): void {
    this.#sockets.delete(socket.localAddress);
  }
}

/** A socket of a {@linkcode MemoryNetwork}. */
export class MemorySocket implements LinkSocket {
  failure: SendFailure | undefined;
  receiveDrops = 0;
  readonly backlog = false;
  /** For tests: how every send fails, until it is undefined again. */
  nextFailure: SendFailure | undefined;
  readonly localAddress: string;
  readonly #network: MemoryNetwork;
  readonly #local: Remote;
  #queue: Queued[] = [];

  constructor(network: MemoryNetwork, readonly fd: number, local: Remote) {
    this.#network = network;
    this.#local = local;
    this.localAddress = local.toString();
  }

  /** Datagrams that {@linkcode receive} has not taken. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Adds a datagram to the receive queue. */
  enqueue(datagram: Queued): void {
    this.#queue.push(datagram);
  }

  receive(batch: ReceiveBatch): number {
    const taken = this.#queue.splice(0, BATCH_DATAGRAMS);
    for (const [i, { payload, from }] of taken.entries()) {
      const fits = payload.length <= SLOT_BYTES;
      batch.lengths[i] = fits ? payload.length : 0;
      if (fits) batch.slab.bytes.set(payload, batch.slab.at(i));
      batch.remotes.set(from.bytes, i * REMOTE_BYTES);
    }
    return batch.count = taken.length;
  }

  send(batch: TransmitBatch, first: number): number {
    this.failure = this.nextFailure;
    if (this.failure !== undefined) return 0;
    for (let i = first; i < batch.count; i++) {
      const start = batch.slab.at(i);
      const payload = batch.slab.bytes.slice(start, start + batch.lengths[i]!);
      this.#network.deliver(this.#local, batch.remotes[i]!, payload);
    }
    return batch.count - first;
  }

  close(): void {
    this.#network.remove(this);
    this.#queue = [];
  }
}
