/**
 * The command line, checked against the declared flags and operands.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { closest } from "../suggest.ts";
import { UsageError } from "../errors.ts";
import type { Arguments, Command, Flag } from "./command.ts";
import { GLOBAL_FLAGS, TOP_FLAGS, usageOf } from "./help.ts";

/** The command line in two parts. */
export interface CommandLine {
  /** Flags before the command. */
  readonly flags: Arguments["flags"];
  readonly command: string | undefined;
  /** What follows the command. */
  readonly rest: readonly string[];
}

/** Splits the command line at the command. Throws UsageError. */
export function splitCommandLine(args: readonly string[]): CommandLine {
  const end = args.indexOf("--");
  // What follows `--` belongs to the command, which has to see it.
  const before = end < 0 ? args : args.slice(0, end);
  const { operands, flags } = parse(before, TOP_FLAGS, true, "Run `aggvpn help`");
  return {
    flags,
    command: operands[0],
    rest: [...operands.slice(1), ...args.slice(before.length)],
  };
}

/** Reads what follows the command's name. Throws UsageError; with `--help` not for operands. */
export function parseArguments(command: Command, args: readonly string[]): Arguments {
  const hint = `Run \`aggvpn help ${command.name}\``;
  const parsed = parse(args, { ...command.flags, ...GLOBAL_FLAGS }, false, hint);
  if (parsed.flags.help !== true) checkOperands(command, parsed.operands, hint);
  return parsed;
}

function parse(
  args: readonly string[],
  flags: Readonly<Record<string, Flag>>,
  stopEarly: boolean,
  hint: string,
): Arguments {
  const entries = Object.entries(flags);
  const withValue = entries.filter(([, flag]) => flag.value !== undefined).map(([name]) => name);
  const switches = entries.filter(([, flag]) => flag.value === undefined).map(([name]) => name);
  const result = parseArgs(args, {
    boolean: switches,
    string: ["_", ...withValue],
    alias: Object.fromEntries(
      entries.flatMap(([name, flag]) => flag.short === undefined ? [] : [[name, flag.short]]),
    ),
    stopEarly,
    unknown: (arg, key) => {
      if (key !== undefined) throw unknownFlag(arg, entries.map(([name]) => name), hint);
    },
  });
  const given: Record<string, string | true> = {};
  for (const name of switches) if (result[name] === true) given[name] = true;
  for (const name of withValue) {
    const value = result[name];
    if (value === undefined) continue;
    if (value === "") {
      const metavar = flags[name]!.value!;
      throw new UsageError(`--${name} needs a value`, { hint: `Write --${name}=${metavar}` });
    }
    given[name] = String(value);
  }
  return { operands: result._.map(String), flags: given };
}

function unknownFlag(arg: string, names: readonly string[], hint: string): UsageError {
  const typed = arg.replace(/=.*$/, "");
  const near = typed.startsWith("--") ? closest(typed.slice(2), names) : undefined;
  return new UsageError(`Unknown flag ${typed}`, {
    hint: near === undefined ? hint : `Did you mean --${near}?`,
  });
}

function checkOperands(command: Command, operands: readonly string[], hint: string): void {
  const declared = command.operands.split(" ").filter(Boolean);
  const required = declared.filter((operand) => !operand.startsWith("["));
  const missing = required[operands.length];
  if (missing !== undefined) {
    throw new UsageError(`Missing ${missing}`, { hint: `Usage: ${usageOf(command)}` });
  }
  if (declared.at(-1)?.endsWith("...]")) return;
  const extra = operands[declared.length];
  if (extra !== undefined) throw new UsageError(`Unexpected operand "${extra}"`, { hint });
}
