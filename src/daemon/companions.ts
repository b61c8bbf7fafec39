/**
 * What runs beside the event loop until a tunnel ends: scripts, names that are looked up again, the
 * clock of handshakes, quotas, the look at what others changed.
 *
 * Each takes the stack on which it leaves how it is ended.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { systemClock } from "../io/clock.ts";
import type { Driver } from "../io/driver.ts";
import type { LinkSockets } from "../io/link_sockets.ts";
import type { Platform } from "../platform/platform.ts";
import { type RunCommand, startCommand } from "../platform/run_changes.ts";
import type { Endpoint } from "../tunnel/endpoint.ts";
import { awaitCommand } from "../platform/command_output.ts";
import type { ChangeJournal } from "./change_journal.ts";
import type { LinkTables } from "./client_links.ts";
import { InterfaceFollower } from "./follow_interfaces.ts";
import { HandshakeClock } from "./handshake_clock.ts";
import { type Environment, runShellHook } from "./hooks.ts";
import { LeakGuard } from "./leak_guard.ts";
import { uplinkNames } from "./plan.ts";
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

/**
 * Runs `tunnel.up` now, unless the end is wanted, and has `tunnel.down` run at the end, as `current`
 * then has it.
 */
export async function startHooks(
  { current, stopping }: { readonly current: () => Config; readonly stopping?: AbortSignal },
  env: Environment,
  scripts: ScriptHost,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { up } = current().tunnel;
  if (up !== undefined) await runShellHook("up", up, env(), scripts, stopping);
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
