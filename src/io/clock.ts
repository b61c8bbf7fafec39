/**
 * The clock of the shell: microseconds that never go back.
 *
 * All of the tunnel's instants come from here. Setting the system's time, or an NTP step, moves no
 * deadline.
 *
 * @module
 */

/** Returns the microseconds since some instant; monotonic. */
export type Clock = () => number;

/** The monotonic clock of this process. */
export function systemClock(): number {
  return performance.now() * 1000;
}
