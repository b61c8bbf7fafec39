/**
 * Small graphs of text: a character for each span of time, as high as the value.
 *
 * @module
 */

/** Characters by height, the lowest first. */
export type Ramp = readonly string[];

/** Block elements of Unicode. */
export const BLOCKS: Ramp = [..."▁▂▃▄▅▆▇█"];
/** For terminals without them. */
export const ASCII: Ramp = [..."_.-=+*%#"];

/**
 * Draws `values`, the newest last, over `width` characters; NaN is a gap. Where there are more
 * values than characters, each stands for the greatest of several. `max` has the full height.
 */
export function sparkline(
  values: readonly number[],
  width: number,
  max: number,
  ramp: Ramp,
): string {
  const perColumn = Math.max(1, Math.ceil(values.length / width));
  let text = "";
  for (let end = values.length; end > 0 && text.length < width; end -= perColumn) {
    text = charOf(greatest(values.slice(Math.max(0, end - perColumn), end)), max, ramp) + text;
  }
  return text.padStart(width);
}

function greatest(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? NaN : Math.max(...known);
}

function charOf(value: number, max: number, ramp: Ramp): string {
  if (Number.isNaN(value)) return " ";
  const height = max > 0 ? Math.ceil(value / max * ramp.length) : 0;
  return ramp[Math.min(Math.max(height, 1), ramp.length) - 1]!;
}
