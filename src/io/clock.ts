/**
 * The clock of the shell: microseconds that never go back.
 *
 * All of the tunnel's instants come from here. Setting the system's time, or an NTP step, moves no
 * deadline; the wall clock is read once, to date handshakes.
 *
 * @module
 */

/** Returns the microseconds since some instant; monotonic. */
export type Clock = () => number;

/** The monotonic clock of this process. */
export function systemClock(): number {
  return performance.now() * 1000;
}

/** Returns the microseconds since 1970 at which `clock` was 0. */
export function epochOf(clock: Clock): number {
  return Date.now() * 1000 - clock();
}
