/**
 * Two or more ends of tunnels in one process and one virtual time: what one end
 * sends on a line reaches the other after the line's delay, unless it is lost.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { AeadProvider } from "../../src/crypto/aead.ts";
import { type Remote, remoteOf } from "../../src/remote.ts";
import type { ClientOptions, EndpointOptions, LinkOptions } from "../../src/tunnel/options.ts";
import type { Network } from "../../src/wire/routes.ts";
import { Rng } from "./rng.ts";
import { SIM_AEAD } from "./sim_aead.ts";
import { Host } from "./host.ts";

/** Visibly fake. */
export const PSK: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(0x5a);
const EPOCH_US = 1_767_225_600_000_000;
const MAX_STEPS = 400_000;

/** A datagram on its way. `toServer` tells the direction. */
export interface Datagram {
  readonly at: number;
  readonly line: Line;
  readonly toServer: boolean;
  readonly from: Remote;
  readonly bytes: Uint8Array;
}

/** One link of a client, and what it does to datagrams. */
export class Line {
  delayUs: number;
  /** Nothing passes. */
  cut = false;
  /** Decides the fate of single datagrams: true is lost. */
  lose: (datagram: Datagram) => boolean = () => false;
  readonly server: Remote;
  /** Where the client seems to be; assign another to roam. */
  client: Remote;

  constructor(readonly host: Host, readonly socket: number, delayUs: number, address: number) {
    this.delayUs = delayUs;
    this.server = remoteOf(Uint8Array.of(192, 0, 2, 1), 5080 + socket);
    this.client = remoteOf(Uint8Array.of(198, 51, 100, address), 40_000 + socket);
  }
}

/** How a client differs from the least one. */
export interface ClientSpec {
  readonly name?: string;
  readonly psk?: Uint8Array;
  readonly allowed?: readonly Network[];
  /** One per link. */
  readonly delaysUs?: readonly number[];
  readonly link?: (id: number) => Partial<LinkOptions>;
}

/** What both ends are told of some packets. */
export type Policy = Pick<EndpointOptions, "rules" | "duplicate">;

/** One server, its clients and the lines between them. */
export class World {
  now = 1_000_000;
  readonly server: Host;
  readonly clients: Host[] = [];
  /** All lines, in order of clients and links. */
  readonly lines: Line[] = [];
  /** Everything that was ever sent, lost or not. */
  readonly sent: Datagram[] = [];
  /** Gets what the server sends to an address that no line leads to. */
  onStray: (to: Remote, socket: number, bytes: Uint8Array) => void = () => {};
  readonly #flying: Datagram[] = [];
  readonly #rng: Rng;
  readonly #aead: AeadProvider;
  readonly #policy: Policy;

