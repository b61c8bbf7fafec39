/** `aggvpn help`. */

import { EXIT } from "../../errors.ts";
import type { Command } from "../command.ts";
import { helpOf, overview } from "../help.ts";

/** Prints help. */
export const help: Command = {
  name: "help",
  operands: "[COMMAND]",
  summary: "Show help, or that of a command",
  description: "Prints what `aggvpn --help` or `aggvpn COMMAND --help` prints.",
  flags: {},

  async run(shell, { operands: [name] }): Promise<number> {
    // The table of commands contains this one.
    const { COMMANDS, findCommand } = await import("../commands.ts");
    shell.stdout(name === undefined ? overview(COMMANDS) : helpOf(findCommand(name)));
    return EXIT.ok;
  },
};
