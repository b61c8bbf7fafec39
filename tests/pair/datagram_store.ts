/**
 * Datagrams on their way or in a socket's buffer, by number; the buffers are reused.
 *
 * @module
 */

import type { Remote } from "../../src/remote.ts";
import { SLOT_BYTES } from "../../src/slab.ts";

/** A datagram between two hosts. */
export interface Datagram {
  readonly bytes: Uint8Array;
  length: number;
  /** The receiving socket. */
  socket: number;
  /** The sender, as the receiver sees it. */
  from: Remote;
}

/** All datagrams of a simulation. */
export class DatagramStore {
  readonly #datagrams: Datagram[] = [];
  readonly #free: number[] = [];

  /** Datagrams in use. */
  get used(): number {
    return this.#datagrams.length - this.#free.length;
  }

  /** Copies a datagram; returns its number. */
  put(slab: Uint8Array, at: number, length: number, socket: number, from: Remote): number {
    const index = this.#free.pop() ?? this.#datagrams.length;
    if (index === this.#datagrams.length) {
      this.#datagrams.push({ bytes: new Uint8Array(SLOT_BYTES), length, socket, from });
    }
    const datagram = this.#datagrams[index]!;
    datagram.bytes.set(slab.subarray(at, at + length));
    datagram.length = length;
    datagram.socket = socket;
    datagram.from = from;
    return index;
  }

  get(index: number): Datagram {
    return this.#datagrams[index]!;
  }

  release(index: number): void {
    this.#free.push(index);
  }
}