  constructor(
    specs: readonly ClientSpec[],
    options: {
      slots?: number;
      known?: ClientOptions[];
      aead?: AeadProvider;
      policy?: Policy;
    } = {},
  ) {
    this.#policy = options.policy ?? {};
    this.#rng = new Rng(7);
    this.#aead = options.aead ?? SIM_AEAD;
    const { slots = 4096, known = specs.map(clientOptions) } = options;
    const sockets = Math.max(1, ...specs.map((spec) => delaysOf(spec).length));
    const transmit = (host: Host, socket: number, to: Remote, bytes: Uint8Array): void =>
      this.#transmit(host, socket, to, bytes);
    this.server = new Host("server", sockets, slots, (pool) => ({
      ...this.common(),
      pool,
      role: "server",
      clients: known,
    }), transmit);
    specs.forEach((spec, i) => this.#addClient(spec, i, slots, transmit));
  }

  /** What both ends have in common. */
  // deno-lint-ignore explicit-function-return-type -- the parts of a literal type
  common() {
    const random = (out: Uint8Array): void => this.#rng.fill(out);
    return { aead: this.#aead, random, epochUs: EPOCH_US, mtu: 1400, ...this.#policy };
  }

  get client(): Host {
    return this.clients[0]!;
  }

  /** Lets time pass until nothing is on its way. */
  settle(): void {
    while (this.#flying.length > 0) this.run(1000);
  }

  /** Lets `us` microseconds pass. */
  run(us: number): void {
    const end = this.now + us;
    for (let step = 0;; step++) {
      assert(step < MAX_STEPS, "the world does not come to rest");
      const at = Math.max(this.now, Math.min(this.#nextAt(), end));
      const idle = this.#nextAt() > end;
      this.now = at;
      this.#arrive();
      for (const host of [this.server, ...this.clients]) {
        if (host.endpoint.pollTimeout() <= this.now) host.turn(this.now);
      }
      if (idle) return;
      if (this.#nextAt() <= this.now) this.now += 1; // a deadline that stays past must not stop time
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

  /** Puts a datagram on a line, as anybody might. */
  inject(line: Line, toServer: boolean, bytes: Uint8Array, from?: Remote): void {
    const source = from ?? (toServer ? line.client : line.server);
    const at = this.now + line.delayUs;
    this.#flying.push({ at, line, toServer, from: source, bytes: bytes.slice() });
  }

  /** Closes every end and asserts that all memory has come back. */
  finish(): void {
    for (const host of [...this.clients, this.server]) host.close(this.now);
    this.run(1_000_000);
    for (const host of [...this.clients, this.server]) {
      host.turn(this.now);
      assert(
        host.pool.available === host.free,
        `${host.name} has lost ${host.free - host.pool.available} slots`,
      );
    }
  }

  #addClient(
    spec: ClientSpec,
    i: number,
    slots: number,
    transmit: ConstructorParameters<typeof Host>[4],
  ): void {
    const delays = delaysOf(spec);
    const host = new Host(`client ${i}`, delays.length, slots, (pool) => ({
      ...this.common(),
      pool,
      role: "client",
      psk: (spec.psk ?? PSK).slice(),
      links: delays.map((_, id) => linkOptions(id, spec)),
    }), transmit);
    this.clients.push(host);
    delays.forEach((us, id) => this.lines.push(new Line(host, id, us, 10 + i)));
  }

  #transmit(host: Host, socket: number, to: Remote, bytes: Uint8Array): void {
    const toServer = host !== this.server;
    const line = this.lines.find((line) =>
      toServer
        ? line.host === host && line.socket === socket && line.server.equals(to.bytes)
        : line.socket === socket && line.client.equals(to.bytes)
    );
    if (!line) {
      if (!toServer) this.onStray(to, socket, bytes);
      return;
    }
    const from = toServer ? line.client : line.server;
    const datagram = { at: this.now + line.delayUs, line, toServer, from, bytes: bytes.slice() };
    this.sent.push(datagram);
    if (!line.cut && !line.lose(datagram)) this.#flying.push(datagram);
  }

  #nextAt(): number {
    let at = Infinity;
    for (const datagram of this.#flying) at = Math.min(at, datagram.at);
    for (const host of [this.server, ...this.clients]) {
      at = Math.min(at, host.endpoint.pollTimeout());
    }
    return at;
  }

  #arrive(): void {
    const due = this.#flying.filter((datagram) => datagram.at <= this.now);
    if (due.length === 0) return;
    const later = this.#flying.filter((datagram) => datagram.at > this.now);
    this.#flying.splice(0, Infinity, ...later);
    for (const { line, toServer, from, bytes } of due.sort((a, b) => a.at - b.at)) {
      if (line.cut) continue;
      (toServer ? this.server : line.host).receive(this.now, line.socket, from, bytes);
    }
  }
}

function delaysOf(spec: ClientSpec): readonly number[] {
  return spec.delaysUs ?? [10_000];
}

function clientOptions(spec: ClientSpec, i: number): ClientOptions {
  return {
    name: spec.name ?? `c${i}`,
    psk: (spec.psk ?? PSK).slice(),
    allowed: spec.allowed ?? [],
  };
}

function linkOptions(id: number, spec: ClientSpec): LinkOptions {
  return {
    name: `l${id}`,
    remote: remoteOf(Uint8Array.of(192, 0, 2, 1), 5080 + id),
    tier: "primary",
    metered: false,
    uploadBps: 0,
    downloadBps: 0,
    timeoutUs: 750_000,
    ...spec.link?.(id),
  };
}
