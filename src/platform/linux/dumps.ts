/**
 * Keys are in this process's memory, which nobody else is to read.
 *
 * @module
 */

import { PR_SET_DUMPABLE } from "./constants.ts";
import type { Libc } from "./libc.ts";

/** The calls that this needs. */
type Symbols = Pick<Libc["symbols"], "prctl">;

/** No core file, and ptrace(2) and /proc/PID/mem for root alone: PR_SET_DUMPABLE(2const). */
export function refuseDumps({ symbols }: { readonly symbols: Symbols }): void {
  symbols.prctl(PR_SET_DUMPABLE, 0n);
}
