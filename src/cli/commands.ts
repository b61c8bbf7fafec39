/**
 * Every command, in the order of the help.
 *
 * @module
 */

import { closest } from "../suggest.ts";
import { UsageError } from "../errors.ts";
import type { Command } from "./command.ts";
import { check } from "./commands/check.ts";
import { genkey } from "./commands/genkey.ts";
import { help } from "./commands/help.ts";
import { status } from "./commands/status.ts";
import { up } from "./commands/up.ts";
import { version } from "./commands/version.ts";

/** The commands of the program. */
export const COMMANDS: readonly Command[] = [check, up, status, genkey, version, help];

/** Returns the command of that name. Throws UsageError. */
export function findCommand(name: string): Command {
  const command = COMMANDS.find((command) => command.name === name);
  if (command) return command;
  const near = closest(name, COMMANDS.map((command) => command.name));
  throw new UsageError(`Unknown command "${name}"`, {
    hint: near === undefined ? "Run `aggvpn help`" : `Did you mean \`aggvpn ${near}\`?`,
  });
}
