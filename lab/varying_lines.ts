/**
 * Lines as benches and simulator have them besides plain ones: recorded in a folder, made up after
 * such recordings, and those of a published comparison. They are data; who plays them begins each
 * recording with the traffic.
 *
 * @module
 */

import { carriedBps, periodUs } from "./emulator/opportunities.ts";
import { type Shape, WIRE } from "./emulator/shape.ts";
import {
  crowdedWifi,
  fiveGInCar,
  lowSatellite,
  lteInCar,
  type MobileLine,
  mobileTrace,
} from "./mobile_trace.ts";
import type { LineSpec } from "./topology.ts";

/** Lines that a client has at the same time. */
export interface LineSet {
  /** Short and unique. */
  readonly name: string;
  readonly title: string;
  readonly lines: readonly LineSpec[];
  /** Seconds that it is measured for, the first two not included in averages. */
  readonly seconds: number;
}

/** One way of a line: a recording, or a constant rate in Mbit/s. */
type Capacity = readonly number[] | number;

/** As long as the authors of the recordings measure. */
const RECORDED_SECONDS = 40;
const COMPARED_SECONDS = 20;

/** A line between the two ways, and the queue before it in milliseconds at the mean rate. */
function line(
  down: Capacity,
  up: Capacity,
  rttMs: number,
  queueMs: number,
  rest: {
    readonly both?: Partial<Shape>;
    readonly down?: Partial<Shape>;
    readonly up?: Partial<Shape>;
  } = {},
): LineSpec {
  const shape = (capacity: Capacity, way: Partial<Shape> = {}): Shape => {
    const isRate = typeof capacity === "number";
    const rateBps = isRate ? capacity * 1e6 : carriedBps(capacity, 0, periodUs(capacity));
    const queueBytes = Math.round(rateBps * queueMs / 8000);
    return {
      ...WIRE,
      rateBps,
      trace: isRate ? null : capacity,
      delayUs: rttMs * 500,
      queueUs: 0,
      queueBytes,
      ...rest.both,
      ...way,
    };
  };
  return { down: shape(down, rest.down), up: shape(up, rest.up) };
}

/** Both ways of a mobile line of which the one up carries a share. */
function mobile(
  kind: (seed: number, meanBps?: number) => MobileLine,
  seed: number,
  bps: number,
): [Capacity, Capacity] {
  return [mobileTrace(kind(seed, bps)), mobileTrace(kind(seed + 1, bps * 0.6))];
}

/** Made up after recordings. */
export const MADE_UP: readonly LineSet[] = [
  {
    name: "two-lte",
    title: "two LTE lines in a car, 14 and 9 Mbit/s on average",
    lines: [
      line(...mobile(lteInCar, 1, 14e6), 60, 500),
      line(...mobile(lteInCar, 11, 9e6), 50, 500),
    ],
    seconds: RECORDED_SECONDS,
  },
  {
    name: "dish-lte",
    title: "low satellites, 48 Mbit/s, + LTE in a car, 14 Mbit/s",
    lines: [
      line(...mobile(lowSatellite, 21, 48e6), 24, 200),
      line(...mobile(lteInCar, 31, 14e6), 55, 400),
    ],
    seconds: RECORDED_SECONDS,
  },
  {
    name: "wifi-lte",
    title: "crowded Wi-Fi, 11 Mbit/s, + LTE in a car, 5 Mbit/s",
    lines: [
      line(...mobile(crowdedWifi, 41, 11e6), 18, 200),
      line(...mobile(lteInCar, 51, 5e6), 60, 500),
    ],
    seconds: RECORDED_SECONDS,
  },
  {
    name: "5g-dsl",
    title: "5G in a car, 50 Mbit/s on average, + DSL 16/2.4",
    lines: [line(mobileTrace(fiveGInCar(61)), 15, 30, 300), line(16, 2.4, 25, 150)],
    seconds: RECORDED_SECONDS,
  },
  {
    name: "jitter",
    title: "50/20 + 50/20 with 20 ms of jitter that keeps the order",
    lines: [jittery(), jittery()],
    seconds: RECORDED_SECONDS,
  },
];

function jittery(): LineSpec {
  return line(50, 50, 20, 100, { both: { jitterUs: 20_000 } });
}

