/**
 * A world of one virtual clock for the driver: descriptors, a poller and a core
 * that does nothing unless a test replaces a method.
 *
 * @module
 */

import type { ReceiveBatch, TransmitBatch } from "../../src/batch.ts";
import type { SendFailure } from "../../src/batch.ts";
import { Driver, type DriverOptions } from "../../src/io/driver.ts";
import type { LinkSocket, Poller, Tun } from "../../src/platform/platform.ts";
import { remoteOf } from "../../src/remote.ts";
import { PACKET_OFFSET, PacketPool } from "../../src/slab.ts";
import type { Core } from "../../src/tunnel/core.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";

export const PEER = remoteOf(Uint8Array.of(192, 0, 2, 1), 5080);

/** Virtual time, and what happens when. */
export class DriverWorld {
  now = 0;
  /** What each clock reading costs, so that busy loops end. */
  tickUs = 1;
  #events: { at: number; run: () => void }[] = [];

  readonly clock = (): number => (this.now += this.tickUs);

  at(us: number, run: () => void): void {
    this.#events.push({ at: us, run });
    this.#events.sort((a, b) => a.at - b.at);
  }

  /** Runs what is due and returns the instant of the next event. */
  catchUp(): number {
    while (this.#events[0] && this.#events[0].at <= this.now) this.#events.shift()!.run();
    return this.#events[0]?.at ?? Infinity;
  }
}

/** Packets in, packets out. */
export class FakeTun implements Tun {
  readonly name = "agg0";
  readonly fd = 100;
  readonly offload = "none";
  readonly oversizePackets = 0;
  readonly malformedPackets = 0;
  incoming: number[] = [];
  /** Packets that {@linkcode read} has, although the descriptor is not readable. */
  held: number[] = [];
  written: number[] = [];
  /** How many packets the next write takes. */
  takes = Infinity;
  reads = 0;
  fail: Error | undefined;

  read(pool: PacketPool, slots: Int32Array, limit: number): number {
    this.reads++;
    if (this.fail) throw this.fail;
    let count = 0;
    while (count < limit && this.held.length + this.incoming.length > 0) {
      const slot = pool.alloc();
      pool.bytes[pool.at(slot) + PACKET_OFFSET] = this.held.shift() ?? this.incoming.shift()!;
      pool.lengths[slot] = 1;
      slots[count++] = slot;
    }
    return count;
  }

  get backlog(): boolean {
    return this.held.length > 0;
  }

  write(pool: PacketPool, slots: Int32Array, count: number): number {
    const taken = Math.min(count, this.takes);
    for (let i = 0; i < taken; i++) this.written.push(pool.packet(slots[i]!)[0]!);
    return taken;
  }

  close(): void {}
}

/** Numbers in, numbers out; `refusals` are consumed one per datagram tried. */
export class FakeSocket implements LinkSocket {
  readonly localAddress = "192.0.2.7:1";
  receiveDrops = 0;
  /** Whether everything waiting came at once, more than a batch can hold. */
  joined = false;
  backlog = false;
  failure: SendFailure | undefined;
  incoming: number[] = [];
  sent: number[] = [];
  refusals: (SendFailure | undefined)[] = [];
  writable = true;
  closed = false;

  constructor(readonly fd: number) {}

  receive(batch: ReceiveBatch): number {
    batch.count = Math.min(64, this.incoming.length);
    for (let i = 0; i < batch.count; i++) {
      batch.slab.bytes[batch.slab.at(i)] = this.incoming.shift()!;
      batch.lengths[i] = 1;
    }
    this.backlog = this.joined && this.incoming.length > 0;
    return batch.count;
  }

  send(batch: TransmitBatch, first: number): number {
    let count = 0;
    for (let i = first; i < batch.count; i++, count++) {
      this.failure = this.refusals.shift();
      if (this.failure === "again") this.writable = false;
      if (this.failure !== undefined) return count;
      this.sent.push(batch.slab.bytes[batch.slab.at(i)]!);
    }
    return count;
  }

  close(): void {
    this.closed = true;
  }
}

/** Reports what the fakes have, else lets virtual time pass. */
export class FakePoller implements Poller {
  watched: readonly { fd: number; writable: boolean }[] = [];
  waits: number[] = [];
  #woken = false;

  constructor(
    readonly world: DriverWorld,
    readonly tun: FakeTun,
    readonly sockets: () => readonly FakeSocket[],
  ) {}

  watch(fds: readonly { fd: number; writable: boolean }[]): void {
    this.watched = fds.map((entry) => ({ ...entry }));
  }

  waitHere(): boolean {
    return false;
  }

  letRun(): void {
    // It always does.
  }

