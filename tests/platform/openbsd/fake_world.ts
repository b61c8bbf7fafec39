/**
 * Hosts without a kernel: addresses by routing domain, tun interfaces, datagrams between them,
 * and a virtual clock that runs while every program sleeps in ppoll(2).
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { parseAddress } from "../../../src/address.ts";
import type { FakeRouteSocket } from "./fake_routing.ts";
import { FakeTun, type Release } from "./fake_tun.ts";

/** First port the fake gives to a socket that asks for none. */
const FIRST_PORT = 49152;
/** Nodes that MAKEDEV(8) makes by default. */
const DEVICE_NODES = ["tun0", "tun1", "tun2", "tun3"];

/** A UDP datagram on its way. */
export interface Datagram {
  readonly from: Uint8Array;
  readonly fromPort: number;
  readonly to: Uint8Array;
  readonly toPort: number;
  readonly payload: Uint8Array;
}

/** Someone who sleeps until `poll` is not 0 or the clock reads `deadline`. */
interface Sleeper {
  readonly deadline: number;
  readonly poll: () => number;
  readonly resolve: (count: number) => void;
}

/** What a world delivers datagrams to. */
export interface Receiver {
  readonly rdomain: number;
  readonly port: number;
  /** Empty for the wildcard. */
  readonly address: Uint8Array;
  readonly ipv6: boolean;
  readonly queue: Datagram[];
}

/** Longest time to wait for a real clock at once, in milliseconds. */
const MAX_WAIT_MS = 1000;

/** Everything: hosts, time, and datagrams on their way. */
export class FakeWorld {
  /** Time on the way, in microseconds. */
  delayUs = 0;
  /** Datagrams arrive together at multiples of this, in microseconds: interrupt coalescing. */
  tickUs = 1;
  /** Tells whether a datagram is lost. */
  lose: (datagram: Datagram) => boolean = () => false;
  readonly hosts: FakeHost[] = [];
  readonly #clock: (() => number) | undefined;
  #virtual = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextPort = FIRST_PORT;
  #events: { at: number; run: () => void }[] = [];
  #sleepers: Sleeper[] = [];
  #stepping = false;

  /** @param clock a real one, in microseconds; without, time is virtual and waits for nobody */
  constructor(clock?: () => number) {
    this.#clock = clock;
  }

  /** Time in microseconds. */
  get now(): number {
    return this.#clock?.() ?? this.#virtual;
  }

  set now(us: number) {
    this.#virtual = us;
  }

  /** Adds a host. */
  host(): FakeHost {
    const host = new FakeHost(this);
    this.hosts.push(host);
    return host;
  }

  freePort(): number {
    return this.#nextPort++;
  }

  /** Arranges for `run` to be called at an instant of the virtual clock. */
  at(us: number, run: () => void): void {
    this.#events.push({ at: us, run });
    this.#events.sort((a, b) => a.at - b.at);
    this.changed();
  }

