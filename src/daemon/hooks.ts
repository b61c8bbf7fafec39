/**
 * The user's scripts: `tunnel.up` and `tunnel.down`, and what all of them get to know. The status
 * command has a file of its own.
 *
 * Each has a time limit (`script.ts`).
 *
 * @module
 */

import type { Address, Family, Prefix } from "../address.ts";
import type { TunnelConfig } from "../config/config.ts";
import { AggvpnError } from "../errors.ts";
import { runScript, type ScriptHost } from "./script.ts";

/** Runs `tunnel.up` and `tunnel.down`. */
export const HOOK_SHELL = "/bin/sh";
/** How long `tunnel.down` may take: the rest of the end waits for it. */
const DOWN_LIMIT_MS = 10_000;

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
 * Runs `tunnel.up` or `tunnel.down` with the shell, until `ending` is aborted. Throws AggvpnError
 * when it fails: the user relies on what it does.
 */
export async function runShellHook(
  key: "up" | "down",
  line: string,
  env: Record<string, string>,
  host: ScriptHost,
  ending?: AbortSignal,
): Promise<void> {
  const limited = key === "down" ? { limitMs: DOWN_LIMIT_MS, ...host } : host;
  const failure = await runScript(HOOK_SHELL, ["-c", line], env, limited, ending);
  if (failure === undefined) return;
  throw new AggvpnError(`The command of tunnel.${key} ${failure}: ${line}`, {
    hint: "Run it by hand; it gets DEVICE, MTU, IP4 and so on in its environment",
  });
}
