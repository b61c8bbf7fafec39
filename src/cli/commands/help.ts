/** `aggvpn help`. */

import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { configHelp } from "../config_help.ts";
import { helpOf, overview } from "../help.ts";

/** Returns the command that prints help for `commands`; `find` looks one up. */
export function helpCommand(
  commands: readonly Command[],
  find: (name: string, commands: readonly Command[]) => Command,
): Command {
  return {
    name: "help",
    operands: "[COMMAND|config]",
    summary: "Show help, or all keys of the configuration",
    description:
      "Prints what `aggvpn --help` or `aggvpn COMMAND --help` prints; `aggvpn help config` lists the keys of the configuration file.",
    flags: {},

    run(shell, { operands: [name] }): Promise<number> {
      if (name === "config") shell.stdout(configHelp(shell.columns));
      else if (name === undefined) shell.stdout(overview(commands, shell.columns));
      else shell.stdout(helpOf(find(name, commands), shell.columns));
      return Promise.resolve(EXIT.ok);
    },
  };
}
