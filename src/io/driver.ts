/**
 * The only event loop: moves packets and datagrams between the descriptors and the core, and sleeps
 * until a descriptor is ready or the core's next deadline is due.
 *
 * A *turn* is a run of *rounds*, for as long as they move something. A round reads one batch from
 * each descriptor, and sends or writes up to {@linkcode BATCHES_PER_ROUND}. A turn ends after
 * {@linkcode TURN_US} even under load, sooner while the rest of the program has work, so that
 * signals and the control socket are served between two turns.
 *
 * @module
 */

import { MESSAGES, ReceiveBatch, type TransmitBatch } from "../batch.ts";
import { AggvpnError } from "../errors.ts";
import type { LinkSocket, NetworkWatch, Poller, Tun } from "../platform/platform.ts";
import type { PacketPool } from "../slab.ts";
import type { Core } from "../tunnel/core.ts";
import type { EndpointEvent } from "../tunnel/options.ts";
import type { Clock } from "./clock.ts";
import { NetworkListener } from "./network_listener.ts";
import { Port } from "./port.ts";

/** Longest turn in microseconds; the control socket waits at most this much under load. */
export const TURN_US = 3000;
/** ... and while the rest of the program has something to do, for which it needs several turns. */
const SHORT_TURN_US = 300;
/** Packets moved to or from the TUN in one round. */
export const PACKETS_PER_ROUND = 64;
/** Batches of each socket, or of the TUN, that one round may send or write. */
const BATCHES_PER_ROUND = 8;
/** Pause between attempts to open a socket. */
const REOPEN_US = 1_000_000;
/** Pause when a deadline is due but every socket it could use is blocked. */
const STALL_US = 500;

/** A pause of this process after which nobody waits any more for what is in the buffers. */
const STALE_US = 5_000_000;
/** Longest time to empty them: while that goes on, new packets come. */
const EMPTY_US = 100_000;

/** What a {@linkcode Driver} works with; it closes the sockets, nothing else. */
export interface DriverOptions {
  readonly endpoint: Core;
  readonly pool: PacketPool;
  readonly tun: Tun;
  /** By socket index; undefined for one that could not be opened yet. */
  readonly sockets: readonly (LinkSocket | undefined)[];
  readonly poller: Poller;
  /** Tells of changes of the network, where the system does; the driver does not close it. */
  readonly network?: NetworkWatch | undefined;
  /** Called when the network has changed, before the links are looked at. Must not throw. */
  readonly beforeLook?: () => void;
  readonly clock: Clock;
  /** Called with each event of the core, after the driver has acted on it. */
  readonly onEvent: (event: EndpointEvent) => void;
  /** Opens socket `index` again; undefined: not possible right now. Must not throw. */
  readonly reopen: (index: number) => LinkSocket | undefined;
}