  async wait(timeoutUs: number): Promise<void> {
    this.waits.push(timeoutUs);
    await Promise.resolve();
    const end = this.world.now + timeoutUs;
    let next = this.world.catchUp();
    while (!this.#woken && this.world.now < end && !this.watched.some((_, i) => this.ready(i))) {
      if (next === Infinity && end === Infinity) throw new Error("The driver sleeps forever");
      this.world.now = Math.min(end, next);
      next = this.world.catchUp();
    }
    this.#woken = false;
  }

  ready(index: number): boolean {
    const entry = this.watched[index]!;
    if (entry.fd === this.tun.fd) {
      return this.tun.incoming.length > 0 || this.tun.fail !== undefined;
    }
    const socket = this.sockets().find((socket) => socket.fd === entry.fd && !socket.closed)!;
    return socket.incoming.length > 0 || entry.writable && socket.writable;
  }

  wake(): void {
    this.#woken = true;
  }

  close(): void {}
}

/** A core that wants packets and sends nothing. */
export class QuietCore implements Core {
  wanted = 64;
  packets: number[] = [];
  datagrams: { socket: number; value: number }[] = [];
  failures: { socket: number; path: number; failure: SendFailure }[] = [];
  networkChanges: { link: number; obstacle: string | undefined }[] = [];
  /** Datagrams to send, by socket. */
  outgoing: number[][] = [[], []];
  /** Slots for the TUN. */
  deliver: number[] = [];
  events: EndpointEvent[] = [];
  timeoutAtUs = Infinity;
  timeouts: number[] = [];
  closedAt: number | undefined;

  constructor(readonly pool: PacketPool) {}

  wantsPackets(): number {
    return this.wanted;
  }

  handlePackets(_now: number, slots: Int32Array, count: number): void {
    for (const slot of slots.subarray(0, count)) {
      this.packets.push(this.pool.packet(slot)[0]!);
      this.pool.release(slot);
    }
  }

  handleDatagrams(_now: number, socket: number, batch: ReceiveBatch): void {
    for (let i = 0; i < batch.count; i++) {
      this.datagrams.push({ socket, value: batch.slab.bytes[batch.slab.at(i)]! });
    }
  }

  handleSendFailure(_now: number, socket: number, path: number, failure: SendFailure): void {
    this.failures.push({ socket, path, failure });
  }

  handleNetworkChange(_now: number, link: number, obstacle: string | undefined): void {
    this.networkChanges.push({ link, obstacle });
  }

  handleTimeout(now: number): void {
    this.timeouts.push(now);
    this.timeoutAtUs = Infinity;
  }

  pollTransmit(_now: number, batches: readonly TransmitBatch[]): boolean {
    for (const [socket, queue] of this.outgoing.entries()) {
      const batch = batches[socket];
      while (batch && queue.length > 0 && !batch.full) {
        batch.slab.bytes[batch.slab.at(batch.count)] = queue.shift()!;
        batch.lengths[batch.count] = 1;
        batch.remotes[batch.count] = PEER;
        batch.paths[batch.count] = socket + 10;
        batch.count++;
      }
    }
    return this.outgoing.some((queue) => queue.length > 0);
  }

  pollPackets(_now: number, slots: Int32Array): number {
    const count = Math.min(slots.length, this.deliver.length);
    for (let i = 0; i < count; i++) slots[i] = this.deliver.shift()!;
    return count;
  }

  pollEvent(): EndpointEvent | undefined {
    return this.events.shift();
  }

  pollTimeout(): number {
    return this.timeoutAtUs;
  }

  close(now: number): void {
    this.closedAt = now;
  }
}

/** A driver with two sockets in a fake world. */
export function makeDriver(overrides: Partial<DriverOptions> = {}): {
  world: DriverWorld;
  tun: FakeTun;
  sockets: FakeSocket[];
  pool: PacketPool;
  core: QuietCore;
  poller: FakePoller;
  events: EndpointEvent[];
  driver: Driver;
} {
  const world = new DriverWorld();
  const tun = new FakeTun();
  const sockets = [new FakeSocket(0), new FakeSocket(1)];
  const pool = new PacketPool(256);
  const core = new QuietCore(pool);
  const poller = new FakePoller(world, tun, () => sockets);
  const events: EndpointEvent[] = [];
  const driver = new Driver({
    endpoint: core,
    pool,
    tun,
    sockets,
    poller,
    clock: world.clock,
    onEvent: (event) => events.push(event),
    reopen: () => undefined,
    ...overrides,
  });
  return { world, tun, sockets, pool, core, poller, events, driver };
}

/** Fills a slot with one byte. */
export function slotWith(pool: PacketPool, value: number): number {
  const slot = pool.alloc();
  pool.bytes[pool.at(slot) + PACKET_OFFSET] = value;
  pool.lengths[slot] = 1;
  return slot;
}
