/**
 * From a configuration to a running tunnel, and back to a host without a trace of it.
 *
 * Whatever is opened goes onto a stack at once and is undone in reverse, at the end or after a
 * failure half-way.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { Address } from "../address.ts";
import { compact } from "../config/compact.ts";
import type { Config, LinkConfig } from "../config/config.ts";
import { CONTROL_VERSION, type StatusDocument } from "../control/protocol.ts";
import type { AeadProvider } from "../crypto/aead.ts";
import { nobleProvider } from "../crypto/noble.ts";
import { systemClock } from "../io/clock.ts";
import { Driver } from "../io/driver.ts";
import { LinkSockets } from "../io/link_sockets.ts";
import type { LinkSocket, Platform, SocketOptions, Tun } from "../platform/platform.ts";
import type { RunCommand } from "../platform/run_changes.ts";
import { PacketPool } from "../slab.ts";
import { Endpoint } from "../tunnel/endpoint.ts";
import type { LineTestResult } from "../tunnel/line_tests.ts";
import type { EndpointStatus } from "../tunnel/options.ts";
import type { ChangeJournal } from "./change_journal.ts";
import { ClientLinks } from "./client_links.ts";
import {
  followInterfaces,
  followRemotes,
  openHandshakeClock,
  openLeakGuard,
  startHooks,
  startLeakGuard,
  startRepair,
} from "./companions.ts";
import { EventHub } from "./event_hub.ts";
import { EventLog } from "./event_log.ts";
import { type Environment, HOOK_SHELL, hookEnvironment } from "./hooks.ts";
import { openInterface } from "./interface.ts";
import type { InterfaceMtu } from "./interface_mtu.ts";
import type { LeakGuard } from "./leak_guard.ts";
import { LineTester, type LineTestRequest } from "./line_tester.ts";
import { ListenSockets } from "./listen_sockets.ts";
import { logFinding } from "./log_finding.ts";
import { networkPlan, openFiles } from "./plan.ts";
import { prepare, type PreparePlatform } from "./prepare.ts";
import { QuotaKeeper } from "./quota_keeper.ts";
import type { Quotas } from "./quotas.ts";
import { type Applied, type ConfiguredParts, Reconfigurer, type Rights } from "./reconfigure.ts";
import type { Remotes } from "./remotes.ts";
import type { ScriptHost } from "./script.ts";
import { stateFile } from "./state_file.ts";
import { tidied } from "./tidied.ts";
import { StatusCommand } from "./status_command.ts";

const log = getLogger(["aggvpn", "daemon"]);

/**
 * Packets that may be in the tunnel at once: 200 ms at 1 Gbit/s. A slot takes memory only once it
 * has been needed.
 */
const POOL_PACKETS = 16384;

/** What {@linkcode openDaemon} needs. */
export interface DaemonOptions {
  readonly config: Config;
  readonly platform: Platform;
  /** Gets each system change as it is made: `+ ip link set ...`, `- ip route del ...`. */
  readonly onChange: (line: string) => void;
  /** Ends a wait for what the start cannot do without. */
  readonly stopping?: AbortSignal;
  /** For tests: makes a change of the system. */
  readonly run?: RunCommand;
  /** Notes what a crash would leave. */
  readonly journal?: ChangeJournal;
}

/** What a {@linkcode Daemon} consists of. */
interface DaemonParts {
  readonly name: string;
  /** Of the interface. */
  readonly addresses: readonly string[];
  /** Absolute path of the configuration. */
  readonly file: string;
  /** By the system clock. */
  readonly startedAtUs: number;
  readonly tun: Tun;
  readonly mtu: InterfaceMtu;
  readonly endpoint: Endpoint;
  readonly driver: Driver;
  readonly quotas: QuotaKeeper;
  readonly linkSockets: LinkSockets;
  readonly remotes: Remotes | undefined;
  readonly guard: LeakGuard | undefined;
  readonly events: EventHub;
  readonly lineTester: LineTester;
  readonly reconfigurer: Reconfigurer;
  readonly current: () => Config;
  readonly stack: AsyncDisposableStack;
}

