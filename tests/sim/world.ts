/**
 * Two hosts, the lines between them, and the traffic of their users: everything in
 * one virtual time. The same options and the same seed give the same run.
 *
 * @module
 */

import type { TransmitBatch } from "../../src/batch.ts";
import type { SendFailure } from "../../src/batch.ts";
import { type Remote, remoteOf } from "../../src/remote.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import { DatagramStore } from "../pair/datagram_store.ts";
import { DROPPED } from "../pair/elements/element.ts";
import { EventQueue, type Handler } from "../pair/event_queue.ts";
import type { Flow, Network } from "./flows/flow.ts";
import { explaining, InvariantError } from "../pair/invariants.ts";
import { type LinkSpec, openLink, type SimLink } from "../pair/link.ts";
import { Node, type Surroundings } from "./node.ts";
import { CLIENT, flowPortOf, SERVER, type Side } from "./packet.ts";
import { Rng } from "../pair/rng.ts";
import { Timer } from "../pair/timer.ts";
import type { TunnelFactory } from "./tunnel.ts";

/** First public port of the client's links; a NAT that forgets takes the next. */
const CLIENT_PORT = 40_000;
const SERVER_PORT = 5080;
/** First inner port; each flow has one. */
export const FLOW_PORT = 30_000;
/** A packet waits 190 ms for earlier ones at most, and until its process wakes. */
const MAX_HOLD_US = 195_000;
/** Packets of a flow that may leave behind a later one though they were there. */
const MAX_OVERTAKEN = 0;

/** What a world is made of. */
export interface WorldOptions {
  readonly seed: number;
  readonly links: readonly LinkSpec[];
  readonly tunnel: TunnelFactory;
  /** Packet slots of each host. */
  readonly slots?: number;
  /** Mean lateness of the event loop, in microseconds. */
  readonly wakeUs?: number;
  /** Sockets the server listens on; one per link when absent. */
  readonly serverSockets?: number;
}

/** An event of a tunnel and when it was said. */
export interface TimedEvent {
  readonly at: number;
  readonly side: Side;
  readonly event: EndpointEvent;
}

/** A simulation. */
export class World implements Network, Surroundings {
  readonly queue = new EventQueue();
  readonly store = new DatagramStore();
  readonly rng: Rng;
  readonly links: readonly SimLink[];
  readonly client: Node;
  readonly server: Node;
  readonly flows: Flow[] = [];
  readonly events: TimedEvent[] = [];
  /** Datagrams sent to a public port that a NAT has forgotten. */
  natDrops = 0;
  readonly #serverSockets: number;
  readonly #clientRemotes: Remote[];
  readonly #serverRemotes: readonly Remote[];
  readonly #linkOf = new Map<Remote, number>();
  readonly #arrivals: readonly Handler[];

  readonly seed: number;

