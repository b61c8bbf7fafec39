/**
 * Signals that Deno does not handle as this program needs it.
 *
 * SIGUSR1, which under `deno run` opens a debugger port that every local user
 * can connect to.
 *
 * Deno installs its handler for a signal once. So let it do that now, then
 * tell the kernel to ignore the signal: nothing installs a handler again.
 *
 * @module
 */

import { SIG_ERR, SIG_IGN, SIGKILL, SIGUSR1 } from "./constants.ts";
import { type Libc, systemError } from "./libc.ts";

/** Makes this process ignore SIGUSR1 for good: signal(3). Throws AggvpnError if it cannot. */
export function secureSignals(libc: Libc): void {
  Deno.addSignalListener("SIGUSR1", () => {});
  if (libc.symbols.signal(SIGUSR1, SIG_IGN) === SIG_ERR) {
    throw systemError(libc, "Cannot ignore SIGUSR1", libc.errno("signal"));
  }
}

/**
 * Ends process `pid`, which cannot refuse: kill(2). Nothing happens when it has ended already.
 *
 * Deno has no name for signal 9 here: what it calls SIGKILL is 8, SIGFPE.
 */
export function killProcess(libc: Libc, pid: number): void {
  if (libc.symbols.kill(pid, SIGKILL) < 0) libc.errno("kill");
}
