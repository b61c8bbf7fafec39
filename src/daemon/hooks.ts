/**
 * The user's scripts: `tunnel.up` and `tunnel.down`, and the status command, which is called
 * exactly as mlvpn calls its own.
 *
 * Scripts run one after another and never hold up the tunnel; each has a time limit (`script.ts`).
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Address, Family, Prefix } from "../address.ts";
import type { TunnelConfig } from "../config/config.ts";
import { AggvpnError } from "../errors.ts";
import { runScript, type ScriptHost } from "./script.ts";

const log = getLogger(["aggvpn", "hooks"]);

/** Runs `tunnel.up` and `tunnel.down`. */
export const HOOK_SHELL = "/bin/sh";
/** Calls that may wait; more are dropped, and the log says so. */
const MAX_WAITING = 256;

/** The events that the status command is called for. */
export type HookEvent = "tuntap_up" | "tuntap_down" | "rtun_up" | "rtun_down";

/** Returns the environment of the moment: the MTU may change. */
export type Environment = () => Record<string, string>;

/** Returns the environment that every script gets, with mlvpn's names. */
export function hookEnvironment(
  tunnel: TunnelConfig,
  device: string,
  mtu: number,
): Record<string, string> {
  const routes = (family: Family): string =>
    tunnel.routes.filter((route) => route.family === family).join(" ");
  return {
    DEVICE: device,
    MTU: String(mtu),
    IP4: textOf(tunnel.address),
    IP6: textOf(tunnel.address6),
    IP4_GATEWAY: textOf(tunnel.gateway),
    IP6_GATEWAY: textOf(tunnel.gateway6),
    IP4_ROUTES: routes(4),
    IP6_ROUTES: routes(6),
  };
}

function textOf(value: Address | Prefix | undefined): string {
  return value === undefined ? "" : `${value}`;
}

/**
 * Runs `tunnel.up` or `tunnel.down` with the shell. Throws AggvpnError when it fails: the user
 * relies on what it does.
 */
export async function runShellHook(
  key: "up" | "down",
  line: string,
  env: Record<string, string>,
  host: ScriptHost,
): Promise<void> {
  const failure = await runScript(HOOK_SHELL, ["-c", line], env, host);
  if (failure === undefined) return;
  throw new AggvpnError(`The command of tunnel.${key} ${failure}: ${line}`, {
    hint: "Run it by hand; it gets DEVICE, MTU, IP4 and so on in its environment",
  });
}

/** The status command, called when links and the tunnel come and go. */
export class StatusCommand {
  readonly #command: () => string | undefined;
  readonly #env: Environment;
  readonly #host: ScriptHost;
  readonly #up: Set<string> = new Set();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** @param command the one of the moment; undefined: there is none */
  constructor(command: () => string | undefined, env: Environment, host: ScriptHost) {
    this.#command = command;
    this.#env = env;
    this.#host = host;
  }

  /** Tells the command about a link; `link` is unique among all peers. */
  handleLink(link: string, isUp: boolean): void {
    if (isUp === this.#up.has(link)) return;
    if (isUp) this.#up.add(link);
    else this.#up.delete(link);
    this.#call(isUp ? "rtun_up" : "rtun_down", link);
    if (this.#up.size === (isUp ? 1 : 0)) this.#call(isUp ? "tuntap_up" : "tuntap_down");
  }

  /** Tells the command that every link is down; resolves when all scripts have ended. */
  async close(): Promise<void> {
    for (const link of [...this.#up]) this.handleLink(link, false);
    await this.#last;
  }

  #call(event: HookEvent, link?: string): void {
    const command = this.#command();
    if (command === undefined) return;
    if (this.#waiting >= MAX_WAITING) {
      log.warning("{command} is too slow: {event} is not reported", { command, event });
      return;
    }
    const args = [this.#env().DEVICE!, event, ...link === undefined ? [] : [link]];
    this.#waiting++;
    this.#last = this.#last.then(() => this.#run(command, args)).finally(() => this.#waiting--);
  }

  async #run(command: string, args: readonly string[]): Promise<void> {
    try {
      const failure = await runScript(command, args, this.#env(), this.#host);
      if (failure === undefined) return;
      log.warning("{command} {failure}", { command: [command, ...args].join(" "), failure });
    } catch (error) {
      log.error("Cannot run {command}: {reason}", { command, reason: (error as Error).message });
    }
  }
}
