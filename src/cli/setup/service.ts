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
import { planService, type ServicePlan, type ServiceWish } from "./service_plan.ts";

/** Flags of commands that offer it. */
export const SERVICE_FLAGS: Readonly<Record<string, Flag>> = {
  start: { doc: "Start the tunnel now, by the system's service manager" },
  enable: { doc: "Start it at every boot" },
};

/** A tunnel that could be started. */
export interface NewTunnel {
  readonly os: string;
  readonly file: string;
  readonly nat: boolean;
}

/** Starts the tunnel as flags or answers wish; tells whether it was started. Throws AggvpnError. */
export function offerService(
  { os, file, nat }: NewTunnel,
  args: Arguments,
  dialog: Dialog,
  shell: Shell,
): boolean {
  const wish = { start: args.flags.start === true, enable: args.flags.enable === true };
  const isAsked = wish.start || wish.enable;
  const host = { os, exists: isThere };
  const result = planService(file, nat, isAsked ? wish : { start: true, enable: true }, host);
  if ("why" in result) {
    if (isAsked) {
      throw new AggvpnError(`Cannot make a service of it: ${result.why}`, {
        hint: `Run \`aggvpn up ${file}\` by hand, or by another service manager`,
      });
    }
    shell.stderr(`To start it: aggvpn up ${file}\n(no service: ${result.why})\n`);
    return false;
  }
  if (isAsked) {
    carryOut(result.plan, shell);
    return wish.start;
  }
  const answer = askWish(dialog);
  if (!answer.start && !answer.enable) {
    shell.stderr(`To start it now and at boot:\n${commandLines(result.plan)}`);
    return false;
  }
  const chosen = planService(file, nat, answer, host);
  if ("plan" in chosen) carryOut(chosen.plan, shell);
  return answer.start;
}

function askWish(dialog: Dialog): ServiceWish {
  if (!dialog.isInteractive) return { start: false, enable: false };
  return {
    start: dialog.confirm("Start it now?", true),
    enable: dialog.confirm("Start it at every boot?", true),
  };
}

function commandLines({ files, commands }: ServicePlan): string {
  const lines = commands.map((command) => `  ${command.join(" ")}\n`).join("");
  const missing = files.map(({ path }) => `  (--start or --enable writes ${path})\n`).join("");
  return missing + lines;
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
