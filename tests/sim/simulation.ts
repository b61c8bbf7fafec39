/**
 * Two hosts, the lines between them, and the traffic of their users: everything in
 * one virtual time. The same options and the same seed give the same run.
 *
 * @module
 */

import type { SendFailure, TransmitBatch } from "../../src/batch.ts";
import { remoteOf } from "../../src/remote.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import { explaining, InvariantError } from "../pair/invariants.ts";
import { exampleOf, type LinkSpec, openLink, type SimLink } from "../pair/link.ts";
import { Rng } from "../pair/rng.ts";
import { Timer } from "../pair/timer.ts";
import { Line, VirtualNetwork } from "../pair/virtual_network.ts";
import type { Flow, Network } from "./flows/flow.ts";
import { Node, type Stalls, type Surroundings } from "./node.ts";
import { CLIENT, flowPortOf, SERVER, type Side, tooBigMtu } from "./packet.ts";
import type { TunnelFactory } from "./tunnel.ts";

/** First public port of the client's links; a NAT that forgets takes the next. */
const CLIENT_PORT = 40_000;
const SERVER_PORT = 5080;
/** First inner port; each flow has one. */
export const FLOW_PORT = 30_000;
/** A packet waits at most 190 ms for earlier ones, and until its process wakes. */
const MAX_HOLD_US = 620_000;
/** Packets of a flow that may leave after a later one although they had arrived. */
const MAX_OVERTAKEN = 0;

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly seed: number;
  readonly links: readonly LinkSpec[];
  readonly tunnel: TunnelFactory;
  /** Packet slots of each host. */
  readonly slots?: number;
  /** Mean lateness of the event loop, in microseconds. */
  readonly wakeUs?: number;
  /** When either host's process does not run at all. */
  readonly stalls?: Stalls | undefined;
  /** Sockets the server listens on; one per link when absent. */
  readonly serverSockets?: number;
  /** Of the TUN interfaces, until the tunnel says otherwise; no limit when absent. */
  readonly mtu?: number;
  /** Another one over whose lines this one goes, instead of its own; by their numbers there. */
  readonly over?: { readonly simulation: Simulation; readonly lines: readonly number[] };
}

/** An event of a tunnel and when it was reported. */
export interface TimedEvent {
  readonly at: number;
  readonly side: Side;
  readonly event: EndpointEvent;
}

/** A pair of hosts with users, on bad lines. */
export class Simulation extends VirtualNetwork<Line<Node>> implements Network, Surroundings {
  readonly rng: Rng;
  readonly client: Node;
  readonly server: Node;
  readonly flows: Flow[] = [];
  readonly events: TimedEvent[] = [];
  /** Datagrams sent to a public port that a NAT has forgotten. */
  natDrops = 0;
  readonly seed: number;

  constructor(options: SimulationOptions) {
    super(options.over?.simulation.queue);
    const { seed, links: specs, slots = 16384, wakeUs = 60, over } = options;
    this.seed = seed;
    this.rng = new Rng(seed);
    const links = over
      ? over.lines.map((line) => over.simulation.lines[line]!.link)
      : specs.map((spec) => openLink(spec, this.rng.fork(4)));
    const serverSockets = options.serverSockets ?? links.length;
    const mtu = options.mtu ?? Infinity;
    const node = (side: Side, sockets: number): Node =>
      new Node(
        this,
        { side, sockets, slots, wakeUs, mtu, stalls: options.stalls },
        this.rng.fork(5),
      );
    this.client = node(CLIENT, links.length);
    this.server = node(SERVER, serverSockets);
    links.forEach((link, i) => this.#addLine(link, i, i % serverSockets));
    for (const to of [this.client, this.server]) {
      to.endpoint = options.tunnel({
        side: to.side,
        pool: to.pool,
        sockets: to.side === CLIENT ? links.length : serverSockets,
        rng: this.rng.fork(6),
        remotes: this.lines.map(({ client, server }) => to.side === CLIENT ? server : client),
      });
    }
    for (const line of this.lines) this.#planRebinds(line);
    this.server.start(this.now);
    this.client.start(this.now);
  }

  /** Adds a conversation that begins at `at` microseconds. */
  addFlow<F extends Flow>(at: number, make: (port: number) => F): F {
    const flow = make(FLOW_PORT + this.flows.length);
    this.flows.push(flow);
    for (const { side, mtu } of [this.client, this.server]) {
      if (mtu !== Infinity) flow.setMtu(side, mtu);
    }
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
    const mtu = tooBigMtu(bytes, at);
    if (mtu !== undefined) {
      for (const flow of this.flows) flow.setMtu(node.side, mtu);
      return;
    }
    const flow = this.flows[flowPortOf(bytes, at) - FLOW_PORT];
    if (flow === undefined) throw new InvariantError("a packet that nobody sent came out");
    if (flow.onPacket(this.queue.now, node.side, bytes, at, length)) return;
    throw new InvariantError(`a packet of flow ${flow.port} came out twice at ${this.queue.now}`);
  }

  onEvent(node: Node, event: EndpointEvent): void {
    this.events.push({ at: this.queue.now, side: node.side, event });
    if (event.type === "rebind") rebind(this.lines[event.link]!);
    else if (event.type === "mtu") node.setMtu(event.mtu);
  }

  onMtu({ side, mtu }: Node): void {
    for (const flow of this.flows) flow.setMtu(side, mtu);
  }

  transmit(
    node: Node,
    socket: number,
    batch: TransmitBatch,
    index: number,
  ): SendFailure | undefined {
    const toServer = node.side === CLIENT;
    const line = toServer ? this.lines[socket] : this.lineTo(batch.remotes[index]!, socket);
    if (line === undefined) {
      this.natDrops++;
      return undefined;
    }
    const { now } = this;
    if (line.link.spec.unplugged?.some(({ fromUs, toUs }) => now >= fromUs && now < toUs)) {
      return toServer ? "unreachable" : undefined;
    }
    this.carry(line, toServer, batch.slab.bytes, batch.slab.at(index), batch.lengths[index]!);
    return undefined;
  }

  #addLine(link: SimLink, socket: number, serverSocket: number): void {
    const ends = { clientEnd: this.client, serverEnd: this.server, socket, serverSocket };
    const addresses = link.spec.ipv6
      ? [exampleOf(1, socket + 1), exampleOf(2, socket + 1)] as const
      : [Uint8Array.of(192, 0, 2, socket + 1), Uint8Array.of(198, 51, 100, socket + 1)] as const;
    const client = remoteOf(addresses[0], CLIENT_PORT);
    const server = remoteOf(addresses[1], SERVER_PORT + serverSocket);
    this.lines.push(new Line({ ...ends, client, server }, link));
  }

  #planRebinds(line: Line): void {
    for (const at of line.link.spec.rebindsUs ?? []) {
      new Timer(this.queue, () => rebind(line)).set(at);
    }
  }
}

/** A NAT gives the client another public port. */
function rebind(line: Line): void {
  const { bytes, family } = line.client;
  const port = (bytes[2]! << 8 | bytes[3]!) + 1;
  line.client = remoteOf(bytes.slice(4, family === 4 ? 8 : 20), port);
}
