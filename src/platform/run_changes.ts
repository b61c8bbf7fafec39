/**
 * Makes changes to the system and undoes them: every change is a command that is shown before it
 * runs; they are undone in reverse order.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { reportIfRefused } from "../refusals.ts";
import type { SystemChange, SystemCommand } from "./platform.ts";

/** Undoes what was done. Reports what fails and goes on; a second call does nothing. */
export type Undo = () => void;

/** What a line of the report is: a command that is about to run, or the failure of the last one. */
export type ReportKind = "change" | "undo" | "failure";

/** What a command printed. */
export interface CommandResult {
  readonly success: boolean;
  /** What it wrote to stderr, or why it could not be started. */
  readonly message: string;
}

/** Runs one command that reads `input`. */
export type RunCommand = (command: readonly string[], input?: string) => CommandResult;
/** The same for a program that has something else to do meanwhile. */
export type StartCommand = (
  command: readonly string[],
  input?: string,
) => CommandResult | Promise<CommandResult>;

/** Where to look for system commands besides PATH, which a service may not have. */
const SYSTEM_DIRECTORIES: readonly string[] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/**
 * Runs `changes` in order; `report` gets each command as a line before it runs, and each failure
 * that is no reason to stop. When one fails, those before it are undone and AggvpnError is thrown
 * with the command and what it said.
 *
 * @param run for tests: runs one command
 * @param note gets what would undo everything, in order, before each change
 */
export function applyChanges(
  changes: readonly SystemChange[],
  report: (line: string, kind: ReportKind) => void,
  run: RunCommand = runCommand,
  note: (undoing: readonly (readonly string[])[]) => void = () => {},
): Undo {
  const undoing: (readonly string[])[] = [];
  const undo = (): void => undoWith(undoing.splice(0).reverse(), report, run);
  for (const change of changes) {
    if (change.isDone) continue;
    report(changeLine(change), "change");
    if (change.undo) note([...undoing, change.undo].reverse());
    const { success, message } = run(change.run, change.input);
    if (!success && change.mayFail !== true) {
      undo();
      throw changeError(change, message);
    }
    if (success && change.undo) undoing.push(change.undo);
    else if (change.undo) {
      report(`failed: ${message}`, "failure");
      note(undoing.toReversed());
    }
  }
  return undo;
}

/** Runs `commands` that undo something, in order. Reports what fails and goes on. */
export function undoWith(
  commands: readonly (readonly string[])[],
  report: (line: string, kind: ReportKind) => void,
  run: RunCommand = runCommand,
): void {
  for (const command of commands) {
    report(commandLine(command), "undo");
    const { success, message } = run(command);
    if (!success) report(`failed: ${message}`, "failure");
  }
}

/** Runs one command and waits for it. Its standard input is `input`, or empty. */
export function runCommand(command: readonly string[], input?: string): CommandResult {
  const [program = "", ...args] = command;
  const path = findProgram(program);
  if (path === undefined) return notFound(program);
  const output = input === undefined
    ? outputOf(path, args)
    // Deno gives no pipe to a command that it waits for synchronously; the shell makes one.
    : outputOf("/bin/sh", ["-c", `printf %s "$INPUT" | "$0" "$@"`, path, ...args], {
      INPUT: input,
    });
  return resultOf(output);
}

/** Runs one command; its standard input is `input`, or empty. Never rejects. */
export async function startCommand(
  command: readonly string[],
  input?: string,
): Promise<CommandResult> {
  const [program = "", ...args] = command;
  const path = findProgram(program);
  if (path === undefined) return notFound(program);
  try {
    const child = new Deno.Command(path, {
      args,
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      env: { LC_ALL: "C" },
    }).spawn();
    if (input !== undefined) await writeInput(child, input);
    return resultOf(await child.output());
  } catch (error) {
    reportIfRefused(`the start of ${path}`, error);
    return resultOf(error as Error);
  }
}

/** A command that does not read to the end says itself what is wrong. */
async function writeInput({ stdin }: Deno.ChildProcess, input: string): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
}

function resultOf(output: Deno.CommandOutput | Error): CommandResult {
  if (output instanceof Error) return { success: false, message: output.message };
  const { success, code, stdout, stderr } = output;
  if (success) return { success, message: "" };
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();
  return { success, message: decode(stderr) || decode(stdout) || `exit status ${code}` };
}

function notFound(program: string): CommandResult {
  return { success: false, message: `${program}: command not found` };
}

/**
 * Returns the error of a command that could not be started, or was ended by a signal that Deno
 * cannot name (on OpenBSD, 9).
 */
function outputOf(
  path: string,
  args: string[],
  env: Record<string, string> = {},
): Deno.CommandOutput | Error {
  // Messages in the language that bug reports are searched in.
  const command = new Deno.Command(path, { args, stdin: "null", env: { ...env, LC_ALL: "C" } });
  try {
    return command.outputSync();
  } catch (error) {
    reportIfRefused(`the start of ${path}`, error);
    return error as Error;
  }
}

/** Returns the path of a program that can be executed, or undefined. */
export function findProgram(name: string): string | undefined {
  const path = Deno.env.get("PATH") ?? "";
  const directories = [...path.split(":"), ...SYSTEM_DIRECTORIES].filter((dir) => dir !== "");
  return directories.map((dir) => `${dir}/${name}`).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (mode === null || (mode & 0o111) !== 0);
  } catch (error) {
    reportIfRefused(`a look at ${path}`, error);
    return false;
  }
}

/** Writes a command as it would be typed into a shell. */
export function commandLine(command: readonly string[]): string {
  const quote = (word: string): string =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
  return command.map(quote).join(" ");
}

/** Writes a change as it would be typed into a shell, with what the command reads. */
export function changeLine({ run, input }: SystemCommand): string {
  if (input === undefined) return commandLine(run);
  const lines = input.replace(/\n$/, "").split("\n");
  return `${commandLine(["printf", "%s\\n", ...lines])} | ${commandLine(run)}`;
}

function changeError(change: SystemChange, message: string): AggvpnError {
  const [program = ""] = change.run;
  const missing = findProgram(program) === undefined;
  const hint = missing
    ? `Install the package that has "${program}".`
    : "Run the command by hand to see why it fails; all changes were undone.";
  return new AggvpnError(`Cannot run "${changeLine(change)}": ${message}`, { hint });
}