  constructor(options: WorldOptions) {
    const { seed, links, slots = 16384, wakeUs = 60 } = options;
    this.seed = seed;
    this.rng = new Rng(seed);
    this.links = links.map((spec) => openLink(spec, this.rng.fork(4)));
    this.#serverSockets = options.serverSockets ?? links.length;
    this.#clientRemotes = links.map((_, i) =>
      remoteOf(Uint8Array.of(192, 0, 2, i + 1), CLIENT_PORT)
    );
    this.#serverRemotes = links.map((_, i) =>
      remoteOf(Uint8Array.of(198, 51, 100, i + 1), SERVER_PORT + i % this.#serverSockets)
    );
    const node = (side: Side, sockets: number): Node =>
      new Node(this, { side, sockets, slots, wakeUs }, this.rng.fork(5));
    this.client = node(CLIENT, links.length);
    this.server = node(SERVER, this.#serverSockets);
    this.#arrivals = [this.client, this.server].map((to) => ({
      onEvent: (now: number, index: number): void => to.onDatagram(now, index),
    }));
    for (const to of [this.client, this.server]) {
      to.tunnel = options.tunnel({
        side: to.side,
        pool: to.pool,
        sockets: to.side === CLIENT ? links.length : this.#serverSockets,
        rng: this.rng.fork(6),
        remotes: [...(to.side === CLIENT ? this.#serverRemotes : this.#clientRemotes)],
      });
    }
    this.links.forEach((link, i) => this.#planRebinds(link, i));
    this.server.start(0);
    this.client.start(0);
  }

  /** Adds a conversation that begins at `at` microseconds. */
  addFlow<F extends Flow>(at: number, make: (port: number) => F): F {
    const flow = make(FLOW_PORT + this.flows.length);
    this.flows.push(flow);
    new Timer(this.queue, (now) => flow.start(now)).set(at);
    return flow;
  }

  /** Runs until `at` microseconds. */
  runUntil(at: number): void {
    explaining(() => ` (seed ${this.seed}, at ${this.queue.now} us)`, () => {
      this.queue.runUntil(at);
      for (const flow of this.flows) this.#checkOrder(flow);
    });
  }

  /**
   * Stops the traffic, closes both ends and looks for what they left behind.
   * Throws {@linkcode InvariantError}.
   */
  finish(): void {
    for (const flow of this.flows) flow.stop();
    this.runUntil(this.queue.now + 2e6);
    for (const node of [this.client, this.server]) {
      node.close(this.queue.now);
      this.runUntil(this.queue.now + 2e6);
    }
    for (const node of [this.client, this.server]) {
      const missing = node.freeSlots - node.pool.available;
      if (node.minAvailable === 0) throw new InvariantError(`side ${node.side} ran out of slots`);
      if (missing !== 0) throw new InvariantError(`side ${node.side} kept ${missing} slots`);
    }
  }

  #checkOrder(flow: Flow): void {
    for (const { overtaken, longestHoldUs } of flow.ledgers) {
      if (overtaken > MAX_OVERTAKEN) {
        throw new InvariantError(`flow ${flow.port}: ${overtaken} packets left in the wrong order`);
      }
      if (longestHoldUs > MAX_HOLD_US) {
        throw new InvariantError(`flow ${flow.port}: a packet was held for ${longestHoldUs} us`);
      }
    }
  }

  inject(side: Side, headers: Uint8Array, totalBytes: number): void {
    (side === CLIENT ? this.client : this.server).onPacket(this.queue.now, headers, totalBytes);
  }

  arrive(node: Node, bytes: Uint8Array, at: number): void {
    const flow = this.flows[flowPortOf(bytes, at) - FLOW_PORT];
    flow?.onArrival(this.queue.now, node.side, bytes, at);
  }

  deliver(node: Node, bytes: Uint8Array, at: number, length: number): void {
    const flow = this.flows[flowPortOf(bytes, at) - FLOW_PORT];
    if (flow === undefined) throw new InvariantError("a packet that nobody sent came out");
    if (flow.onPacket(this.queue.now, node.side, bytes, at, length)) return;
    throw new InvariantError(`a packet of flow ${flow.port} came out twice at ${this.queue.now}`);
  }

  onEvent(node: Node, event: EndpointEvent): void {
    this.events.push({ at: this.queue.now, side: node.side, event });
    if (event.type === "rebind") this.#rebind(event.link);
  }

  transmit(
    node: Node,
    socket: number,
    batch: TransmitBatch,
    index: number,
  ): SendFailure | undefined {
    const now = this.queue.now;
    const toServer = node.side === CLIENT;
    const i = toServer ? socket : this.#linkTo(batch.remotes[index]!);
    if (i < 0 || (!toServer && i % this.#serverSockets !== socket)) {
      this.natDrops++;
      return undefined;
    }
    const link = this.links[i]!;
    if (link.spec.unplugged?.some((s) => now >= s.fromUs && now < s.toUs)) {
      return toServer ? "unreachable" : undefined;
    }
    const length = batch.lengths[index]!;
    const arrival = (toServer ? link.up : link.down).pass(now, length);
    if (arrival === DROPPED) return undefined;
    const from = (toServer ? this.#clientRemotes : this.#serverRemotes)[i]!;
    const to = toServer ? i % this.#serverSockets : i;
    const at = batch.slab.at(index);
    const datagram = this.store.put(batch.slab.bytes, at, length, to, from);
    this.queue.add(arrival, this.#arrivals[toServer ? SERVER : CLIENT]!, datagram);
    return undefined;
  }

  /** Returns the link whose current public address is `remote`, -1 when there is none. */
  #linkTo(remote: Remote): number {
    const known = this.#linkOf.get(remote);
    if (known !== undefined) return known;
    const link = this.#clientRemotes.findIndex((candidate) => candidate.equals(remote.bytes));
    this.#linkOf.set(remote, link);
    return link;
  }

  #planRebinds(link: SimLink, index: number): void {
    for (const at of link.spec.rebindsUs ?? []) {
      new Timer(this.queue, () => this.#rebind(index)).set(at);
    }
  }

  #rebind(index: number): void {
    const old = this.#clientRemotes[index]!.bytes;
    const port = (old[2]! << 8 | old[3]!) + 1;
    this.#clientRemotes[index] = remoteOf(old.slice(4, 8), port);
    this.#linkOf.clear();
  }
}
