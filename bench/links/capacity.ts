/**
 * What the lines of a case could carry: rates over time, cuts, and their mean over the measured
 * part, to which percentages refer.
 *
 * @module
 */

import { carriedBps } from "../../lab/emulator/opportunities.ts";
import type { Event, Scenario, Way } from "./scenario.ts";

/** A rate from an instant until the next step, in seconds after the traffic began. */
export interface RateStep {
  readonly at: number;
  readonly bps: number;
}

/** A time without a line, in seconds after the traffic began. */
export interface Cut {
  readonly from: number;
  readonly to: number;
}

function eventsOf(scenario: Scenario, line: number): readonly Event[] {
  if (scenario.action.kind !== "traffic") return [];
  const events = scenario.action.traffic.events ?? [];
  return events.filter((event) => event.line === line).sort((a, b) => a.at - b.at);
}

/** The rates of a line, the first one from 0 on. */
export function rateSteps(scenario: Scenario, line: number, way: Way): RateStep[] {
  if ("cables" in scenario.network) return [];
  const first = scenario.network.lines[line]?.[way].rateBps ?? 0;
  const changes = eventsOf(scenario, line).flatMap((event) => {
    const bps = event[way]?.rateBps;
    return bps === undefined ? [] : [{ at: event.at, bps }];
  });
  return [{ at: 0, bps: first }, ...changes];
}

/** A size from an instant on, in seconds after the traffic began; 0 bytes: no limit. */
export interface MtuStep {
  readonly at: number;
  readonly mtu: number;
}

/** How the largest IP packet of a line changes. */
export function mtuSteps(scenario: Scenario, line: number, way: Way): MtuStep[] {
  return eventsOf(scenario, line).flatMap((event) => {
    const mtu = event[way]?.mtu;
    return mtu === undefined ? [] : [{ at: event.at, mtu }];
  });
}

/** When a line swallows everything. */
export function cuts(scenario: Scenario, line: number, way: Way): Cut[] {
  const found: Cut[] = [];
  let from: number | undefined;
  for (const event of eventsOf(scenario, line)) {
    const blackhole = event[way]?.blackhole;
    if (blackhole === true) from ??= event.at;
    if (blackhole !== false || from === undefined) continue;
    found.push({ from, to: event.at });
    from = undefined;
  }
  return from === undefined ? found : [...found, { from, to: Infinity }];
}

/** Mean rate of a line between two instants in bits per second; a cut counts as 0. */
export function meanRateBps(
  scenario: Scenario,
  line: number,
  way: Way,
  [from, to]: readonly [number, number],
): number {
  const trace = "cables" in scenario.network ? null : scenario.network.lines[line]?.[way].trace;
  if (trace) return carriedBps(trace, from * 1e6, to * 1e6);
  const steps = rateSteps(scenario, line, way);
  const gone = cuts(scenario, line, way);
  let bits = 0;
  steps.forEach(({ at, bps }, i) => {
    const begin = Math.max(from, at);
    const end = Math.min(to, steps[i + 1]?.at ?? Infinity);
    const lost = gone.reduce((sum, cut) => sum + overlap(begin, end, cut.from, cut.to), 0);
    bits += bps * Math.max(0, end - begin - lost);
  });
  return to > from ? bits / (to - from) : 0;
}

function overlap(from: number, to: number, otherFrom: number, otherTo: number): number {
  return Math.max(0, Math.min(to, otherTo) - Math.max(from, otherFrom));
}

/** How many lines limit a case. */
export function lineCount({ network }: Scenario): number {
  return "cables" in network ? 0 : network.lines.length;
}

/**
 * The raw sum of the lines in the direction of the traffic, in bits per second of IP packets: the
 * mean over the measured part. 0 when nothing is known.
 */
export function rawSumBps(scenario: Scenario): number {
  if (scenario.action.kind !== "traffic") return 0;
  const { way, warmUpSeconds, seconds } = scenario.action.traffic;
  let sum = 0;
  for (let line = 0; line < lineCount(scenario); line++) {
    sum += meanRateBps(scenario, line, way, [warmUpSeconds, seconds]);
  }
  return sum;
}

/** Difference of the longest and the shortest round trip of the lines, in milliseconds. */
export function skewMs({ network }: Scenario): number {
  if ("cables" in network) return 0;
  const trips = network.lines.map(({ up, down }) => (up.delayUs ?? 0) + (down.delayUs ?? 0));
  return (Math.max(...trips) - Math.min(...trips)) / 1000;
}
