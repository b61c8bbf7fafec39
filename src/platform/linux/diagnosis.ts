/**
 * What only a diagnosis asks of Linux: adjtimex(2), networking/ip-sysctl.rst of the kernel.
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

/**
 * Whether the kernel drops what comes by an interface from where it would not send by it: rp_filter
 * is 1, there or for all, of which the larger counts.
 */
export function isStrict(name: string, read: (path: string) => string = readSwitch): boolean {
  const values = ["all", name].map((of) => Number(read(`/proc/sys/net/ipv4/conf/${of}/rp_filter`)));
  return Math.max(...values) === 1;
}

function readSwitch(path: string): string {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return "0";
  }
}
