/**
 * Lines between clients and a server in virtual time: which line a datagram takes, when it
 * arrives, and from which sender it seems to come. What happens to it then is up to the end.
 *
 * @module
 */

import type { Remote } from "../../src/remote.ts";
import { DatagramStore } from "./datagram_store.ts";
import { DROPPED } from "./elements/element.ts";
import { EventQueue, type Handler } from "./event_queue.ts";
import type { SimLink } from "./link.ts";

/** An end, as the network sees it. */
export interface Station {
  /** Datagram `index` of the store has arrived; it is to be released. */
  onDatagram(now: number, index: number): void;
}

/** Where a line ends. */
export interface LineEnds<S extends Station> {
  readonly clientEnd: S;
  readonly serverEnd: S;
  /** The client's socket, and the server's. */
  readonly socket: number;
  readonly serverSocket: number;
  /** Where the client seems to be, and where the server is. */
  readonly client: Remote;
  readonly server: Remote;
}

/** One link of a client, and what it does to datagrams. */
export class Line<S extends Station = Station> {
  readonly clientEnd: S;
  readonly serverEnd: S;
  readonly socket: number;
  readonly serverSocket: number;
  /** Where the client seems to be; assign another to roam. */
  client: Remote;
  /** Where the server is; assign another to move it. */
  server: Remote;
  /** What happens when a datagram arrives at the server, and at the client. */
  readonly #atServer: Handler;
  readonly #atClient: Handler;

  constructor(ends: LineEnds<S>, readonly link: SimLink) {
    this.clientEnd = ends.clientEnd;
    this.serverEnd = ends.serverEnd;
    this.socket = ends.socket;
    this.serverSocket = ends.serverSocket;
    this.client = ends.client;
    this.server = ends.server;
    this.#atServer = { onEvent: (now, index) => this.arrive(now, this.serverEnd, index) };
    this.#atClient = { onEvent: (now, index) => this.arrive(now, this.clientEnd, index) };
  }

  /** What a datagram that arrives is handed to. */
  arrival(toServer: boolean): Handler {
    return toServer ? this.#atServer : this.#atClient;
  }

  protected arrive(now: number, end: S, index: number): void {
    end.onDatagram(now, index);
  }
}

/** Ends, the lines between them, and one clock. */
export abstract class VirtualNetwork<L extends Line> {
  readonly queue: EventQueue;
  readonly store = new DatagramStore();
  /** All lines, in order of clients and links. */
  readonly lines: L[] = [];
  readonly #lineTo = new Map<Remote, L>();

  constructor(queue: EventQueue = new EventQueue()) {
    this.queue = queue;
  }

  /** Microseconds of virtual time. */
  get now(): number {
    return this.queue.now;
  }

  /** The line taken by a datagram that the server sends to `remote`, if there is one. */
  protected lineTo(remote: Remote, serverSocket: number): L | undefined {
    let line = this.#lineTo.get(remote);
    if (!line?.client.equals(remote.bytes)) {
      line = this.lines.find(({ client }) => client.equals(remote.bytes));
      if (line) this.#lineTo.set(remote, line);
    }
    return line?.serverSocket === serverSocket ? line : undefined;
  }

  /** Puts a datagram on a line, on which it may be lost. */
  protected carry(
    line: L,
    toServer: boolean,
    slab: Uint8Array,
    at: number,
    length: number,
    from: Remote = toServer ? line.client : line.server,
  ): void {
    const { up, down } = line.link;
    const arrival = (toServer ? up : down).pass(this.queue.now, length);
    if (arrival === DROPPED) return;
    const socket = toServer ? line.serverSocket : line.socket;
    const index = this.store.put(slab, at, length, socket, from);
    this.queue.add(arrival, line.arrival(toServer), index);
  }
}
