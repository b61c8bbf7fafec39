/**
 * Numbers as people read them.
 *
 * @module
 */

/** Three digits with a decimal prefix: `999`, `1.21k`, `48.1M`. */
export function scaled(value: number): string {
  if (!Number.isFinite(value)) return "-";
  let rest = value;
  for (const prefix of ["", "k", "M", "G", "T", "P"]) {
    const text = prefix === "" ? String(Math.round(rest)) : threeDigits(rest);
    if (Number(text) < 1000 || prefix === "P") return text + prefix;
    rest /= 1000;
  }
  return "-";
}

/** A number of bytes with its unit: `57.2 MB`. */
export function bytes(value: number): string {
  return scaled(value).replace(/(?<=\d)(?=[kMGTP]?$)/, " ") + "B";
}

/** A time as milliseconds with three digits. */
export function milliseconds(us: number): string {
  return Number.isFinite(us) ? threeDigits(us / 1000) : "-";
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value.toFixed(value < 99.95 ? 1 : 0);
}

/** A fraction as percent: `0.0`, `1.5`, `100`. */
export function percent(fraction: number): string {
  if (!Number.isFinite(fraction)) return "-";
  const value = fraction * 100;
  return value.toFixed(value < 9.95 ? 1 : 0);
}

/** A time in its two largest units: `41 s`, `3 min 2 s`, `12 d 3 h`. */
export function duration(us: number): string {
  return unitsOf(us).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** The same for a column of a table: `41s`, `3m2s`, `12d3h`. */
export function shortDuration(us: number): string {
  return unitsOf(us).map(([count, unit]) => `${count}${unit[0]}`).join("");
}

function unitsOf(us: number): (readonly [number, string])[] {
  const seconds = Math.max(0, Math.floor(us / 1e6));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return [[0, "s"]];
  return parts.slice(first, first + 2).filter(([count]) => count > 0);
}
