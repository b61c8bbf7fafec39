/**
 * Runs a program of the user's: it gets its time, and is killed when that is over.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";

const log = getLogger(["aggvpn", "hooks"]);

/** A script that runs longer is killed, so that the next one gets its turn; milliseconds. */
export const SCRIPT_LIMIT_MS = 30_000;
/** Exit status of what a signal that has no name has ended, as a shell would say: 128 and SIGKILL. */
const KILLED = 128 + 9;

/** A process that was started. */
export type Child = Pick<Deno.ChildProcess, "pid" | "status">;

/** What scripts need of the system. */
export interface ScriptHost {
  /** Ends a process, which cannot refuse. */
  readonly kill: (pid: number) => void;
  /** {@linkcode SCRIPT_LIMIT_MS} unless a test has no time for it. */
  readonly limitMs?: number;
  /** For tests: starts a process. */
  readonly spawn?: (command: string, options: Deno.CommandOptions) => Child;
}

/**
 * Runs `command` with `args`; returns its exit status, 128 and the signal's number when one
 * ended it. Only the process itself is killed: what it has started may go on, as with rc.d and cron.
 * Throws when it cannot be started.
 */
export async function runScript(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  host: ScriptHost,
): Promise<number> {
  const { kill, limitMs = SCRIPT_LIMIT_MS, spawn = spawnProcess } = host;
  const child = spawn(command, {
    args: [...args],
    env,
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  });
  const timer = setTimeout(() => {
    log.warning("{command} ran longer than {seconds} s and was killed", {
      command: [command, ...args].join(" "),
      seconds: limitMs / 1000,
    });
    kill(child.pid);
  }, limitMs);
  try {
    return (await child.status).code;
  } catch {
    // On OpenBSD Deno rejects what signal 9 has ended: it has no name for it.
    return KILLED;
  } finally {
    clearTimeout(timer);
  }
}

function spawnProcess(command: string, options: Deno.CommandOptions): Child {
  return new Deno.Command(command, options).spawn();
}
