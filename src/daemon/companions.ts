/**
 * What runs beside the event loop until a tunnel ends: scripts, names that are looked up again, the
 * clock of handshakes, quotas, the look at what others changed.
 *
 * Each takes the stack on which it leaves how it is ended.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config, LinkConfig } from "../config/config.ts";
import { systemClock } from "../io/clock.ts";
import type { Driver } from "../io/driver.ts";
import type { LinkSockets } from "../io/link_sockets.ts";
import type { Platform } from "../platform/platform.ts";
import { type RunCommand, startCommand } from "../platform/run_changes.ts";
import type { Endpoint } from "../tunnel/endpoint.ts";
import type { Tier } from "../wire/handshake.ts";
import { awaitCommand } from "../platform/command_output.ts";
import type { ChangeJournal } from "./change_journal.ts";
import type { LinkTables } from "./client_links.ts";
import { InterfaceFollower } from "./follow_interfaces.ts";
import { HandshakeClock } from "./handshake_clock.ts";
import { type Environment, runShellHook } from "./hooks.ts";
import { LeakGuard } from "./leak_guard.ts";
import { uplinkNames } from "./plan.ts";
import { QUOTA_INTERVAL_MS, type QuotaLink, Quotas } from "./quotas.ts";
import { type Remotes, REMOTES_INTERVAL_MS } from "./remotes.ts";
import { type Repair, REPAIR_INTERVAL_MS } from "./repair.ts";
import type { ScriptHost } from "./script.ts";
import { stateFile } from "./state_file.ts";
import { UplinkRoutes } from "./uplink_routes.ts";

const log = getLogger(["aggvpn", "daemon"]);

/** What a companion is told of the tunnel. */
export interface Subject {
  readonly config: Config;
  readonly platform: Platform;
}

/** The same for one that changes the system. */
export interface ChangingSubject extends Subject {
  readonly onChange: (line: string) => void;
  readonly run?: RunCommand;
  readonly journal?: ChangeJournal;
}

/** ... and that keeps it when the end is not wanted. */
export interface GuardSubject extends ChangingSubject {
  /** Aborted: the end is wanted. */
  readonly stopping?: AbortSignal;
}

/** The running parts that companions act on. */
export interface Running {
  readonly endpoint: Endpoint;
  readonly driver: Driver;
  readonly linkSockets: LinkSockets;
}

/**
 * Has links send to where their servers are, until the tunnel ends; `update` is to be called when
 * there are other links.
 */
export function followRemotes(
  remotes: Remotes,
  { endpoint, driver, linkSockets }: Running,
  stack: AsyncDisposableStack,
): { readonly update: () => void } {
  remotes.attach({
    isUp: (link, server) => endpoint.isLinkUp(link, server),
    serverState: (server) => endpoint.serverState(server),
    hasSocket: (link) => driver.ports[link]?.socket !== undefined,
    setFamily: (link, family) => {
      if (linkSockets.setFamily(link, family)) driver.reopen(link);
    },
    setRemote: (link, server, remote) => {
      endpoint.setRemote(systemClock(), link, remote, server);
      driver.wake();
    },
  });
  let timer: ReturnType<typeof setInterval> | undefined;
  const update = (): void => {
    if (remotes.mayChange) {
      timer ??= setInterval(() => remotes.handleTimeout(), REMOTES_INTERVAL_MS);
    } else {
      clearInterval(timer);
      timer = undefined;
    }
  };
  update();
  stack.defer(() => {
    clearInterval(timer);
    remotes.close();
  });
  return { update };
}

/**
 * Has links leave by the interfaces that there are, until the tunnel ends. Returns what to call when
 * these may have changed.
 */
export function followInterfaces(
  { config, platform, onChange, journal, run }: ChangingSubject,
  tables: LinkTables | undefined,
  { endpoint, driver, linkSockets }: Running,
  stack: AsyncDisposableStack,
): () => void {
  const { uplinks } = platform;
  if (!uplinks || config.mode !== "client" || !tables) return () => {};
  const routes = config.linksExclude && new UplinkRoutes({
    plan: uplinks.planner(),
    onChange,
    run: run ?? startCommand,
    note: (undo) => journal?.note(undo, "uplinks"),
  });
  if (routes) {
    const timer = setInterval(() => void routes.repair(), REPAIR_INTERVAL_MS);
    stack.defer(async () => {
      clearInterval(timer);
      await routes.close();
    });
  }
  const follower = new InterfaceFollower({
    links: tables.links,
    interfaces: tables.interfaces,
    list: () => uplinks.list(),
    endpoint,
    driver,
    linkSockets,
    routes,
    clock: systemClock,
  });
  follower.update();
  return () => follower.update();
}

