/**
 * A whole platform in memory, for tests of the layers above.
 *
 * @module
 */

import type { Address } from "../../address.ts";
import type { AeadProvider } from "../../crypto/aead.ts";
import { AbsentError, AggvpnError } from "../../errors.ts";
import type { Inquiry } from "../inquiry.ts";
import type {
  GuardPlan,
  HostSurvey,
  LinkWay,
  NetworkKind,
  NetworkPlan,
  Platform,
  SandboxNeeds,
  SocketOptions,
  SyslogSink,
  SystemChange,
  WatchedLink,
} from "../platform.ts";
import { lookupAddresses } from "../resolve.ts";
import { MemoryNetwork, type MemorySocket } from "./network.ts";
import { MemoryPoller } from "./poller.ts";
import { MemoryTun } from "./tun.ts";
import { MemoryWatch } from "./watch.ts";

/** One host; hosts that share a network reach each other. */
export class MemoryPlatform implements Platform {
  readonly os = "memory";
  /** A real directory, for tests that keep something; this one not even root can make. */
  stateDirectory = "/dev/null/aggvpn";
  /** Everything that was opened, in order. */
  readonly tuns: MemoryTun[] = [];
  readonly sockets: MemorySocket[] = [];
  readonly pollers: MemoryPoller[] = [];
  readonly watches: MemoryWatch[] = [];
  /** What {@linkcode interfaceMtu} returns, by the names of links. */
  readonly interfaceMtus: Map<string, number> = new Map();
  /** Links whose interface does not exist. */
  readonly absent: Set<string> = new Set();
  /** What {@linkcode lookup} returns besides what the system's resolver knows. */
  readonly names: Map<string, readonly Address[]> = new Map();
  /** The ways of links that have one other than interface 1 without an obstacle, by name. */
  readonly ways: Map<string, LinkWay> = new Map();
  /** What {@linkcode sandbox} was told. */
  readonly sandboxed: SandboxNeeds[] = [];
  readonly network: MemoryNetwork;
  readonly #readable = new Map<number, () => boolean>();
  readonly #libcrypto: AeadProvider | undefined;
  #nextFd = 100;

  /** @param libcrypto what {@linkcode libcrypto} returns */
  constructor(network: MemoryNetwork = new MemoryNetwork(), libcrypto?: AeadProvider) {
    this.network = network;
    this.#libcrypto = libcrypto;
    network.listeners.push(() => this.#notify());
  }

  openTun(name = "agg0"): MemoryTun {
    if (this.tuns.some((tun) => tun.name === name && tun.isOpen)) {
      throw new AggvpnError(`Cannot create TUN interface "${name}": Device or resource busy`);
    }
    const tun = new MemoryTun(this.#nextFd++, name);
    this.#readable.set(tun.fd, () => tun.waiting > 0);
    tun.onPacket = (): void => this.#notify();
    this.tuns.push(tun);
    return tun;
  }

  openSocket(options: SocketOptions): MemorySocket {
    if (this.absent.has(options.name)) {
      const cause = new Error("ENODEV");
      throw new AbsentError(`No interface for ${options.name}`, { cause });
    }
    const socket = this.network.open(this.#nextFd++, options);
    this.#readable.set(socket.fd, () => socket.waiting > 0);
    this.sockets.push(socket);
    return socket;
  }

  /** Nothing answers. */
  openInquiry(): Inquiry {
    return { write: () => true, read: () => undefined, close: () => {} };
  }

  clockState(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  answerFilter(): undefined {
    return undefined;
  }

  interfaceMtu({ name }: SocketOptions): number | undefined {
    return this.interfaceMtus.get(name);
  }

  openPoller(): MemoryPoller {
    const poller = new MemoryPoller((fd) => this.#readable.get(fd)?.() ?? false);
    this.pollers.push(poller);
    return poller;
  }

  watchNetwork(links: readonly WatchedLink[]): MemoryWatch {
    const nameOf = (link: number): string => links[link]?.socket.name ?? "";
    const watch = new MemoryWatch(this.#nextFd++, (link) => this.ways.get(nameOf(link)));
    this.#readable.set(watch.fd, () => watch.isReadable);
    this.watches.push(watch);
    return watch;
  }

  /** Gives a link another way, of which its watch hears. */
  changeWay(name: string, way: LinkWay, kind: NetworkKind = "interface"): void {
    this.ways.set(name, way);
    for (const watch of this.watches) watch.tell(kind, way.interface);
    this.#notify();
  }

  libcrypto(): AeadProvider | undefined {
    return this.#libcrypto;
  }

  keptInterfaces(): readonly [] {
    return [];
  }

  closedCommands(): readonly [] {
    return [];
  }

  awaitAddresses(): Promise<readonly []> {
    return Promise.resolve([]);
  }

  /** There is no system to change. */
  networkChanges(_plan: NetworkPlan): readonly SystemChange[] {
    return [];
  }

  /** What {@linkcode guardChange} was told. */
  readonly guards: GuardPlan[] = [];
  readonly guardPrograms: readonly string[] = ["guard"];

  guardChange(plan: GuardPlan): Promise<SystemChange> {
    this.guards.push(plan);
    const { name, asksNames } = plan;
    const remotes = plan.remotes.map(({ address, port }) => address.withPort(port));
    return Promise.resolve({
      run: ["guard", name, plan.interface ?? "", ...asksNames ? ["names"] : [], ...remotes],
      undo: ["unguard", name],
      look: { run: ["true"], shows: /^/ },
    });
  }

  /** There is nobody who takes a message. */
  openSyslog(): SyslogSink {
    return { wantsTime: false, send: () => false, close: () => {} };
  }

  survey(): HostSurvey {
    return { interfaces: [], addresses: [], routes: [], uplinks: [] };
  }

  inspect(): readonly [] {
    return [];
  }

  secureSignals(): void {}

  raisePriority(): void {}

  endProcess(): void {}

  /** Scripts are real ones. */
  killGroup(leader: number): void {
    try {
      Deno.kill(-leader, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async lookup(host: string): Promise<readonly Address[]> {
    return this.names.get(host) ?? await lookupAddresses(host);
  }

  startFindings(): readonly [] {
    return [];
  }

  /** There is nothing to give up; what would be needed is kept. */
  sandbox(needs: SandboxNeeds): string {
    this.sandboxed.push(needs);
    return "there is no system";
  }

  #notify(): void {
    for (const poller of this.pollers) poller.notify();
  }
}