/** A tunnel that is set up; {@linkcode run} runs it. */
export class Daemon implements AsyncDisposable {
  readonly #parts: DaemonParts;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
  }

  /** Name of the interface, which the system may have chosen. */
  get interface(): string {
    return this.#parts.tun.name;
  }

  /** MTU of the interface in bytes, which may change. */
  get mtu(): number {
    return this.#parts.mtu.current;
  }

  /** Names of the links that there are (client) or of the listen addresses (server). */
  get socketNames(): readonly string[] {
    return this.#parts.linkSockets.names.filter((name) => name !== "");
  }

  /** What happens to it. */
  get events(): EventHub {
    return this.#parts.events;
  }

  /** Quotas of its links, if any has one. */
  get quotas(): Quotas | undefined {
    return this.#parts.quotas.quotas;
  }

  /** Turns of the event loop so far. */
  get turns(): number {
    return this.#parts.driver.turns;
  }

  /** Makes the event loop turn soon. */
  wake(): void {
    this.#parts.driver.wake();
  }

  /** Measures a link of a client to the end. Rejects with AggvpnError. */
  testLine(request: LineTestRequest): Promise<LineTestResult> {
    return this.#parts.lineTester.test(request);
  }

  /** The configuration that is in force. */
  get config(): Config {
    return this.#parts.current();
  }

  /**
   * Applies what `make` makes of the configuration in force. Rejects with AggvpnError, with nothing
   * applied, when some of it cannot be.
   */
  reconfigure(make: (current: Config) => Config): Promise<Applied> {
    return this.#parts.reconfigurer.apply(make);
  }

  /** Resolves after {@linkcode stop}; rejects with AggvpnError when the interface is gone. */
  run(): Promise<void> {
    return this.#parts.driver.run();
  }

  /** Makes {@linkcode run} say goodbye to every peer and end. */
  stop(): void {
    this.#parts.guard?.release();
    this.#parts.driver.stop();
  }

  /** What `status` shows. */
  status(): StatusDocument {
    const now = systemClock();
    const { name, file, addresses, startedAtUs, tun, endpoint, driver, quotas, linkSockets } =
      this.#parts;
    const tunnel = this.#withReasons(endpoint.status(now));
    return tidied({
      version: CONTROL_VERSION,
      daemon: {
        name,
        file,
        pid: Deno.pid,
        uptimeUs: Math.round(now - startedAtUs),
        rssBytes: Deno.memoryUsage().rss,
        interface: tun.name,
        addresses,
        offload: tun.offload,
        tunDrops: driver.tunDrops,
        staleDrops: driver.staleDrops,
        tunOversize: tun.oversizePackets,
        tunMalformed: tun.malformedPackets,
        sockets: driver.ports.map((port, i) =>
          compact({
            name: linkSockets.names[i]!,
            local: port.socket?.localAddress ?? "",
            interface: linkSockets.interfaceOf(i),
            reason: port.socket ? undefined : linkSockets.reasonOf(i),
            receiveDrops: port.receiveDrops,
          })
        ).filter((socket) => socket.name !== ""),
      },
      tunnel: { ...quotas.quotas?.describe(tunnel) ?? tunnel, mtu: this.mtu },
    });
  }

  /** Says of a client's links what they wait for. */
  #withReasons(status: EndpointStatus): EndpointStatus {
    const { linkSockets, remotes } = this.#parts;
    const [peer] = status.peers;
    if (!remotes || !peer) return status;
    const links = peer.links.map((link) => {
      const socket = linkSockets.reasonOf(link.id);
      if (socket !== undefined) return { ...link, reason: `waits for its socket: ${socket}` };
      const server = remotes.reasonOf(link.id);
      if (server !== undefined) return { ...link, reason: `waits for its server: ${server}` };
      return link;
    });
    return { ...status, peers: [{ ...peer, links }] };
  }

  /** Undoes every change of the system and closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.stack.disposeAsync();
  }
}

/**
 * Sets up a tunnel: keys, addresses, sockets, interface, routes. Throws AggvpnError, leaving
 * nothing behind, when any of it fails.
 */
