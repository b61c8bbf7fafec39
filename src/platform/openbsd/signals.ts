/**
 * Signals that Deno does not handle as this program needs.
 *
 * One is SIGUSR1, which under `deno run` opens a debugger port that every local user can connect
 * to.
 *
 * Deno installs its handler for a signal only once. So let it do that now, then tell the kernel to
 * ignore the signal: nothing installs a handler again.
 *
 * @module
 */

import { SIG_ERR, SIG_IGN, SIGKILL, SIGTERM, SIGUSR1 } from "./constants.ts";
import { ERRNO } from "./errno.ts";
import { type Libc, systemError } from "./libc.ts";

/** Makes this process ignore SIGUSR1 for good: signal(3). Throws AggvpnError if it cannot. */
export function secureSignals(libc: Libc): void {
  Deno.addSignalListener("SIGUSR1", () => {});
  if (libc.symbols.signal(SIGUSR1, SIG_IGN) === SIG_ERR) {
    throw systemError(libc, "Cannot ignore SIGUSR1", libc.errno("signal"));
  }
}

/**
 * Kills every process of the group that process `leader` leads: kill(2). It is no error if they
 * have ended. Throws AggvpnError when the kernel refuses.
 *
 * Deno has no name for signal 9 here: what it calls SIGKILL is 8, SIGFPE.
 */
export function killGroup(libc: Libc, leader: number): void {
  // To kill(2), 0 is the group of this process and -1 everybody.
  if (leader <= 1) throw new Error(`Process ${leader} leads no group of this program's`);
  if (libc.symbols.kill(-leader, SIGKILL) === 0) return;
  const errno = libc.errno("kill");
  if (errno !== ERRNO.ESRCH) throw systemError(libc, `Cannot kill process ${leader}`, errno);
}

/** Asks process `pid` to end: kill(2). Throws AggvpnError when the kernel refuses. */
export function endProcess(libc: Libc, pid: number): void {
  if (pid <= 1) throw new Error(`Process ${pid} is none of this program's`);
  if (libc.symbols.kill(pid, SIGTERM) === 0) return;
  throw systemError(
    libc,
    `Cannot end process ${pid}`,
    libc.errno("kill"),
    "Run as root, or as the user who runs the tunnel.",
  );
}
