/**
 * Help, rendered from the commands.
 *
 * @module
 */

import { COLOR_CHOICES } from "./color.ts";
import type { Command, Flag } from "./command.ts";
import { twoColumns, wrap, wrapHanging } from "./wrap.ts";

/** Flags that every command has. */
export const GLOBAL_FLAGS: Readonly<Record<string, Flag>> = {
  color: { doc: "Use colour: auto, always or never", value: "WHEN", choices: COLOR_CHOICES },
  help: { doc: "Show help", short: "h" },
};

/** Flags that are given before or without a command. */
export const TOP_FLAGS: Readonly<Record<string, Flag>> = {
  ...GLOBAL_FLAGS,
  version: { doc: "Show the version", short: "V" },
};

const EXAMPLE = [
  ["aggvpn init", "On the server: it prints a join string"],
  ["aggvpn join", "On the client: paste it there"],
] as const;

const MORE = "`aggvpn help COMMAND` tells more, `aggvpn help config` lists every key.";

/** Returns the usage line of a command. */
export function usageOf(command: Command): string {
  return ["aggvpn", command.name, "[FLAGS]", command.operands].filter(Boolean).join(" ");
}

/** Returns the help of the whole program in lines of at most `columns`. */
export function overview(commands: readonly Command[], columns: number): string {
  return `${wrap("aggvpn joins several internet links into one encrypted tunnel.", columns)}

Usage: aggvpn COMMAND [FLAGS] [OPERANDS]

Commands:
${twoColumns(commands.map((command) => [synopsis(command), command.summary]), columns)}
Flags:
${flagLines(TOP_FLAGS, columns)}
Example:
${twoColumns(EXAMPLE, columns)}
${wrap(MORE, columns)}
`;
}

/** Returns the help of one command in lines of at most `columns`. */
export function helpOf(command: Command, columns: number): string {
  const flags = { ...command.flags, ...GLOBAL_FLAGS };
  return `${wrap(`${command.summary}.`, columns)}

${wrapHanging(`Usage: ${usageOf(command)}`, columns, "Usage: ".length)}

${wrap(command.description, columns)}

Flags:
${flagLines(flags, columns)}`;
}

function synopsis(command: Command): string {
  return [command.name, command.operands].filter(Boolean).join(" ");
}

function flagLines(flags: Readonly<Record<string, Flag>>, columns: number): string {
  return twoColumns(
    Object.entries(flags).map(([name, flag]) => {
      const short = flag.short === undefined ? "    " : `-${flag.short}, `;
      return [`${short}--${name}${flag.value === undefined ? "" : `=${flag.value}`}`, flag.doc];
    }),
    columns,
  );
}