export async function openDaemon(options: DaemonOptions): Promise<Daemon> {
  const startedAtUs = systemClock();
  const { config, platform } = options;
  const file = absolute(config.file);
  const aead = platform.libcrypto() ?? withoutLibcrypto();
  for (const finding of platform.startFindings(openFiles(config))) logFinding(finding);
  await using stack = new AsyncDisposableStack();
  const state: { parts?: ConfiguredParts } = {};
  const current = (): Config => state.parts?.config ?? config;
  const guard = await openLeakGuard(options, current, stack);
  const prepared = await prepare(
    config,
    aead.scrypt,
    askingWith(platform, guard),
    options.stopping,
  );
  const families = prepared.sockets.map((socket) => socket.family);
  const { tables } = prepared;
  const remotes = tables?.remotes;
  await guard?.follow(() => remotes?.known ?? []);

  const linkSockets = new LinkSockets(platform, prepared.sockets);
  const sockets = linkSockets.openAll();
  const isUsable = (socket: LinkSocket | undefined, i: number): boolean =>
    socket !== undefined && (!remotes || remotes.remoteOf(i) !== undefined);
  if (!sockets.some(isUsable)) {
    log.warning("No link can be used yet: the tunnel carries nothing until one is there");
  }
  const closer: { close: () => void } = { close: () => closeAll(sockets) };
  stack.defer(() => closer.close());
  const { tun, mtu, repair, programs, replan } = await openInterface({
    platform,
    name: config.tunnel.interface,
    kind: config.tunnel.offload ? "offload" : "plain",
    plan: (device) => networkPlan(config, device, prepared.mtu, families),
    onChange: options.onChange,
    run: options.run,
    journal: options.journal,
  }, stack);
  await guard?.setInterface(tun.name);
  const env: Environment = () => hookEnvironment(current().tunnel, tun.name, mtu.current);
  const scripts: ScriptHost = { killGroup: (leader) => platform.killGroup(leader) };
  await startHooks({ ...options, current }, env, scripts, stack);
  const statusCommand = new StatusCommand({
    command: () => current().statusCommand,
    env,
    host: scripts,
    severalPeers: () => {
      const config = current();
      return config.mode === "server" && config.clients.length > 1;
    },
  });
  stack.defer(() => statusCommand.close());

  const pool = new PacketPool(POOL_PACKETS);
  const handshakeClock = openHandshakeClock(options, stack);
  const endpoint = new Endpoint(prepared.endpointOptions({
    pool,
    aead,
    random: (out) => void crypto.getRandomValues(out as Uint8Array<ArrayBuffer>),
    mtu: prepared.mtu,
  }, () => handshakeClock!.next()));
  const poller = platform.openPoller();
  stack.defer(() => poller.close());
  const network = platform.watchNetwork(prepared.watched);
  stack.defer(() => network?.close());
  const events = new EventHub();
  listen(events, current, statusCommand, mtu);
  const follower = { update: (): void => {} };
  const driver = new Driver({
    endpoint,
    pool,
    tun,
    sockets,
    poller,
    network,
    beforeLook: () => follower.update(),
    clock: systemClock,
    onEvent: (event) => events.publish(event),
    reopen: (index) => linkSockets.reopen(index),
  });
  closer.close = (): void => driver.close();
  const running = { endpoint, driver, linkSockets };
  const following = remotes && followRemotes(remotes, running, stack);
  follower.update = followInterfaces(options, tables, running, stack);
  startRepair(repair, stack);
  if (guard) startLeakGuard(guard, stack);
  const links = tables && new ClientLinks({ tables, platform, ...running });
  stack.defer(() => links?.close());
  const quotas = new QuotaKeeper({
    links,
    endpoint,
    driver,
    file: stateFile(`${platform.stateDirectory}/${config.name}.quota.json`),
    onEvent: (event) => events.publish(event),
  });
  stack.defer(() => quotas.close());
  const rights = config.sandbox
    ? enterSandbox(options, [...programs, ...guard?.programs ?? []])
    : undefined;
  const listening = config.mode === "server"
    ? new ListenSockets({ platform, watched: prepared.watched, ...running }, config.listen)
    : undefined;
  const parts = state.parts = {
    config,
    interface: tun.name,
    mtu,
    startMtu: prepared.mtu,
    replan,
    endpoint,
    driver,
    links,
    listen: listening,
    quotas,
    guard,
    onLinks: (): void => {
      following?.update();
      follower.update();
    },
    rights,
  };
  return new Daemon({
    name: config.name,
    addresses: [config.tunnel.address, config.tunnel.address6]
      .filter((address) => address !== undefined).map(String),
    file,
    startedAtUs,
    tun,
    mtu,
    endpoint,
    driver,
    quotas,
    linkSockets,
    remotes,
    guard,
    events,
    lineTester: new LineTester(endpoint, driver),
    reconfigurer: new Reconfigurer(parts),
    current,
    stack: stack.move(),
  });
}

