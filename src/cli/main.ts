/**
 * The command line: finds the command, runs it, and prints what it throws.
 *
 * @module
 */

import { AggvpnError, EXIT, UsageError } from "../errors.ts";
import { parseArguments, splitCommandLine } from "./arguments.ts";
import { COLOR_CHOICES } from "./color.ts";
import type { Arguments, Shell } from "./command.ts";
import { COMMANDS, findCommand } from "./commands.ts";
import { helpOf, overview } from "./help.ts";
import { ConfigError } from "./load.ts";
import { type Output, processOutput } from "./output.ts";
import { problemText } from "./problem_text.ts";
import { versionText } from "./version.ts";

/** Runs the program and returns its exit status. Never rejects. */
export async function run(
  args: readonly string[],
  output: Output = processOutput(),
): Promise<number> {
  try {
    return await dispatch(args, output);
  } catch (error) {
    return printError(error, output);
  }
}

/** What the scripts of shells ask with; it is in no help. */
const COMPLETE = "__complete";

async function dispatch(args: readonly string[], output: Output): Promise<number> {
  if (args[0] === COMPLETE) {
    const { answerCompletion } = await import("./completion/answer.ts");
    const { HOST_SOURCES } = await import("./completion/sources.ts");
    return answer(output, await answerCompletion(args.slice(1), COMMANDS, HOST_SOURCES));
  }
  const line = splitCommandLine(args);
  if (line.flags.version === true) return answer(output, versionText());
  if (line.command === undefined) {
    if (line.flags.help === true) return answer(output, overview(COMMANDS, output.columns));
    output.stderr(overview(COMMANDS, output.columns));
    return EXIT.usage;
  }
  const command = findCommand(line.command);
  if (line.flags.help === true) return answer(output, helpOf(command, output.columns));
  const parsed = parseArguments(command, line.rest);
  if (parsed.flags.help === true) return answer(output, helpOf(command, output.columns));
  const flags = { ...line.flags, ...parsed.flags };
  return await command.run(shellOf(output, flags), { operands: parsed.operands, flags });
}

function answer(output: Output, text: string): number {
  output.stdout(text);
  return EXIT.ok;
}

function shellOf(output: Output, { color = "auto" }: Arguments["flags"]): Shell {
  if (color === true || !COLOR_CHOICES.includes(color)) {
    const hint = `Use one of ${COLOR_CHOICES.join(", ")}`;
    throw new UsageError(`Unknown value "${color}" of --color`, { hint });
  }
  const { stdout, stderr, columns, gone } = output;
  const isColored = color === "auto" ? output.likesColor : color === "always";
  return { stdout, stderr, color: isColored, columns, ...gone && { gone } };
}

function printError(error: unknown, output: Output): number {
  if (!(error instanceof AggvpnError)) {
    const detail = error instanceof Error ? error.stack ?? error.message : String(error);
    output.stderr(`aggvpn: This is a bug: ${detail}\nhint: Please report it with these lines\n`);
    return EXIT.failure;
  }
  if (error instanceof ConfigError) {
    for (const problem of error.problems) output.stderr(problemText(error.file, problem, false));
  }
  output.stderr(`aggvpn: ${error.message}${reasonOf(error)}\n`);
  if (error.hint !== undefined) output.stderr(`hint: ${error.hint}\n`);
  return error.exitCode;
}

/** The message of the cause, unless the error's own message includes it. */
function reasonOf({ cause, message }: AggvpnError): string {
  const reason = cause instanceof Error ? cause.message : "";
  return reason === "" || message.includes(reason) ? "" : `: ${reason}`;
}
