/**
 * Hands a tunnel to the service manager, or says how to run it without.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { runCommand } from "../../platform/run_changes.ts";
import type { Arguments, Flag, Shell } from "../command.ts";
import type { Dialog } from "./dialog.ts";
import { isThere } from "./secret_file.ts";
import {
  type PlanResult,
  planService,
  type ServicePlan,
  type ServiceWish,
} from "./service_plan.ts";

/** Flags of commands that offer it. */
export const SERVICE_FLAGS: Readonly<Record<string, Flag>> = {
  start: { doc: "Start the tunnel now, by the system's service manager" },
  enable: { doc: "Start it at every boot" },
};

/** A tunnel that can be started. */
export interface NewTunnel {
  readonly os: string;
  readonly file: string;
  readonly nat: boolean;
}

/**
 * Starts the tunnel as flags or answers wish, else says how to; tells whether it was started. Throws
 * AggvpnError.
 */
export function offerService(
  tunnel: NewTunnel,
  { flags }: Arguments,
  dialog: Dialog,
  shell: Shell,
): boolean {
  const wish = { start: flags.start === true, enable: flags.enable === true };
  if (wish.start || wish.enable) return makeService(tunnel, wish, shell);
  const result = plan(tunnel, { start: true, enable: true });
  if ("why" in result) {
    shell.stderr(`To start it: aggvpn up ${tunnel.file}\n(no service: ${result.why})\n`);
    return false;
  }
  const answer = askWish(dialog);
  if (answer.start || answer.enable) return makeService(tunnel, answer, shell);
  shell.stderr(`To start it, now and at boot: aggvpn enable ${tunnel.file}\n`);
  return false;
}

/** Has the service manager run the tunnel; tells whether it was started. Throws AggvpnError. */
export function makeService(tunnel: NewTunnel, wish: ServiceWish, shell: Shell): boolean {
  const result = plan(tunnel, wish);
  if ("why" in result) {
    throw new AggvpnError(`Cannot make a service of it: ${result.why}`, {
      hint: `Run \`aggvpn up ${tunnel.file}\` by hand, or by another service manager`,
    });
  }
  carryOut(result.plan, shell);
  return wish.start;
}

function plan({ os, file, nat }: NewTunnel, wish: ServiceWish): PlanResult {
  return planService(file, nat, wish, { os, exists: isThere });
}

function askWish(dialog: Dialog): ServiceWish {
  if (!dialog.isInteractive) return { start: false, enable: false };
  return {
    start: dialog.confirm("Start it now?", true),
    enable: dialog.confirm("Start it at every boot?", true),
  };
}

function carryOut({ files, commands }: ServicePlan, shell: Shell): void {
  for (const { path, text, mode } of files) {
    shell.stderr(`+ write ${path}\n`);
    try {
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o755 });
      Deno.writeTextFileSync(path, text, { createNew: true });
      Deno.chmodSync(path, mode);
    } catch (cause) {
      throw new AggvpnError(`Cannot write ${path}`, { cause, hint: "Run as root" });
    }
  }
  for (const command of commands) {
    shell.stderr(`+ ${command.join(" ")}\n`);
    const { success, message } = runCommand(command);
    if (!success) throw new AggvpnError(`"${command.join(" ")}" failed: ${message}`);
  }
}
