/**
 * Every command, in the order of the help.
 *
 * @module
 */

import { UsageError } from "../errors.ts";
import { closest } from "../suggest.ts";
import type { Command } from "./command.ts";
import { check } from "./commands/check.ts";
import { client } from "./commands/client.ts";
import { completionsCommand } from "./commands/completions.ts";
import { dashboard } from "./commands/dashboard.ts";
import { doctor } from "./commands/doctor.ts";
import { down } from "./commands/down.ts";
import { enable } from "./commands/enable.ts";
import { genkey } from "./commands/genkey.ts";
import { helpCommand } from "./commands/help.ts";
import { monitor } from "./commands/monitor.ts";
import { quota } from "./commands/quota.ts";
import { importMlvpnCommand } from "./commands/import_mlvpn.ts";
import { initCommand } from "./commands/init.ts";
import { joinCommand } from "./commands/join.ts";
import { limit } from "./commands/limit.ts";
import { link } from "./commands/link.ts";
import { logLevel } from "./commands/log.ts";
import { reload } from "./commands/reload.ts";
import { status } from "./commands/status.ts";
import { up } from "./commands/up.ts";
import { version } from "./commands/version.ts";

/** The commands of the program. */
export const COMMANDS: readonly Command[] = withHelp([
  initCommand(),
  joinCommand(),
  client,
  check,
  up,
  down,
  enable,
  reload,
  status,
  monitor,
  dashboard,
  doctor,
  link,
  limit,
  quota,
  logLevel,
  genkey,
  importMlvpnCommand,
  version,
]);

/** Adds those that are about all commands. */
function withHelp(commands: readonly Command[]): readonly Command[] {
  const all: Command[] = [...commands];
  all.push(completionsCommand(all), helpCommand(all, findCommand));
  return all;
}

/** Returns the command of that name. Throws UsageError. */
export function findCommand(name: string, commands: readonly Command[] = COMMANDS): Command {
  const command = commands.find((command) => command.name === name);
  if (command) return command;
  const near = closest(name, commands.map((command) => command.name));
  throw new UsageError(`Unknown command "${name}"`, {
    hint: near === undefined ? "Run `aggvpn help`" : `Did you mean \`aggvpn ${near}\`?`,
  });
}