/**
 * Gives up the rights that are no longer needed once everything is open. Returns what may
 * still be done; undefined: everything.
 */
function enterSandbox(
  { config, platform, journal }: DaemonOptions,
  undoing: readonly string[],
): Rights | undefined {
  const hooks = config.tunnel.down === undefined ? [] : [HOOK_SHELL];
  const status = config.statusCommand === undefined ? [] : [config.statusCommand];
  const lookups = config.mode === "client" ? config.links.flatMap(lookupOf) : [];
  const programs = new Set([...undoing, ...hooks, ...status]);
  const reason = platform.sandbox({
    programs: [...programs],
    files: [config.control, ...journal ? [journal.path] : []],
    directories: config.mode === "client" ? [platform.stateDirectory] : [],
    lookups,
  });
  if (reason === undefined) return { programs, lookups: lookups.length > 0 };
  log.debug("No rights are given up: {reason}", { reason });
  return undefined;
}

/** How the servers of a link are looked up again, if one has a name. */
function lookupOf({ remotes, rdomain }: LinkConfig): Pick<SocketOptions, "rdomain">[] {
  return remotes.every(({ host }) => host instanceof Address) ? [] : [compact({ rdomain })];
}

/** Names are looked up through the guard. */
function askingWith(
  platform: Platform,
  guard: LeakGuard | undefined,
): PreparePlatform {
  if (!guard) return platform;
  return {
    os: platform.os,
    interfaceMtu: (link) => platform.interfaceMtu(link),
    ...platform.uplinks && { uplinks: platform.uplinks },
    lookup: (host, link) => guard.whileAsking(() => platform.lookup(host, link)),
  };
}

function withoutLibcrypto(): AeadProvider {
  log.warning("libcrypto cannot be loaded: encryption is done in JavaScript, many times slower");
  return nobleProvider();
}

/** Has everything that a tunnel always has told of its events. */
function listen(
  events: EventHub,
  current: () => Config,
  statusCommand: StatusCommand,
  mtu: InterfaceMtu,
): void {
  const eventLog = new EventLog();
  events.subscribe((event) => {
    const config = current();
    const isClient = config.mode === "client";
    eventLog.handleEvent(systemClock(), event);
    // A client has one server at a time: what its links carry to another one is over.
    if (event.type === "mtu") mtu.handleMtu(isClient ? "server" : event.peer, event.mtu);
    if (event.type === "link") statusCommand.handleLink(event);
    else if (event.type === "quota") statusCommand.handleQuota(event);
  });
}

function closeAll(sockets: readonly (LinkSocket | undefined)[]): void {
  for (const socket of sockets) socket?.close();
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}
