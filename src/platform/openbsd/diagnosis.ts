/**
 * What only a diagnosis asks of OpenBSD: ntpctl(8).
 *
 * @module
 */

import type { AwaitCommand } from "../command_output.ts";
import type { ClockState } from "../platform.ts";

/** Whether ntpd(8) keeps the clock right; undefined when it does not run. */
export async function clockState(run: AwaitCommand): Promise<ClockState | undefined> {
  const { success, output } = await run(["ntpctl", "-s", "status"]);
  if (!success) return undefined;
  if (/\bclock synced\b/.test(output)) return "synchronized";
  return /\bclock unsynced\b/.test(output) ? "free" : undefined;
}
