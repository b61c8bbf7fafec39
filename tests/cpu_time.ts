/**
 * What work costs, in time of the processor: on the clock it takes longer where the host is busy.
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