/** Runs `tunnel.up` now, and has `tunnel.down` run at the end, as `current` then has it. */
export async function startHooks(
  current: () => Config,
  env: Environment,
  scripts: ScriptHost,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { up } = current().tunnel;
  if (up !== undefined) await runShellHook("up", up, env(), scripts);
  stack.defer(() => {
    const { down } = current().tunnel;
    if (down === undefined) return;
    return runShellHook("down", down, env(), scripts).catch((error) => {
      log.error("{reason}", { reason: (error as Error).message });
    });
  });
}

/** Dates the handshakes of a client, until the tunnel ends. */
export function openHandshakeClock(
  { config, platform }: Subject,
  stack: AsyncDisposableStack,
): HandshakeClock | undefined {
  if (config.mode !== "client") return undefined;
  const clock = new HandshakeClock({
    clock: systemClock,
    wallMs: Date.now,
    file: stateFile(`${platform.stateDirectory}/${config.name}.clock`),
  });
  stack.defer(() => clock.close());
  return clock;
}

/** Counts what links with a quota carry, until the tunnel ends; `links` are those of the moment. */
export class QuotaKeeper {
  #quotas: Quotas | undefined;
  #counted: readonly QuotaLink[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #subject: Subject;
  readonly #links: () => readonly (LinkConfig | undefined)[];
  readonly #running: Running;

  constructor(
    subject: Subject,
    links: () => readonly (LinkConfig | undefined)[],
    running: Running,
    stack: AsyncDisposableStack,
  ) {
    this.#subject = subject;
    this.#links = links;
    this.#running = running;
    this.#open();
    stack.defer(() => this.#close());
  }

  /** What is counted; undefined while no link has a quota. */
  get quotas(): Quotas | undefined {
    return this.#quotas;
  }

  /** The links or their quotas are others: what was counted of those that stay is kept. */
  async renew(): Promise<void> {
    await this.#close();
    for (const { id } of this.#counted) this.#setLinkTier(id, undefined, undefined);
    this.#open();
  }

  #open(): void {
    const { config: { name }, platform } = this.#subject;
    const links = this.#counted = quotaLinks(this.#links());
    if (links.length === 0) return;
    const { endpoint } = this.#running;
    const quotas = this.#quotas = new Quotas({
      links,
      carrier: {
        carriedBytes: (link) => endpoint.carriedBytes(link),
        setLinkTier: (_now, link, tier, reason) => this.#setLinkTier(link, tier, reason),
      },
      clock: systemClock,
      wallMs: Date.now,
      file: stateFile(`${platform.stateDirectory}/${name}.quota.json`),
    });
    quotas.handleTimeout();
    this.#timer = setInterval(() => quotas.handleTimeout(), QUOTA_INTERVAL_MS);
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    const quotas = this.#quotas;
    this.#quotas = undefined;
    await quotas?.close();
  }

  #setLinkTier(link: number, tier: Tier | undefined, reason: string | undefined): void {
    const { endpoint, driver } = this.#running;
    endpoint.setLinkTier(systemClock(), link, tier, reason);
    driver.wake();
  }
}

/** By place. */
function quotaLinks(links: readonly (LinkConfig | undefined)[]): QuotaLink[] {
  return links.flatMap((link, id) => {
    const { name, options: { quotaBytes } = {} } = link ?? {};
    return name === undefined || quotaBytes === undefined ? [] : [{ id, name, quotaBytes }];
  });
}

/**
 * Lets nothing leave around the tunnel, until it ends; pushed onto `stack` first, it is ended last.
 * Returns undefined where that is not wanted.
 */
export async function openLeakGuard(
  { config, platform, onChange, run, journal, stopping }: GuardSubject,
  current: () => Config,
  stack: AsyncDisposableStack,
): Promise<LeakGuard | undefined> {
  if (config.mode !== "client" || !config.tunnel.leakGuard) return undefined;
  const guard = await LeakGuard.open({
    platform,
    name: config.name,
    interface: config.tunnel.interface,
    uplinks: () => uplinkNames(current()),
    onChange,
    run: run ?? startCommand,
    look: awaitCommand,
    journal,
  });
  stack.defer(() => guard.close(stopping?.aborted ?? false));
  return guard;
}

/** Keeps the guard as it should be, until the tunnel ends. */
export function startLeakGuard(guard: LeakGuard, stack: AsyncDisposableStack): void {
  guard.hold();
  const timer = setInterval(() => void guard.refresh(), REPAIR_INTERVAL_MS);
  stack.defer(() => clearInterval(timer));
}

/** Puts back what others remove, until the tunnel ends. */
export function startRepair(repair: Repair, stack: AsyncDisposableStack): void {
  const timer = setInterval(() => void repair.repair(), REPAIR_INTERVAL_MS);
  stack.defer(() => clearInterval(timer));
}