  send(datagram: Datagram): void {
    if (this.lose(datagram)) return;
    if (this.delayUs === 0) this.#deliver(datagram);
    else {
      const arrival = Math.ceil((this.now + this.delayUs) / this.tickUs) * this.tickUs;
      this.at(arrival, () => this.#deliver(datagram));
    }
  }

  /** Resolves with what `poll` returns as soon as it is not 0, or with 0 at the deadline. */
  sleep(deadline: number, poll: () => number): Promise<number> {
    return new Promise((resolve) => {
      this.#sleepers.push({ deadline, poll, resolve });
      this.changed();
    });
  }

  /** Something may be ready that was not: looks once every program sleeps. */
  changed(): void {
    if (this.#stepping) return;
    this.#stepping = true;
    setImmediate(() => {
      this.#stepping = false;
      this.#step();
    });
  }

  #step(): void {
    if (this.#wakeReady() || this.#sleepers.length === 0) return;
    const next = Math.min(
      this.#events[0]?.at ?? Infinity,
      ...this.#sleepers.map(({ deadline }) => deadline),
    );
    if (next === Infinity) return;
    if (!this.#clock) this.now = Math.max(this.now, next);
    else if (next > this.now) return this.#stepLater((next - this.now) / 1000);
    while (this.#events[0] && this.#events[0].at <= this.now) this.#events.shift()!.run();
    this.#wakeReady();
    this.changed();
  }

  #stepLater(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.changed(), Math.min(ms, MAX_WAIT_MS));
  }

  #wakeReady(): boolean {
    const [asleep, awake]: [Sleeper[], (() => void)[]] = [[], []];
    for (const sleeper of this.#sleepers) {
      const count = sleeper.poll();
      if (count === 0 && sleeper.deadline > this.now) asleep.push(sleeper);
      else awake.push(() => sleeper.resolve(count));
    }
    this.#sleepers = asleep;
    if (asleep.length === 0) clearTimeout(this.#timer);
    for (const wake of awake) wake();
    return awake.length > 0;
  }

  /** One receiver gets it: the one bound to the address, or to the wildcard of its domain. */
  #deliver(datagram: Datagram): void {
    for (const host of this.hosts) {
      const receiver = host.receivers.find((candidate) => host.accepts(candidate, datagram));
      if (!receiver) continue;
      receiver.queue.push(datagram);
      this.changed();
      return;
    }
  }
}

/** A routing table with the addresses of its interfaces. */
export interface RoutingTable {
  readonly addresses: Uint8Array[];
  hasRoute: boolean;
  /** Whether the interface of that route has a carrier: RTF_UP. */
  isRouteUp: boolean;
  /** Number of that interface. */
  index: number;
  /** How every send fails, such as `ENETDOWN`; ENOBUFS is a full queue. */
  failure: string | undefined;
}

/** One host: routing domains, tun devices, sockets that are bound. */
export class FakeHost {
  readonly tables: Map<number, RoutingTable> = new Map();
  readonly devices: Set<string> = new Set(DEVICE_NODES);
  readonly tuns: Map<string, FakeTun> = new Map();
  readonly receivers: Receiver[] = [];
  readonly routeSockets: FakeRouteSocket[] = [];
  /** Tells whether a rule of pf(4) blocks what is sent there. */
  blocks: (to: { readonly address: Uint8Array; readonly port: number }) => boolean = () => false;
  /** More than four fifths of the memory for mbufs are in use: sbchecklowmem(). */
  memoryIsLow = false;
  /** OpenBSD's. */
  release: Release = "7.8";

  constructor(readonly world: FakeWorld) {
    this.table(0);
  }

  /** Returns a routing table, which is made when it is missing: `ifconfig em0 rdomain N`. */
  table(rdomain: number): RoutingTable {
    let table = this.tables.get(rdomain);
    if (!table) {
      table = {
        addresses: [],
        hasRoute: true,
        isRouteUp: true,
        index: rdomain + 1,
        failure: undefined,
      };
      this.tables.set(rdomain, table);
    }
    return table;
  }

  /** Gives the interface of a routing domain addresses. */
  address(rdomain: number, ...addresses: readonly string[]): this {
    const table = this.table(rdomain);
    table.addresses.push(...addresses.map((text) => parseAddress(text)!.bytes));
    return this;
  }

  /** Makes an interface that stays when its device is closed: `ifconfig tunN create`. */
  createTun(name: string): FakeTun {
    const tun = new FakeTun(this, false);
    this.tuns.set(name, tun);
    return tun;
  }

  /** What opening a device node does. */
  openTun(name: string): FakeTun {
    let tun = this.tuns.get(name);
    if (!tun) this.tuns.set(name, tun = new FakeTun(this, true));
    return tun;
  }

  owns(rdomain: number, address: Uint8Array): boolean {
    return this.tables.get(rdomain)?.addresses.some((own) => same(own, address)) ?? false;
  }

  accepts(receiver: Receiver, { to, toPort }: Datagram): boolean {
    return receiver.port === toPort && receiver.ipv6 === (to.length === 16) &&
      this.owns(receiver.rdomain, to) &&
      (receiver.address.length === 0 || same(receiver.address, to));
  }
}

/** Tells whether two addresses are equal. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
