/** `aggvpn help`. */

import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { configHelp } from "../config_help.ts";
import { helpOf, overview } from "../help.ts";

/** Prints help. */
export const help: Command = {
  name: "help",
  operands: "[COMMAND|config]",
  summary: "Show help, or all keys of the configuration",
  description:
    "Prints what `aggvpn --help` or `aggvpn COMMAND --help` prints; `aggvpn help config` lists the keys of the configuration file.",
  flags: {},

  async run(shell, { operands: [name] }): Promise<number> {
    // The table of commands contains this one.
    const { COMMANDS, findCommand } = await import("../commands.ts");
    if (name === "config") shell.stdout(configHelp());
    else shell.stdout(name === undefined ? overview(COMMANDS) : helpOf(findCommand(name)));
    return EXIT.ok;
  },
};
