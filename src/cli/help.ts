/**
 * Help, rendered from the commands.
 *
 * @module
 */

import type { Command, Flag } from "./command.ts";
import { twoColumns, wrap } from "./wrap.ts";

/** Flags that every command has. */
export const GLOBAL_FLAGS: Readonly<Record<string, Flag>> = {
  color: { doc: "Use colour: auto, always or never", value: "WHEN" },
  help: { doc: "Show help", short: "h" },
};

/** Flags that are given before or without a command. */
export const TOP_FLAGS: Readonly<Record<string, Flag>> = {
  ...GLOBAL_FLAGS,
  version: { doc: "Show the version", short: "V" },
};

/** Returns the usage line of a command. */
export function usageOf(command: Command): string {
  return ["aggvpn", command.name, "[FLAGS]", command.operands].filter(Boolean).join(" ");
}

/** Returns the help of the whole program. */
export function overview(commands: readonly Command[]): string {
  return `aggvpn joins several internet links into one encrypted tunnel.

Usage: aggvpn COMMAND [FLAGS] [OPERANDS]

Commands:
${twoColumns(commands.map((command) => [synopsis(command), command.summary]))}
Flags:
${flagLines(TOP_FLAGS)}
Example:
  aggvpn init    # on the server; it prints a join string
  aggvpn join    # on the client; paste it there

\`aggvpn help COMMAND\` tells more, \`aggvpn help config\` lists every key.
`;
}

/** Returns the help of one command. */
export function helpOf(command: Command): string {
  const flags = { ...command.flags, ...GLOBAL_FLAGS };
  return `${command.summary}.

Usage: ${usageOf(command)}

${wrap(command.description)}

Flags:
${flagLines(flags)}`;
}

function synopsis(command: Command): string {
  return [command.name, command.operands].filter(Boolean).join(" ");
}

function flagLines(flags: Readonly<Record<string, Flag>>): string {
  return twoColumns(
    Object.entries(flags).map(([name, flag]) => {
      const short = flag.short === undefined ? "    " : `-${flag.short}, `;
      return [`${short}--${name}${flag.value === undefined ? "" : `=${flag.value}`}`, flag.doc];
    }),
  );
}