/** Recordings of a folder (Mahimahi's format, plain or .gz); none without it. */
export function recordedIn(folder: string | undefined): readonly LineSet[] {
  if (!folder) return [];
  const of = (name: string): readonly number[] => readTrace(`${folder}/${name}`);
  const set = (name: string, title: string, lines: () => readonly LineSpec[]): LineSet => {
    let read: readonly LineSpec[] | undefined;
    return {
      name,
      title,
      seconds: RECORDED_SECONDS,
      get lines() {
        return read ??= lines();
      },
    };
  };
  return [
    set("T1", "two LTE carriers in a car", () => [
      line(of("lte-vz.down"), of("lte-vz.up"), 50, 500),
      line(of("lte-tm.down"), of("lte-tm.up"), 60, 500),
    ]),
    set("T7", "5G in a car + DSL 16/2.4", () => [
      line(of("5g-drive.down"), 15, 30, 300),
      line(16, 2.4, 25, 150),
    ]),
    set("T11", "Starlink + LTE in a car", () => [
      line(of("starlink.down"), of("starlink.up"), 24, 200, {
        both: { delayTrace: of("starlink.delay") },
        down: { loss: 0.0001 },
        up: { loss: 0.002 },
      }),
      line(of("lte-tm.down"), of("lte-tm.up"), 55, 400),
    ]),
    set("T12", "restaurant Wi-Fi + LTE in a car", () => [
      line(of("wifi-rest.down"), 6, 18, 200),
      line(of("lte-att.down"), of("lte-att.up"), 60, 500),
    ]),
  ];
}

/** Of a line in {@linkcode COMPARED}: Mbit/s, round trip and normal jitter in ms, loss in percent. */
type Netem = readonly [mbps: number, rttMs: number, jitterMs: number, lossPercent: number];

/**
 * The profiles of mqvpn's report of 2026-06-18: netem on both ends, so that delay, jitter and loss
 * apply each way, with its queue of 1000 packets.
 */
export const COMPARED: readonly LineSet[] = ([
  ["M01", "baseline", [50, 40, 0, 0], [50, 40, 0, 0]],
  ["M02", "rtt 40", [50, 40, 0, 0], [50, 80, 0, 0]],
  ["M03", "rtt 70", [50, 40, 0, 0], [50, 140, 0, 0]],
  ["M04", "rtt 120", [50, 40, 0, 0], [50, 240, 0, 0]],
  ["M05", "rtt 320", [50, 40, 0, 0], [50, 640, 0, 0]],
  ["M06", "jitter 5", [50, 40, 5, 0], [50, 40, 5, 0]],
  ["M07", "jitter 20", [50, 40, 20, 0], [50, 40, 20, 0]],
  ["M08", "loss 0.5", [50, 40, 0, 0.5], [50, 40, 0, 0.5]],
  ["M09", "loss 2", [50, 40, 0, 2], [50, 40, 0, 2]],
  ["M10", "rates 4 to 1", [50, 40, 0, 0], [12, 40, 0, 0]],
  ["M11", "rates 10 to 1", [100, 40, 0, 0], [10, 40, 0, 0]],
  ["M12", "dual LTE", [40, 60, 5, 0.5], [25, 90, 8, 0.5]],
  ["M13", "fibre + LTE", [300, 16, 0, 0], [30, 80, 8, 0.5]],
  ["M14", "LTE + Starlink", [40, 70, 8, 0], [100, 100, 25, 1]],
  ["M15", "LTE + geostationary", [40, 70, 0, 0], [20, 640, 20, 0.5]],
  ["M16", "congested", [20, 100, 20, 2], [15, 120, 25, 2]],
] as const).map(([name, title, ...lines]) => ({
  name,
  title,
  lines: lines.map(netem),
  seconds: COMPARED_SECONDS,
}));

function netem([mbps, rttMs, jitterMs, lossPercent]: Netem): LineSpec {
  const both = {
    queueBytes: 1_500_000,
    jitterUs: jitterMs * 1000,
    jitterIsNormal: true,
    loss: lossPercent / 100,
  };
  return line(mbps, mbps, rttMs, 0, { both });
}

/** Reads numbers, one a line, from a file, or else from the same name with .gz. */
function readTrace(path: string): readonly number[] {
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
