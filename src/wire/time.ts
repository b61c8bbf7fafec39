/**
 * Times on the wire: microseconds modulo 2^24, of unsynchronized clocks.
 *
 * @module
 */

/** The largest wire time. */
export const TIME_MASK = 0xff_ffff;

/** Returns `now` (microseconds) as a wire time. */
export function wireTime(now: number): number {
  return Math.floor(now % 0x100_0000);
}

/** Returns `a - b` of two wire times, between -2^23 and 2^23 - 1 microseconds. */
export function timeDifference(a: number, b: number): number {
  return (a - b) << 8 >> 8;
}
