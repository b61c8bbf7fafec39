/**
 * What only a diagnosis asks of Linux: adjtimex(2).
 *
 * @module
 */

import type { ClockState } from "../platform.ts";
import { STA_UNSYNC } from "./constants.ts";
import type { Libc } from "./libc.ts";

/** struct timex on 64-bit systems: its size, and where `status` is. */
const TIMEX_BYTES = 208;
const TIMEX_STATUS = 40;

/** Whether something keeps the clock right; undefined when the kernel does not tell. */
export function clockState(libc: Libc): ClockState | undefined {
  const timex = new Uint8Array(TIMEX_BYTES);
  if (libc.symbols.adjtimex(timex) < 0) return undefined;
  const status = new DataView(timex.buffer).getInt32(TIMEX_STATUS, true);
  return (status & STA_UNSYNC) === 0 ? "synchronized" : "free";
}
