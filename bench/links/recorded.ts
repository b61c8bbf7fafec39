/**
 * Lines that vary all the time: made up ones, and recordings of real ones from the folder that
 * TRACES names (Mahimahi's format, plain or .gz). Each is played from the beginning of the traffic.
 *
 * Nothing is expected of recordings: their rows are figures to compare.
 *
 * @module
 */

import { OPPORTUNITY_BYTES } from "../../lab/emulator/opportunities.ts";
import { type Shape, WIRE } from "../../lab/emulator/shape.ts";
import {
  crowdedWifi,
  lowSatellite,
  lteInCar,
  type MobileLine,
  mobileTrace,
} from "../../lab/mobile_trace.ts";
import type { LineSpec } from "../../lab/topology.ts";
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

/** One way of a line: a recording, or a constant rate in Mbit/s. */
type Way = readonly number[] | number;

/** A line between the two ways, and the queue before it in milliseconds at the mean rate. */
function line(
  down: Way,
  up: Way,
  rttMs: number,
  queueMs: number,
  rest: Partial<Shape> = {},
): LineSpec {
  const shape = (way: Way): Shape => {
    const rateBps = typeof way === "number" ? way * 1e6 : meanBps(way);
    const trace = typeof way === "number" ? null : way;
    const queueBytes = Math.round(rateBps * queueMs / 8000);
    return { ...WIRE, rateBps, trace, delayUs: rttMs * 500, queueUs: 0, queueBytes, ...rest };
  };
  return { down: shape(down), up: shape(up) };
}

/** Mean of a recording in bit/s. */
export function meanBps(trace: readonly number[]): number {
  return trace.length * OPPORTUNITY_BYTES * 8000 / trace.at(-1)!;
}

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

/** Both ways of a mobile line of which the one up carries a share. */
function mobile(
  kind: (seed: number, meanBps?: number) => MobileLine,
  seed: number,
  bps: number,
): [Way, Way] {
  return [mobileTrace(kind(seed, bps)), mobileTrace(kind(seed + 1, bps * 0.6))];
}

/** Made up lines; the percentages are what the first version that follows such lines gets. */
export const MOBILE: readonly Scenario[] = [
  ...eachWay(
    "two-lte",
    "two LTE lines in a car, 14 and 9 Mbit/s on average",
    [line(...mobile(lteInCar, 1, 14e6), 60, 500), line(...mobile(lteInCar, 11, 9e6), 50, 500)],
    [60, 60],
  ),
  ...eachWay(
    "dish-lte",
    "low satellites, 48 Mbit/s, + LTE in a car, 14 Mbit/s",
    [
      line(...mobile(lowSatellite, 21, 48e6), 24, 200),
      line(...mobile(lteInCar, 31, 14e6), 55, 400),
    ],
    [75, 70],
  ),
  ...eachWay(
    "wifi-lte",
    "crowded Wi-Fi, 11 Mbit/s, + LTE in a car, 5 Mbit/s",
    [line(...mobile(crowdedWifi, 41, 11e6), 18, 200), line(...mobile(lteInCar, 51, 5e6), 60, 500)],
    [65, 60],
  ),
  ...eachWay(
    "jitter",
    "50/20 + 50/20 with 20 ms of jitter that keeps the order",
    [line(50, 50, 20, 100, { jitterUs: 20_000 }), line(50, 50, 20, 100, { jitterUs: 20_000 })],
    [75, 75],
  ),
];

/** Recordings of the folder that TRACES names; none without it. */
export function recordings(folder: string | undefined): readonly Scenario[] {
  if (!folder) return [];
  const of = (name: string): number[] => readTrace(`${folder}/${name}`);
  const dish = { delayTrace: of("starlink.delay") };
  return [
    ...eachWay("T1", "two LTE carriers in a car", [
      line(of("lte-vz.down"), of("lte-vz.up"), 50, 500),
      line(of("lte-tm.down"), of("lte-tm.up"), 60, 500),
    ], undefined),
    ...eachWay("T7", "5G in a car + DSL 16/2.4", [
      line(of("5g-drive.down"), 15, 30, 300),
      line(16, 2.4, 25, 150),
    ], undefined),
    ...eachWay("T11", "Starlink + LTE in a car", [
      line(of("starlink.down"), of("starlink.up"), 24, 200, { ...dish, loss: 0.001 }),
      line(of("lte-tm.down"), of("lte-tm.up"), 55, 400),
    ], undefined),
    ...eachWay("T12", "restaurant Wi-Fi + LTE in a car", [
      line(of("wifi-rest.down"), 6, 18, 200),
      line(of("lte-att.down"), of("lte-att.up"), 60, 500),
    ], undefined),
  ];
}

/** Reads numbers, one a line, from a file, or else from the same name with .gz. */
function readTrace(path: string): number[] {
  const numbers = readText(path).split("\n").filter((text) => text.trim() !== "").map(Number);
  if (numbers.length === 0 || numbers.some((number) => !(number >= 0))) {
    throw new Error(`${path}: expected a number of milliseconds in each line`);
  }
  return numbers;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const { success, stdout } = new Deno.Command("gzip", { args: ["-dc", `${path}.gz`] })
    .outputSync();
  if (!success) {
    throw new Error(`${path}: there is neither this nor ${path}.gz in the folder of TRACES`);
  }
  return new TextDecoder().decode(stdout);
}
