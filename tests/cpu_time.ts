/**
 * What work costs in processor time: by the clock it takes longer on a busy host.
 *
 * @module
 */

import process from "node:process";

/** Milliseconds that this process has the processor while `body` runs. */
export function cpuMs(body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
