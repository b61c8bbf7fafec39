/** `aggvpn completions`: what makes a shell complete command lines. */

import { EXIT, UsageError } from "../../errors.ts";
import type { Command } from "../command.ts";
import { completionScript, type ShellName, SHELLS } from "../completion/scripts.ts";

/** Returns the command that prints a script that completes `commands`. */
export function completionsCommand(commands: readonly Command[]): Command {
  return {
    name: "completions",
    operands: SHELLS.join("|"),
    summary: "Print what makes a shell complete command lines",
    description:
      `Prints a script for the shell. Bash, zsh and fish then complete commands, flags, files, and
the names of tunnels, links and clients that there are; the ksh of OpenBSD completes commands and
flags. To try it:

bash: source <(aggvpn completions bash)

zsh: source <(aggvpn completions zsh)

fish: aggvpn completions fish | source

ksh: eval "$(aggvpn completions ksh)"`,
    flags: {},

    run(shell, { operands: [name] }): Promise<number> {
      if (!SHELLS.includes(name as ShellName)) {
        throw new UsageError(`No completions for "${name}"`, {
          hint: `Use one of ${SHELLS.join(", ")}`,
        });
      }
      shell.stdout(completionScript(name as ShellName, commands));
      return Promise.resolve(EXIT.ok);
    },
  };
}
