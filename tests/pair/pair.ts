/**
 * Two ends of a tunnel in one process and one virtual time, or a server and several clients:
 * what one end sends on a line reaches the other after the line's delay, unless it is lost.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { AeadProvider } from "../../src/crypto/aead.ts";
import { type Remote, remoteOf } from "../../src/remote.ts";
import type { ClientLink, ClientOptions } from "../../src/tunnel/options.ts";
import type { Prefix } from "../../src/address.ts";
import { constantRate } from "./elements/rate_schedule.ts";
import {
  clientEnd,
  knownClient,
  linkTo,
  type Policy,
  PSK,
  serverEnd,
  type Shared,
  sharedOptions,
} from "./endpoints.ts";
import { Host, type HostNetwork } from "./host.ts";
import { type DirectionSpec, exampleOf, openLink } from "./link.ts";
import { Rng } from "./rng.ts";
import { Line, VirtualNetwork } from "./virtual_network.ts";

const SEED = 7;
/** Where virtual time begins. */
const START_US = 1_000_000;
const MAX_STEPS = 400_000;
const UNLIMITED = constantRate(Infinity);

/** A datagram that was sent. `toServer` tells the direction. */
export interface Datagram {
  readonly line: TestLine;
  readonly toServer: boolean;
  readonly bytes: Uint8Array;
}

/** A line that a test controls. */
export class TestLine extends Line<Host> {
  /** Nothing passes. */
  cut = false;
  /** Decides the fate of single datagrams: true means lost. May change the bytes of others. */
  lose: (datagram: Datagram) => boolean = () => false;

  get delayUs(): number {
    return this.link.upDelay.us;
  }

  set delayUs(us: number) {
    this.link.upDelay.us = this.link.downDelay.us = us;
  }

  /** Largest IP packet that passes, both ways; see {@linkcode DirectionSpec.mtuBytes}. */
  get mtuBytes(): number {
    return Math.min(this.link.upMtu.maxBytes, this.link.downMtu.maxBytes);
  }

  set mtuBytes(bytes: number) {
    this.link.upMtu.maxBytes = this.link.downMtu.maxBytes = bytes;
  }

  /** Datagrams that were larger, both ways. */
  get tooBig(): number {
    return this.link.upMtu.drops + this.link.downMtu.drops;
  }

  protected override arrive(now: number, end: Host, index: number): void {
    if (this.cut) end.ignore(index);
    else super.arrive(now, end, index);
  }
}

/** How a client differs from the minimal one. */
export interface ClientSpec {
  readonly name?: string;
  readonly psk?: Uint8Array;
  readonly allowed?: readonly Prefix[];
  /** One per link. */
  readonly delaysUs?: readonly number[];
  /** How many of the lines have a link at first; all when absent. */
  readonly links?: number;
  /** What else a line does to datagrams, both ways: nothing when absent. */
  readonly line?: (id: number) => Partial<DirectionSpec>;
  /** By how much its wall clock is wrong now, in microseconds. */
  readonly clockErrorUs?: () => number;
  /** Whether its lines have addresses of IPv6. */
  readonly ipv6?: boolean;
  /** Largest inner packet that this client wants, when it is not that of the server. */
  readonly mtu?: number;
  readonly link?: (id: number) => Partial<ClientLink>;
}

/** How a pair differs from the minimal one. */
export interface PairOptions {
  /** Packet slots of each host. */
  readonly slots?: number;
  /** How many servers the clients have, which are called s0, s1 and so on; one when absent. */
  readonly servers?: number;
  /** Whether they are addresses of one host. */
  readonly isOneHost?: boolean;
  /** The clients that the server knows; when absent, those of the pair. */
  readonly known?: readonly ClientOptions[];
  readonly aead?: AeadProvider;
  readonly policy?: Policy;
  /** Largest inner packet. */
  readonly mtu?: number;
}

/** One server or several, clients and the lines between them. */
export class Pair extends VirtualNetwork<TestLine> implements HostNetwork {
  readonly servers: readonly Host[];
  readonly #linesTo: readonly TestLine[][];
  readonly clients: Host[] = [];
  /** Every datagram ever sent, lost or not. */
  readonly sent: Datagram[] = [];
  /** Collects what the server sends to an address that no line leads to. */
  onStray: (to: Remote, socket: number, bytes: Uint8Array) => void = () => {};
  readonly #shared: Shared;
  readonly #rng = new Rng(SEED);

