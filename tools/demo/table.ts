/**
 * The demo's result: what each line gave, what they give together, and what the tunnel got out of
 * them.
 *
 * @module
 */

/** What was measured; rates in bits per second of TCP payload. */
export interface Measured {
  readonly lines: readonly number[];
  readonly tunnel: number;
  /** Longest time without a byte after the cut, in microseconds. */
  readonly stallUs: number;
  /** Rate through the tunnel while one line was cut. */
  readonly duringCut: number;
  /** Rate after the line came back. */
  readonly afterCut: number;
}

/** The table as lines. */
export function tableLines(measured: Measured): string[] {
  const sum = measured.lines.reduce((total, bps) => total + bps, 0);
  const row = (label: string, bps: number, share: boolean): string =>
    ` ${label.padEnd(40)}${mega(bps)} Mbit/s${share ? percent(bps / sum) : ""}`;
  return [
    ...measured.lines.map((bps, i) => row(`line ${i + 1} alone`, bps, false)),
    row("the sum of the lines", sum, true),
    row("one TCP connection through the tunnel", measured.tunnel, true),
    row("the same while one line was cut", measured.duringCut, true),
    row("the same when the line was back", measured.afterCut, true),
    ` ${"longest stall when the line was cut".padEnd(40)}` +
    `${(measured.stallUs / 1000).toFixed(0).padStart(6)} ms`,
  ];
}

function mega(bps: number): string {
  return (bps / 1e6).toFixed(1).padStart(6);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`.padStart(8);
}
