/** `aggvpn help`. */

import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { configHelp } from "../config_help.ts";
import { helpOf, overview } from "../help.ts";

/** Returns the command that prints help for the `others` and for itself; `find` looks one up. */
export function helpCommand(
  others: readonly Command[],
  find: (name: string, commands: readonly Command[]) => Command,
): Command {
  const help: Command = {
    name: "help",
    operands: "[COMMAND|config]",
    summary: "Show help, or all keys of the configuration",
    description:
      "Prints what `aggvpn --help` or `aggvpn COMMAND --help` prints; `aggvpn help config` lists the keys of the configuration file.",
    flags: {},

    run(shell, { operands: [name] }): Promise<number> {
      const commands = [...others, help];
      if (name === "config") shell.stdout(configHelp(shell.columns));
      else if (name === undefined) shell.stdout(overview(commands, shell.columns));
      else shell.stdout(helpOf(find(name, commands), shell.columns));
      return Promise.resolve(EXIT.ok);
    },
  };
  return help;
}