/** Runs one tunnel from {@linkcode run} until {@linkcode stop}. */
export class Driver {
  /** Packets the TUN did not take. */
  tunDrops = 0;
  /** Packets dropped after a pause of this process, such as SIGSTOP, since they were old. */
  staleDrops = 0;
  /** Turns so far, which tell that the loop is alive. */
  turns = 0;
  readonly #endpoint: Core;
  readonly #options: DriverOptions;
  readonly #ports: Port[];
  readonly #batches: TransmitBatch[];
  readonly #received: ReceiveBatch = new ReceiveBatch();
  readonly #slots: Int32Array = new Int32Array(PACKETS_PER_ROUND);
  readonly #watched: { fd: number; writable: boolean }[] = [];
  #tunWatched = -1;
  readonly #network: NetworkListener | undefined;
  #networkWatched = -1;
  #watchIsStale = true;
  /** What is to be done to sockets before the next turn. */
  readonly #changes: (() => void)[] = [];
  #stopping = false;
  /** When the last round took place. */
  #roundAtUs = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#endpoint = options.endpoint;
    this.#ports = options.sockets.map((socket, index) => {
      const port = new Port(index);
      port.socket = socket;
      if (socket === undefined) port.reopenAtUs = options.clock() + REOPEN_US;
      return port;
    });
    this.#batches = this.#ports.map((port) => port.batch);
    const { network, beforeLook } = options;
    this.#network = network && new NetworkListener(network, this.#ports.length, beforeLook);
  }

  /** The sockets with what is known of them, for `status`. */
  get ports(): readonly Port[] {
    return this.#ports;
  }

  /**
   * Resolves after {@linkcode stop}, with a farewell sent to every peer.
   * Rejects with AggvpnError when the TUN interface is gone.
   */
  async run(): Promise<void> {
    let turnUs = TURN_US;
    let dueAtUs = Infinity;
    try {
      while (!this.#stopping) {
        const now = this.#options.clock();
        if (now - dueAtUs > STALE_US) this.#dropStale(now);
        const idle = this.#turn(now, turnUs);
        this.#updateWatch();
        const { poller } = this.#options;
        const idleUs = idle ? this.#idleTime() : 0;
        dueAtUs = now + idleUs;
        const alone = poller.waitHere(idleUs);
        if (!alone) await poller.wait(idle ? this.#idleTime() : 0);
        turnUs = alone ? TURN_US : SHORT_TURN_US;
      }
    } catch (error) {
      if (error instanceof AggvpnError) this.#farewell();
      throw error;
    }
    this.#farewell();
  }

  /** Makes {@linkcode run} end, even while it waits. */
  stop(): void {
    this.#stopping = true;
    this.#options.poller.wake();
  }

  /** Makes {@linkcode run} look at once: the core was told something from outside. */
  wake(): void {
    this.#options.poller.wake();
  }

  /** Replaces socket `index` by a new one soon. */
  reopen(index: number): void {
    this.#ports[index]!.reopenAtUs = -Infinity;
    this.wake();
  }

  /**
   * Socket `index`, which may be the next that there was none of, is another from now on: `socket`,
   * or (undefined) what {@linkcode DriverOptions.reopen} opens. Its link is looked at.
   */
  setSocket(index: number, socket?: LinkSocket): void {
    if (index === this.#ports.length) {
      const added = new Port(index);
      this.#ports.push(added);
      this.#batches.push(added.batch);
    }
    this.#betweenWaits(() => {
      const port = this.#ports[index]!;
      port.closeSocket();
      port.socket = socket;
      port.isGone = false;
      port.watched = -1;
      port.reopenAtUs = socket ? Infinity : -Infinity;
      this.#network?.setLink(index);
    });
  }

  /** Closes socket `index` for good; what is still sent by it is lost. */
  closeSocket(index: number): void {
    this.#betweenWaits(() => {
      const port = this.#ports[index]!;
      port.closeSocket();
      port.isGone = true;
      port.watched = -1;
      port.reopenAtUs = Infinity;
    });
  }

  /** Closes every socket. */
  close(): void {
    this.#makeChanges();
    for (const port of this.#ports) port.closeSocket();
  }

  /** A wait may be in progress on another thread, which watches the sockets that there are. */
  #betweenWaits(change: () => void): void {
    this.#changes.push(change);
    this.wake();
  }

  #makeChanges(): void {
    for (const change of this.#changes.splice(0)) change();
    this.#watchIsStale = true;
  }

  /** Moves what there is, for at most about `turnUs`. Returns whether nothing is left. */
  #turn(start: number, turnUs: number): boolean {
    const { clock } = this.#options;
    this.turns++;
    if (this.#changes.length > 0) this.#makeChanges();
    this.#unblock();
    this.#hearNetwork(start);
    this.#reopenDue(start);
    let moved = this.#round(true);
    while (moved && !this.#stopping && clock() - start < turnUs) moved = this.#round(false);
    this.#drainEvents(clock());
    return !moved;
  }

  /**
   * Reads a descriptor when it was ready or, after the `first` round, in case it is. Every socket
   * is read before a deadline is acted on: after a pause of this process, what was waited for may
   * be in its buffer.
   */
  #round(first: boolean): boolean {
    const endpoint = this.#endpoint;
    const isDue = this.#options.clock() >= endpoint.pollTimeout();
    let moved = this.#receive(first && !isDue);
    const now = this.#roundAtUs = this.#options.clock();
    const tunReady = this.#isReady(this.#tunWatched) || this.#options.tun.backlog;
    if (!first || tunReady) moved = this.#readTun(now) || moved;
    if (isDue) endpoint.handleTimeout(now);
    moved = this.#transmit(now) || moved;
    return this.#writeTun(now) || moved;
  }

  /**
   * Empties the interface's queue and the sockets' buffers after a pause. The core gets the datagrams,
   * which tell it that links are alive, but nobody the packets in them.
   */
  #dropStale(start: number): void {
    const { clock, pool, tun } = this.#options;
    const isLate = (): boolean => clock() - start > EMPTY_US;
    for (let count = 1; count > 0 && !isLate();) {
      const limit = Math.min(pool.available, PACKETS_PER_ROUND);
      count = limit > 0 ? tun.read(pool, this.#slots, limit) : 0;
      this.#drop(count);
    }
    while (this.#receive(false) && !isLate()) this.#dropDelivered();
  }

  #dropDelivered(): void {
    for (;;) {
      const count = this.#endpoint.pollPackets(this.#options.clock(), this.#slots);
      if (count === 0) return;
      this.#drop(count);
    }
  }

  #drop(count: number): void {
    this.staleDrops += count;
    for (let k = 0; k < count; k++) this.#options.pool.release(this.#slots[k]!);
  }

  #receive(onlyReady: boolean): boolean {
    let moved = false;
    for (const port of this.#ports) {
      if (port.socket === undefined || onlyReady && !this.#isReady(port.watched)) continue;
      moved = this.#receiveOn(port.socket, port.index) || moved;
    }
    return moved;
  }

  #receiveOn(socket: LinkSocket, index: number): boolean {
    if (socket.receive(this.#received) === 0) return false;
    // After the call: nothing must seem to have arrived before it was sent, whatever the OS
    // scheduler did to us in between. One-way delays depend on that.
    const now = this.#options.clock();
    this.#endpoint.handleDatagrams(now, index, this.#received);
    while (socket.backlog && socket.receive(this.#received) > 0) {
      this.#endpoint.handleDatagrams(now, index, this.#received);
    }
    this.#boundMessages(this.#options.clock() - now);
    return true;
  }

  /** What was asked for has to be accepted: when that takes long, ask for less. */
  #boundMessages(tookUs: number): void {
    const batch = this.#received;
    if (tookUs > TURN_US) batch.messages = Math.max(1, batch.messages >> 1);
    else if (tookUs < TURN_US / 4) batch.messages = Math.min(MESSAGES, batch.messages + 1);
  }

  #readTun(now: number): boolean {
    const { pool, tun } = this.#options;
    const limit = Math.min(this.#endpoint.wantsPackets(), pool.available, PACKETS_PER_ROUND);
    if (limit <= 0) return false;
    const count = tun.read(pool, this.#slots, limit);
    if (count > 0) this.#endpoint.handlePackets(now, this.#slots, count);
    return count > 0;
  }

  #transmit(now: number): boolean {
    let moved = false;
    for (let i = 0; i < BATCHES_PER_ROUND; i++) {
      const more = this.#endpoint.pollTransmit(now, this.#batches);
      let sent = false;
      for (const port of this.#ports) sent = port.flush(now, this.#endpoint) || sent;
      moved ||= sent;
      if (!more || !sent || this.#options.clock() - now > TURN_US) break;
    }
    return moved;
  }

  #writeTun(now: number): boolean {
    const { pool, tun } = this.#options;
    for (let i = 0; i < BATCHES_PER_ROUND; i++) {
      const count = this.#endpoint.pollPackets(now, this.#slots);
      if (count === 0) return i > 0;
      this.tunDrops += count - tun.write(pool, this.#slots, count);
      for (let k = 0; k < count; k++) pool.release(this.#slots[k]!);
    }
    return true;
  }

  #drainEvents(now: number): void {
    let event: EndpointEvent | undefined;
    while ((event = this.#endpoint.pollEvent()) !== undefined) {
      if (event.type === "rebind" && !this.#stopping) this.#reopen(this.#ports[event.link], now);
      this.#options.onEvent(event);
      this.#options.poller.letRun();
    }
  }

  #isReady(index: number): boolean {
    return index >= 0 && this.#options.poller.ready(index);
  }

  #unblock(): void {
    const now = this.#options.clock();
    for (const port of this.#ports) {
      if (port.blocked && this.#isReady(port.watched)) {
        port.blocked = false;
        this.#watchIsStale = true;
      }
      if (now >= port.retryAtUs) port.retryAtUs = Infinity;
    }
  }

  #hearNetwork(now: number): void {
    if (!this.#network) return;
    const changes = this.#network.handleTurn(now, this.#isReady(this.#networkWatched));
    for (const { link, obstacle, isElsewhere } of changes) {
      const port = this.#ports[link]!;
      const needsSocket = isElsewhere || port.socket === undefined;
      if (obstacle === undefined && needsSocket) this.#reopen(port, now);
      this.#endpoint.handleNetworkChange(now, link, obstacle);
    }
  }

  #reopenDue(now: number): void {
    for (const port of this.#ports) if (now >= port.reopenAtUs) this.#reopen(port, now);
  }

  /** Gives a port a new socket, or another try later. No wait is in progress here. */
  #reopen(port: Port | undefined, now: number): void {
    if (port === undefined || port.isGone) return;
    port.closeSocket();
    port.socket = this.#options.reopen(port.index);
    port.reopenAtUs = port.socket === undefined ? now + REOPEN_US : Infinity;
    port.watched = -1;
    this.#watchIsStale = true;
  }

  /**
   * Time in microseconds until there is something to do without an event. A deadline that was
   * already due in the last round waits for a blocked socket.
   */
  #idleTime(): number {
    if (this.#options.tun.backlog && this.#wantsTun()) return 0;
    const now = this.#options.clock();
    const deadline = this.#endpoint.pollTimeout();
    let next = Math.min(
      deadline,
      this.#network?.timeoutAtUs(this.#networkWatched >= 0) ?? Infinity,
    );
    let held = false;
    for (const port of this.#ports) {
      next = Math.min(next, port.retryAtUs, port.reopenAtUs);
      held ||= port.held;
    }
    return held && deadline <= this.#roundAtUs ? STALL_US : Math.max(0, next - now);
  }

  #updateWatch(): void {
    const wantsTun = this.#wantsTun();
    const wantsNetwork = this.#network?.isListening(this.#roundAtUs) ?? false;
    this.#watchIsStale ||= wantsTun !== this.#tunWatched >= 0 || this.#blockedChanged() ||
      wantsNetwork !== this.#networkWatched >= 0;
    if (!this.#watchIsStale) return;
    const list = this.#watched;
    list.length = 0;
    for (const port of this.#ports) {
      port.watched = port.socket === undefined ? -1 : list.length;
      if (port.socket) list.push({ fd: port.socket.fd, writable: port.blocked });
    }
    this.#tunWatched = wantsTun ? list.length : -1;
    if (wantsTun) list.push({ fd: this.#options.tun.fd, writable: false });
    this.#networkWatched = wantsNetwork ? list.length : -1;
    if (wantsNetwork) list.push({ fd: this.#network!.fd, writable: false });
    this.#options.poller.watch(list);
    this.#watchIsStale = false;
  }

  #wantsTun(): boolean {
    return this.#endpoint.wantsPackets() > 0 && this.#options.pool.available > 0;
  }

  #blockedChanged(): boolean {
    for (const port of this.#ports) {
      if (port.watched >= 0 && this.#watched[port.watched]!.writable !== port.blocked) return true;
    }
    return false;
  }

  #farewell(): void {
    const now = this.#options.clock();
    this.#endpoint.close(now);
    this.#transmit(now);
    this.#drainEvents(now);
  }
}
