/**
 * Runs one of the user's programs, and kills it when its time is up.
 *
 * It leads its own session, and so process group, and is killed with everything that it has
 * started: otherwise hanging children of scripts would pile up on a link that comes and goes. A
 * process that makes its own session, as daemon(3) does, lives on. Signals from the terminal reach
 * none of them. They inherit no descriptor but stderr: those of the tunnel are closed on exec.
 *
 * Nothing waits forever, neither for a script that the system refuses to kill nor for one that
 * hangs in the kernel. However a script ends, it is not fatal: Deno rejects when it has no name for
 * a signal, which is the case for 9 on OpenBSD and from 32 on elsewhere.
 *
 * @module
 */

import { reportIfRefused } from "../refusals.ts";

/** A script that runs longer is killed, so that the next one can run; milliseconds. */
const SCRIPT_LIMIT_MS = 30_000;
/** A killed script ends at once, unless it hangs in the kernel. */
const KILLED_LIMIT_MS = 5_000;

/** A process that was started. */
export type Child = Pick<Deno.ChildProcess, "pid" | "status" | "unref">;

/** What scripts need of the system. */
export interface ScriptHost {
  /** Kills the group of a process. Throws AggvpnError when the system refuses. */
  readonly killGroup: (leader: number) => void;
  /** {@linkcode SCRIPT_LIMIT_MS}, unless a test cannot wait that long. */
  readonly limitMs?: number;
  /** For tests: how long a killed script may take to end. */
  readonly killedLimitMs?: number;
  /** For tests: starts a process. */
  readonly spawn?: (command: string, options: Deno.CommandOptions) => Child;
}

/**
 * Runs `command` with `args`; resolves with how it failed, such as `exited with status 3`, or
 * with undefined. Its time is up as well when `ending` is aborted. Rejects when it cannot be
 * started.
 */
export async function runScript(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  host: ScriptHost,
  ending?: AbortSignal,
): Promise<string | undefined> {
  const { limitMs = SCRIPT_LIMIT_MS, killedLimitMs = KILLED_LIMIT_MS } = host;
  const child = (host.spawn ?? spawnProcess)(command, {
    args: [...args],
    env,
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
    detached: true,
  });
  const end = child.status.then(failureOf, unknownEnd);
  if (await isWithin(end, limitMs, ending)) return end;
  const tooLong = ending?.aborted
    ? "was still running when the tunnel ended"
    : `ran longer than ${limitMs / 1000} s`;
  try {
    host.killGroup(child.pid);
  } catch (error) {
    child.unref();
    return `${tooLong} and goes on: ${(error as Error).message}`;
  }
  if (await isWithin(end, killedLimitMs)) return `${tooLong} and was killed`;
  child.unref();
  return `${tooLong} and was killed, but does not end`;
}

/** Starts a process. Throws when it cannot. */
export function spawnProcess(command: string, options: Deno.CommandOptions): Deno.ChildProcess {
  try {
    return new Deno.Command(command, options).spawn();
  } catch (error) {
    reportIfRefused(`the start of ${command}`, error);
    throw error;
  }
}

/** The signal number is right where Deno's name for it is wrong. */
function failureOf({ code, signal }: Deno.CommandStatus): string | undefined {
  if (signal !== null) return `was ended by signal ${code - 128}`;
  return code === 0 ? undefined : `exited with status ${code}`;
}

function unknownEnd(error: Error): string {
  return `ended in a way that is not known: ${error.message}`;
}

/** Tells whether `end`, which never rejects, resolves within `ms` and before `ending`. */
async function isWithin(
  end: Promise<unknown>,
  ms: number,
  ending?: AbortSignal,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const giveUp = (): void => resolve(false);
  const timer = setTimeout(giveUp, ms);
  ending?.addEventListener("abort", giveUp);
  if (ending?.aborted) giveUp();
  try {
    return await Promise.race([end.then(() => true), late]);
  } finally {
    clearTimeout(timer);
    ending?.removeEventListener("abort", giveUp);
  }
}
