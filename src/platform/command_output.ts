/**
 * What a command prints: for looking at a system without changing it.
 *
 * @module
 */

import { reportIfRefused } from "../refusals.ts";
import { findProgram } from "./run_changes.ts";

/** How a command ended. */
export interface CommandOutput {
  readonly success: boolean;
  /** What it wrote to stdout; empty when it could not be started. */
  readonly output: string;
  /**
   * The signal that ended it, such as `SIGILL`, by Deno's name: on OpenBSD `SIGKILL` is SIGFPE,
   * while SIGKILL has no name and looks like any failure.
   */
  readonly signal?: string;
}

/** Runs a command without input, in the C locale, and returns what it prints. Never throws. */
export type ReadCommand = (command: readonly string[]) => CommandOutput;
/** The asynchronous form, for a command that takes a while. */
export type AwaitCommand = (command: readonly string[]) => Promise<CommandOutput>;

const FAILED: CommandOutput = { success: false, output: "" };

/** The system's {@linkcode ReadCommand}. */
export function readCommand(command: readonly string[]): CommandOutput {
  try {
    const prepared = prepareCommand(command);
    return prepared ? outputOf(prepared.outputSync()) : FAILED;
  } catch (error) {
    return failed(command, error);
  }
}

/** The system's {@linkcode AwaitCommand}. */
export async function awaitCommand(command: readonly string[]): Promise<CommandOutput> {
  try {
    const prepared = prepareCommand(command);
    return prepared ? outputOf(await prepared.output()) : FAILED;
  } catch (error) {
    return failed(command, error);
  }
}

/** Runs `commands` at once, and returns what tells their output. */
export async function readAhead(
  read: AwaitCommand,
  commands: readonly (readonly string[])[],
): Promise<ReadCommand> {
  const answers = new Map(
    await Promise.all(
      commands.map(async (command) => [command.join(" "), await read(command)] as const),
    ),
  );
  return (command) => answers.get(command.join(" ")) ?? FAILED;
}

function failed([program]: readonly string[], error: unknown): CommandOutput {
  reportIfRefused(`the start of ${program}`, error);
  return FAILED;
}

function prepareCommand([program = "", ...args]: readonly string[]): Deno.Command | undefined {
  const path = program.startsWith("/") ? program : findProgram(program);
  if (path === undefined) return undefined;
  return new Deno.Command(path, { args, stdin: "null", env: { LC_ALL: "C" } });
}

function outputOf({ success, stdout, signal }: Deno.CommandOutput): CommandOutput {
  const output = new TextDecoder().decode(stdout);
  return signal === null ? { success, output } : { success, output, signal };
}
