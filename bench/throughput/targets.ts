/**
 * What the figures must reach.
 *
 * @module
 */

import { PEERS } from "./peers.ts";
import type { Summary } from "./report.ts";
import { FALLBACK, ONE_LINK, RAW, TWO_LINKS } from "./subject.ts";

/** The absolute targets are not meant for machines whose raw veth is slower than this. */
const RAW_BPS = 11e9;
const LEAST_BPS = 2.5e9;
/** Times the best of the peers. */
const LEAST_TIMES = 3.3;

/** A target and whether it is reached. */
export interface Verdict {
  readonly label: string;
  /** NaN when it was not measured. */
  readonly value: number;
  readonly unit: string;
  /** Such as `>= 2.5`. */
  readonly target: string;
  /** Null when the target is not meant for this run. */
  readonly pass: boolean | null;
}

/** All targets for which something was measured. */
export function verdictsOf(summaries: readonly Summary[]): Verdict[] {
  const of = (name: string): Summary | undefined => summaries.find((it) => it.name === name);
  const [raw, one, two] = [of(RAW.name), of(ONE_LINK.name), of(TWO_LINKS.name)];
  const fallback = of(FALLBACK.name);
  const larger = (pair: Summary["rssMiB"] | undefined): number =>
    Math.max(pair?.client ?? NaN, pair?.server ?? NaN);
  const peers = PEERS.map(({ name }) => of(name)?.tcpBps).filter((bps) => bps !== undefined);
  const slow = (raw?.tcpBps ?? NaN) < RAW_BPS;
  const all = [
    atLeast("TCP, one link", (one?.tcpBps ?? NaN) / 1e9, LEAST_BPS / 1e9, "Gbit/s", slow),
    atLeast("TCP, two links", (two?.tcpBps ?? NaN) / 1e9, LEAST_BPS / 1e9, "Gbit/s", slow),
    atLeast(
      "TCP, one link, over the best peer",
      (one?.tcpBps ?? NaN) / (peers.length === 0 ? NaN : Math.max(...peers)),
      LEAST_TIMES,
      "x",
    ),
    atLeast(
      "TCP, two links instead of one",
      (two?.tcpBps ?? NaN) / (one?.tcpBps ?? NaN) * 100,
      85,
      "%",
    ),
    atMost("CPU, the larger end, one link", larger(one?.cpuPerGb), 3, "s/GB"),
    atMost("CPU, the larger end, two links", larger(two?.cpuPerGb), 3, "s/GB"),
    atLeast("small datagrams, one link", one?.packetsPerSecond ?? NaN, 150_000, "/s"),
    atLeast("TCP without libcrypto", (fallback?.tcpBps ?? NaN) / 1e6, 150, "Mbit/s"),
    atMost("added round trip, idle", one?.addedMs ?? NaN, 0.5, "ms"),
    atMost("slowest status under load", one?.statusMs ?? NaN, 100, "ms"),
    atMost("RSS after the transfer, one link", larger(one?.rssMiB), 120, "MiB"),
    atMost("RSS after the transfer, two links", larger(two?.rssMiB), 120, "MiB"),
  ];
  return all.filter(({ value }) => !Number.isNaN(value));
}

function atLeast(
  label: string,
  value: number,
  least: number,
  unit: string,
  excused = false,
): Verdict {
  return { label, value, unit, target: `>= ${least}`, pass: excused ? null : value >= least };
}

function atMost(label: string, value: number, most: number, unit: string): Verdict {
  return { label, value, unit, target: `<= ${most}`, pass: value <= most };
}

/** A verdict as a row. */
export function verdictText({ label, value, unit, target, pass }: Verdict): string {
  const digits = value >= 1000 ? 0 : 2;
  const said = pass === null ? "not judged: raw veth is slow here" : pass ? "pass" : "FAIL";
  return `  ${label.padEnd(35)}${`${value.toFixed(digits)} ${unit}`.padStart(13)}  ` +
    `${`${target} ${unit}`.padEnd(16)}${said}`;
}
