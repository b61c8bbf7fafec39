/**
 * Numbers as people read them.
 *
 * @module
 */

const STEPS: readonly (readonly [number, string])[] = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** `12.3 Mbit/s`. */
export function rate(bps: number | null): string {
  return bps === null ? "–" : scaled(bps, "bit/s");
}

/** `1.2 GB`. */
export function size(bytes: number): string {
  return scaled(bytes, "B");
}

/** `21.3 ms`. */
export function milliseconds(us: number | null): string {
  return us === null ? "–" : `${digits(us / 1000)} ms`;
}

/** `0.4 %`. */
export function percent(share: number | null): string {
  return share === null ? "–" : `${digits(100 * share)} %`;
}

/** `3 d 4 h`, `12 min`, `41 s`. */
export function duration(us: number): string {
  const seconds = Math.floor(us / 1e6);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `21:04:59`. */
export function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB");
}

function scaled(value: number, unit: string): string {
  const step = STEPS.find(([from]) => value >= from * 0.9995);
  return step ? `${digits(value / step[0])} ${step[1]}${unit}` : `${digits(value)} ${unit}`;
}

/** Three digits, and no zeros behind the point. */
function digits(value: number): string {
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${Number(value.toFixed(decimals))}`;
}
