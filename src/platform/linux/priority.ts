/**
 * The tunnel goes first on a busy host: what waits for it waits with every packet of every program.
 *
 * On Linux each thread has a nice value of its own (sched(7)), and Deno has several: one that
 * collects garbage for the loop must not wait either.
 *
 * @module
 */

import { PRIO_PROCESS } from "./constants.ts";
import type { Libc } from "./libc.ts";

/** Before all ordinary programs, behind those of the system. */
const NICE = -10;

/** The calls that this needs. */
type Symbols = Pick<Libc["symbols"], "getpriority" | "setpriority">;

/**
 * Raises every thread of this process that has the ordinary priority: who has given it another one
 * keeps that. Where it is not allowed nothing happens: setpriority(2).
 */
export function raisePriority({ symbols }: { readonly symbols: Symbols }): void {
  for (const thread of threads()) {
    if (symbols.getpriority(PRIO_PROCESS, thread) !== 0) continue;
    symbols.setpriority(PRIO_PROCESS, thread, NICE);
  }
}

function threads(): readonly number[] {
  try {
    return Array.from(Deno.readDirSync("/proc/self/task"), ({ name }) => Number(name));
  } catch {
    return [0]; // no /proc: this thread
  }
}
