/**
 * The rows that a case can have: a figure taken from a measurement, its unit
 * and what is expected of it.
 *
 * @module
 */

import { meanRateBps, rawSumBps, skewMs } from "./capacity.ts";
import type { Expectation, Scenario, Traffic } from "./scenario.ts";
import { goodputBps, jain, meanBetween, secondsUntil, totalSteps } from "./series.ts";

/** A link counts as used again when it carries this share of its rate. */
const USED_SHARE = 0.1;

/** Goodput as a percentage of the raw sum over the measured part. */
export function share(percent: number): Expectation {
  return {
    label: "goodput",
    value: (measured, scenario) => goodputBps(measured) / rawSumBps(scenario) * 100,
    unit: "%",
    target: { sense: ">=", value: percent },
  };
}

/** Goodput in Mbit/s; a reference unless a target is given. */
export function megabits(target?: number): Expectation {
  return {
    label: "goodput",
    value: (measured) => goodputBps(measured) / 1e6,
    unit: "Mbit/s",
    ...target !== undefined && { target: { sense: ">=", value: target } },
  };
}

/** How much longer a round trip takes under load, in the median; a reference unless `limitMs` is given. */
export function loadedPing(limitMs?: number): Expectation {
  return {
    label: "ping under load, above idle",
    value: ({ idlePing, loadedPing }) =>
      ((loadedPing?.rttUs.p50 ?? NaN) - (idlePing?.rttUs.p50 ?? NaN)) / 1000,
    unit: "ms",
    ...limitMs !== undefined && { target: { sense: "<", value: limitMs } },
  };
}

/** The same minus the difference between the links, with the limit of all links. */
export const PING_BEYOND_SKEW: Expectation = {
  label: "ping beyond idle and skew",
  value: ({ idlePing, loadedPing }, scenario) =>
    ((loadedPing?.rttUs.p50 ?? NaN) - (idlePing?.rttUs.p50 ?? NaN)) / 1000 - skewMs(scenario),
  unit: "ms",
  target: { sense: "<", value: 15 },
};

/** The worst percent of round trips under load, above the idle median. */
export const PING_P99: Expectation = {
  label: "ping under load p99, above idle",
  value: ({ idlePing, loadedPing }) =>
    ((loadedPing?.rttUs.p99 ?? NaN) - (idlePing?.rttUs.p50 ?? NaN)) / 1000,
  unit: "ms",
};

/** Longest time without a packet of the stream. */
export function longestGap(sense: "<" | "<=", limitMs: number): Expectation {
  return {
    label: "longest gap of the stream",
    value: ({ stream }) => (stream?.longestGapUs ?? NaN) / 1000,
    unit: "ms",
    target: { sense, value: limitMs },
  };
}

/** Packets of the stream that never came. */
export function streamLost(limit?: number): Expectation {
  return {
    label: "packets of the stream lost",
    value: ({ stream }) => stream ? stream.sent - stream.received : NaN,
    unit: "",
    ...limit !== undefined && { target: { sense: "<=", value: limit } },
  };
}

/** Share of the stream that never came. */
export const STREAM_LOSS: Expectation = {
  label: "call: lost",
  value: ({ stream }) => stream ? (stream.sent - stream.received) / stream.sent * 100 : NaN,
  unit: "%",
  target: { sense: "<", value: 0.1 },
};

/** How much longer than the way of `owdMs` the slowest percent of the stream takes. */
export function streamDelay(owdMs: number): Expectation {
  return {
    label: "call: p99 delay above idle",
    value: ({ stream }) => (stream?.owdUs.p99 ?? NaN) / 1000 - owdMs,
    unit: "ms",
    target: { sense: "<", value: 20 },
  };
}

/** Jain's index of the flows. */
export const FAIR: Expectation = {
  label: "fairness (Jain)",
  value: ({ flows }) => jain(flows.map(({ bps }) => bps)),
  unit: "",
  target: { sense: ">=", value: 0.9 },
};

/** Goodput of the best line alone through the tunnel. */
export const BEST_ALONE: Expectation = {
  label: "the best line alone, by tunnel",
  value: ({ alone }) => alone ? goodputBps(alone) / 1e6 : NaN,
  unit: "Mbit/s",
};

/** Goodput of all lines over that of the best alone: at least `percent`. */
export function noHarm(percent: number): Expectation {
  return {
    label: "of the best line alone",
    value: (measured) =>
      measured.alone ? goodputBps(measured) / goodputBps(measured.alone) * 100 : NaN,
    unit: "%",
    target: { sense: ">=", value: percent },
  };
}

/** What somebody else on one of the lines gets; `percent`: of the line's rate, at least. */
export function leftToOthers(line: number, percent: number): Expectation {
  return {
    label: "left to others on their line",
    value: ({ outside = [] }, scenario) =>
      outside.reduce((sum, { bps }) => sum + bps, 0) /
      meanRateBps(scenario, line, trafficOf(scenario).way, [0, 1]) * 100,
    unit: "%",
    target: { sense: ">=", value: percent },
  };
}

/** Goodput between two instants, as a share of one line's rate in that time. */
export function shareBetween(
  label: string,
  line: number,
  [from, to]: readonly [number, number],
  percent: number,
): Expectation {
  return {
    label,
    value: (measured, scenario) =>
      meanBetween(totalSteps(measured), from, to) /
      meanRateBps(scenario, line, trafficOf(scenario).way, [from, to]) * 100,
    unit: "%",
    target: { sense: ">=", value: percent },
  };
}

/** Seconds from `at` until a line carries a tenth of its rate. */
export function usedAgain(line: number, at: number, limitSeconds: number): Expectation {
  return {
    label: "used again after its return",
    value: ({ lines }, scenario) => {
      const rate = meanRateBps(scenario, line, trafficOf(scenario).way, [at, at + 1]);
      return secondsUntil(lines?.[line] ?? [], at, USED_SHARE * rate);
    },
    unit: "s",
    target: { sense: "<=", value: limitSeconds },
  };
}

function trafficOf({ action }: Scenario): Traffic {
  if (action.kind !== "traffic") throw new Error("A case without traffic has no such row");
  return action.traffic;
}
