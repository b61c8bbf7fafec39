/**
 * Times on the wire: microseconds modulo 2^24, of clocks that nothing synchronizes.
 *
 * @module
 */

/** The largest time of the wire. */
export const TIME_MASK = 0xff_ffff;

/** Returns `now` (microseconds) as a time of the wire. */
export function wireTime(now: number): number {
  return Math.floor(now % 0x100_0000);
}

/** Returns `a - b` of two times of the wire, between -2^23 and 2^23 - 1 microseconds. */
export function timeDifference(a: number, b: number): number {
  return (a - b) << 8 >> 8;
}
