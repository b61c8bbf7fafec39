/**
 * Made up lines that vary all the time, played from the beginning of the traffic.
 *
 * @module
 */

import type { Shape } from "../../lab/emulator/shape.ts";
import type { LineSpec } from "../../lab/topology.ts";
import { MADE_UP } from "../../lab/varying_lines.ts";
import { PING_P99, share, STREAM_LOSS } from "./expectations.ts";
import type { Event, Expectation, Scenario, Traffic } from "./scenario.ts";

/** Measured as long as the recordings' authors measure. */
const TRAFFIC: Traffic = {
  seconds: 40,
  warmUpSeconds: 2,
  flows: 1,
  way: "down",
  over: "tunnel",
  ping: { intervalMs: 25 },
  stream: { packetsPerSecond: 100, sizeBytes: 160 },
};
/** Of the stream, as it is: what it could be differs from line to line. */
const CALL_P99: Expectation = {
  label: "call: one-way delay p99",
  value: ({ stream }) => (stream?.owdUs.p99 ?? NaN) / 1000,
  unit: "ms",
};

/** A case in both directions, in which recordings begin with the traffic. */
function eachWay(
  name: string,
  title: string,
  lines: readonly LineSpec[],
  percent: readonly [number, number] | undefined,
): Scenario[] {
  const events = lines.flatMap((spec, i): Event[] => [
    { at: 0, line: i, down: played(spec.down), up: played(spec.up) },
  ]);
  return (["down", "up"] as const).map((way, i): Scenario => {
    const goodput = share(percent?.[i] ?? 0);
    const { target: _, ...reference } = goodput;
    return {
      name: way === "down" ? name : `${name}-up`,
      title: `${title}, ${way}`,
      network: { lines },
      program: {},
      action: { kind: "traffic", traffic: { ...TRAFFIC, way, events } },
      expect: [percent ? goodput : reference, PING_P99, CALL_P99, STREAM_LOSS],
    };
  });
}

function played({ trace, delayTrace }: Partial<Shape>): Partial<Shape> {
  return { ...trace && { trace }, ...delayTrace && { delayTrace } };
}

/** By name of the made up lines: what the first version that follows such lines gets. */
const PERCENT: Readonly<Record<string, readonly [number, number]>> = {
  "two-lte": [60, 60],
  "dish-lte": [75, 70],
  "wifi-lte": [65, 60],
  "5g-dsl": [60, 80],
  "jitter": [75, 75],
};

/** Made up lines. */
export const MOBILE: readonly Scenario[] = MADE_UP.flatMap((set) =>
  eachWay(set.name, set.title, set.lines, PERCENT[set.name])
);
