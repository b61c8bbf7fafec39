/**
 * What a tunnel has changed of the system, kept in a file for as long as the tunnel runs: so that the
 * next start, or `aggvpn down`, undoes what one left that did not get to do it.
 *
 * The file is beside the control socket, which tells whether its tunnel is alive, and gone after the
 * next boot, as the changes are. It has the commands that undo everything, in order, and is written
 * before each change. Those that undo a guard against leaks are apart: a start does not run them.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { isAlive } from "../control/server.ts";
import { commandLine, type RunCommand, runCommand } from "../platform/run_changes.ts";
import { reportIfRefused } from "../refusals.ts";

const log = getLogger(["aggvpn", "daemon"]);

const SUFFIX = ".changes";
const VERSION = 1;

/** What the file holds. */
interface Journal {
  readonly version: number;
  /** Network the commands are for: a host may have several. */
  readonly network: string;
  /** Process that wrote it, where that can be told from a later one with its number. */
  readonly process: string;
  readonly undo: readonly Command[];
  /** What undoes the guard against leaks, which is to outlive a crash. */
  readonly kept?: readonly Command[];
}

type Command = readonly string[];

/** Path of the journal of the tunnel with this control socket. */
export function journalPath(control: string): string {
  return control.replace(/(\.sock)?$/, SUFFIX);
}

/** Who makes changes, in the order in which they are undone. */
export type JournalPart = "uplinks" | "tunnel";

/** The journal of one running tunnel. */
export class ChangeJournal {
  readonly path: string;
  readonly #undo: Record<JournalPart, readonly Command[]> = { uplinks: [], tunnel: [] };
  #complained = false;
  #kept: readonly Command[] = [];

  constructor(control: string) {
    this.path = journalPath(control);
  }

  /**
   * Replaces what would undo everything of a part. A tunnel whose journal cannot be written runs as
   * well.
   */
  note(undo: readonly Command[], part: JournalPart = "tunnel"): void {
    this.#undo[part] = undo;
    this.#write();
  }

  /** Replaces what would undo what is to outlive a crash. */
  keep(kept: readonly Command[]): void {
    this.#kept = kept;
    this.#write();
  }

  /** Returns what an earlier tunnel has kept. */
  readKept(): readonly Command[] {
    const journal = readJournal(this.path);
    return journal?.network === currentNetwork() ? journal.kept ?? [] : [];
  }

  /** Says that everything is undone, except for what is kept. */
  clear(): void {
    for (const part of ["uplinks", "tunnel"] as const) this.#undo[part] = [];
    this.#write();
  }

  #write(): void {
    const undo = Object.values(this.#undo).flat();
    if (undo.length === 0 && this.#kept.length === 0) return removeFile(this.path);
    const journal = journalOf(undo, this.#kept);
    try {
      replaceFile(this.path, JSON.stringify(journal) + "\n");
    } catch (error) {
      reportIfRefused(`a write of ${this.path}`, error);
      if (this.#complained) return;
      this.#complained = true;
      const fields = { path: this.path, reason: (error as Error).message };
      log.warning("Cannot note in {path} what a crash would leave: {reason}", fields);
    }
  }
}

function journalOf(undo: readonly Command[], kept: readonly Command[]): Journal {
  return {
    version: VERSION,
    network: currentNetwork(),
    process: processOf(Deno.pid),
    undo,
    ...kept.length > 0 && { kept },
  };
}

/** Tells whether the tunnel with this control socket has a journal. */
export function isLeft(control: string): boolean {
  try {
    return Deno.lstatSync(journalPath(control)).isFile;
  } catch {
    return false;
  }
}

/** Returns the control sockets of tunnels that are not alive and may have left something. */
async function findLeftOvers(directory: string): Promise<string[]> {
  const controls: string[] = [];
  for (const name of namesIn(directory)) {
    if (!name.endsWith(SUFFIX)) continue;
    const control = `${directory}/${name.slice(0, -SUFFIX.length)}.sock`;
    if (!await isAlive(control)) controls.push(control);
  }
  return controls.sort();
}

/**
 * Undoes what the tunnel with this control socket left, with `guards` also its guard against leaks;
 * call it when that is not alive. Returns the commands that did something. What fails is gone
 * already, most likely with the interface.
 */
export function undoLeftOvers(
  control: string,
  run: RunCommand = runCommand,
  guards = true,
): string[] {
  const path = journalPath(control);
  const journal = readJournal(path);
  if (!journal || journal.network !== currentNetwork() || isRunning(journal)) return [];
  const done: string[] = [];
  const { undo, kept = [] } = journal;
  for (const command of guards ? [...undo, ...kept] : undo) {
    const { success, message } = run(command);
    const line = commandLine(command);
    if (success) done.push(line);
    else log.debug("{command} {reason}", { command: line, reason: message });
  }
  if (guards || kept.length === 0) removeFile(path);
  else replaceFile(path, JSON.stringify({ ...journal, undo: [] }) + "\n");
  return done;
}

/**
 * Does so for every tunnel whose control socket would be beside `own`, which is this process's, with
 * a line in the log for each. Guards stay, except that of `own` if it has none any more.
 */
export async function undoAllLeftOvers(
  own: string,
  run: RunCommand = runCommand,
  hasGuard = false,
): Promise<void> {
  for (const control of [own, ...await findLeftOvers(directoryOf(own))]) {
    const commands = undoLeftOvers(control, run, control === own && !hasGuard);
    if (commands.length === 0) continue;
    const fields = { commands: commands.join(", ") };
    log.warning("Undid what a tunnel left that did not end cleanly: {commands}", fields);
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Only what this user alone may have written is carried out. */
function readJournal(path: string): Journal | undefined {
  try {
    const { isFile, uid, mode } = Deno.lstatSync(path);
    if (!isFile || uid !== Deno.uid() || ((mode ?? 0) & 0o022) !== 0) return undefined;
    const journal = JSON.parse(Deno.readTextFileSync(path)) as Journal;
    const isOurs = journal.version === VERSION && isCommands(journal.undo) &&
      isCommands(journal.kept ?? []) && typeof journal.process === "string";
    return isOurs ? journal : undefined;
  } catch {
    return undefined;
  }
}

function isCommands(value: unknown): boolean {
  const isCommand = (command: unknown): boolean =>
    Array.isArray(command) && command.every((word) => typeof word === "string");
  return Array.isArray(value) && value.every(isCommand);
}

/** The network namespace of this thread; empty on a system that has none. */
function currentNetwork(): string {
  try {
    return Deno.readLinkSync("/proc/thread-self/ns/net");
  } catch {
    return "";
  }
}

/** Its socket may have been removed by hand. */
function isRunning({ process }: Journal): boolean {
  const [pid = ""] = process.split(" ");
  return process !== "" && Number(pid) !== Deno.pid && processOf(Number(pid)) === process;
}

/** Number and start of a process: proc_pid_stat(5), field 22. Empty where there is no such file. */
function processOf(pid: number): string {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name of the program, in parentheses, may hold anything.
    const start = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${pid} ${start}`;
  } catch {
    return "";
  }
}

/** As a whole, so that a crash leaves the old or the new one. */
function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new`;
  removeFile(fresh);
  Deno.writeTextFileSync(fresh, text, { createNew: true, mode: 0o600 });
  Deno.renameSync(fresh, path);
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    reportIfRefused(`a removal of ${path}`, error);
  }
}

function namesIn(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}