  constructor(specs: readonly ClientSpec[], options: PairOptions = {}) {
    super();
    this.queue.runUntil(START_US);
    const { slots = 4096, known = specs.map(clientOptions), aead, mtu, policy } = options;
    const { servers = 1, isOneHost = false } = options;
    this.#linesTo = Array.from({ length: servers }, () => []);
    this.#shared = sharedOptions(this.#rng, { ...aead && { aead }, ...mtu && { mtu }, ...policy });
    this.servers = Array.from({ length: isOneHost ? 1 : servers }, (_, i) =>
      new Host(this, {
        name: `server ${i}`,
        sockets: Math.max(1, ...specs.map((spec) => delaysOf(spec).length)),
        slots,
        endpoint: (pool) => serverEnd(this.#shared, pool, known),
      }));
    specs.forEach((spec, i) => this.#addClient(spec, i, slots));
  }

  get client(): Host {
    return this.clients[0]!;
  }

  /** The only server, or the best one. */
  get server(): Host {
    return this.servers[0]!;
  }

  /** The lines to one of the servers. */
  linesTo(server: number): readonly TestLine[] {
    return this.#linesTo[server]!;
  }

  /** Lets time pass until nothing is in flight. */
  settle(): void {
    while (this.store.used > 0) this.run(1000);
  }

  /** Lets `us` microseconds pass. */
  run(us: number): void {
    const end = this.now + us;
    for (const host of this.#hosts) host.awaitDeadline(this.now);
    const before = this.queue.processed;
    while (this.queue.step(end)) {
      assert(this.queue.processed - before < MAX_STEPS, "the pair does not come to rest");
    }
  }

  /** Runs until `done`, at most `us` microseconds; returns how long it took. */
  runUntil(done: () => boolean, us = 5_000_000): number {
    const start = this.now;
    while (!done()) {
      assert(this.now - start < us, "it has not happened");
      this.run(1_000);
    }
    return this.now - start;
  }

  /** Runs until every client's session is up. */
  connect(): this {
    this.clients.forEach((client) => client.turn(this.now));
    this.runUntil(() => this.clients.every((client) => client.eventsOf("session").includes("up")));
    this.run(200_000);
    return this;
  }

  /** Puts a datagram on a line, as anybody could. */
  inject(line: TestLine, toServer: boolean, bytes: Uint8Array, from?: Remote): void {
    this.carry(line, toServer, bytes, 0, bytes.length, from);
  }

  /** Closes every end and asserts that all memory has come back. */
  finish(): void {
    const hosts = [...this.clients, ...this.servers];
    for (const host of hosts) host.close(this.now);
    this.run(1_000_000);
    for (const host of hosts) {
      host.turn(this.now);
      assert(
        host.pool.available === host.free,
        `${host.name} has lost ${host.free - host.pool.available} slots`,
      );
    }
  }

  transmit(host: Host, socket: number, to: Remote, bytes: Uint8Array): void {
    const toServer = !this.servers.includes(host);
    const line = toServer ? this.#lineFrom(host, socket, to) : this.lineTo(to, socket);
    if (!line) {
      if (!toServer) this.onStray(to, socket, bytes);
      return;
    }
    host.nonces.check(bytes, 0, bytes.length);
    const datagram = { line, toServer, bytes: bytes.slice() };
    this.sent.push(datagram);
    if (!line.cut && !line.lose(datagram)) this.inject(line, toServer, datagram.bytes);
  }

  get #hosts(): readonly Host[] {
    return [...this.servers, ...this.clients];
  }

  #addClient(spec: ClientSpec, i: number, slots: number): void {
    const delays = delaysOf(spec);
    const links = delays.slice(0, spec.links).map((_, id) => ({
      ...linkTo(`l${id}`, serverAt(0, id, spec)),
      remotes: this.#linesTo.map((_, server) => serverAt(server, id, spec)),
      ...spec.link?.(id),
    }));
    const count = this.#linesTo.length;
    const names = count === 1 ? ["server"] : this.#linesTo.map((_, i) => `s${i}`);
    const host = new Host(this, {
      name: `client ${i}`,
      sockets: delays.length,
      slots,
      endpoint: (pool) =>
        clientEnd(sharedOf(this.#shared, spec), pool, links, spec.psk, spec.clockErrorUs, names),
    });
    this.clients.push(host);
    for (const server of this.#linesTo.keys()) this.#addLines(host, spec, i, server);
  }

  #addLines(host: Host, spec: ClientSpec, client: number, server: number): void {
    delaysOf(spec).forEach((delayUs, id) => {
      const direction = { rate: UNLIMITED, delayUs, ...spec.line?.(id) };
      const { ipv6 = false } = spec;
      const link = openLink({ name: `l${id}`, up: direction, down: direction, ipv6 }, this.#rng);
      const serverEnd = this.servers[server] ?? this.server;
      const ends = { clientEnd: host, serverEnd, socket: id, serverSocket: id };
      const remotes = {
        client: clientAt(client, server, id, spec),
        server: serverAt(server, id, spec),
      };
      const line = new TestLine({ ...ends, ...remotes }, link);
      this.lines.push(line);
      this.#linesTo[server]!.push(line);
    });
  }

  #lineFrom(host: Host, socket: number, to: Remote): TestLine | undefined {
    return this.lines.find((line) =>
      line.clientEnd === host && line.socket === socket && line.server.equals(to.bytes)
    );
  }
}

function serverAt(server: number, socket: number, { ipv6 = false }: ClientSpec): Remote {
  const address = ipv6 ? exampleOf(1, 1 + server) : Uint8Array.of(192, 0, 2, 1 + server);
  return remoteOf(address, 5080 + socket);
}

/** NAT gives it another port towards each server. */
function clientAt(
  client: number,
  server: number,
  socket: number,
  { ipv6 = false }: ClientSpec,
): Remote {
  const address = ipv6 ? exampleOf(2, 10 + client) : Uint8Array.of(198, 51, 100, 10 + client);
  return remoteOf(address, 40_000 + 1000 * server + socket);
}

function delaysOf(spec: ClientSpec): readonly number[] {
  return spec.delaysUs ?? [10_000];
}

function clientOptions(spec: ClientSpec, i: number): ClientOptions {
  const { psk = PSK, allowed = [] } = spec;
  return knownClient(spec.name ?? `c${i}`, { psk: psk.slice(), allowed });
}

/** What a client has in common with the server. */
function sharedOf(shared: Shared, { mtu }: ClientSpec): Shared {
  return mtu === undefined ? shared : { ...shared, mtu };
}
