/**
 * The first cases: TCP without the tunnel, the main job, a cut, the CPU's limit, idling and
 * starting.
 *
 * @module
 */

import { type LineSpec, symmetric } from "../../lab/topology.ts";
import { loadedPing, longestGap, megabits, share, streamLost } from "./expectations.ts";
import type { Scenario, Traffic } from "./scenario.ts";

const NOTHING = {} as const;
const PING = { intervalMs: 25 } as const;

/** One TCP flow down through the tunnel. */
const BULK: Traffic = {
  seconds: 10,
  warmUpSeconds: 3,
  flows: 1,
  way: "down",
  over: "tunnel",
};

function known(...rates: readonly number[]): { up: number; down: number }[] {
  return rates.map((rate) => ({ up: rate, down: rate }));
}

/** One TCP flow over one line without a tunnel, to compare with. */
function alone(megabitsPerSecond: number, rttMs: number): Scenario {
  const line: LineSpec = symmetric(megabitsPerSecond, rttMs);
  return {
    name: `raw-${megabitsPerSecond}-${rttMs}`,
    title: `raw TCP over ${megabitsPerSecond} Mbit/s, ${rttMs} ms alone`,
    network: { lines: [line] },
    program: NOTHING,
    action: { kind: "traffic", traffic: { ...BULK, seconds: 6, over: { line: 0 } } },
    expect: [share(90)],
  };
}

const EQUAL = [symmetric(50, 20), symmetric(50, 20)];
const UNEQUAL = [symmetric(80, 15), symmetric(20, 60)];

/** What the first version had to reach. */
export const BASICS: readonly Scenario[] = [
  alone(50, 20),
  alone(80, 15),
  alone(20, 60),
  {
    name: "equal-known",
    title: "2 x 50 Mbit/s, 20 ms, known rates",
    network: { lines: EQUAL },
    program: { rates: known(50, 50) },
    action: { kind: "traffic", traffic: { ...BULK, ping: PING } },
    expect: [share(85), loadedPing()],
  },
  {
    name: "equal-unknown",
    title: "2 x 50 Mbit/s, 20 ms, no bandwidth configured",
    network: { lines: EQUAL },
    program: NOTHING,
    action: { kind: "traffic", traffic: { ...BULK, ping: PING } },
    expect: [share(80), loadedPing()],
  },
  {
    name: "unequal-known",
    title: "80 Mbit/s 15 ms + 20 Mbit/s 60 ms, known rates",
    network: { lines: UNEQUAL },
    program: { rates: known(80, 20) },
    action: { kind: "traffic", traffic: { ...BULK, ping: PING } },
    expect: [share(70), loadedPing()],
  },
  {
    name: "cut",
    title: "cut of one of two lines under load",
    network: { lines: EQUAL },
    program: { rates: known(50, 50) },
    action: {
      kind: "traffic",
      traffic: {
        ...BULK,
        seconds: 12,
        stream: { packetsPerSecond: 100, sizeBytes: 160 },
        events: [
          { at: 5, line: 1, up: { blackhole: true }, down: { blackhole: true } },
          { at: 9, line: 1, up: { blackhole: false }, down: { blackhole: false } },
        ],
      },
    },
    expect: [longestGap("<", 500), streamLost(), megabits()],
  },
  {
    name: "veth",
    title: "bare veth lines, one TCP flow, CPU-bound",
    network: { cables: 2 },
    program: NOTHING,
    action: { kind: "traffic", traffic: { ...BULK, seconds: 8 } },
    expect: [megabits(500)],
  },
  {
    name: "veth-raw",
    title: "bare veth without the tunnel",
    network: { cables: 1 },
    program: NOTHING,
    action: { kind: "traffic", traffic: { ...BULK, seconds: 4, over: { line: 0 } } },
    expect: [megabits()],
  },
  {
    name: "idle",
    title: "idle, the larger of both ends",
    network: { lines: EQUAL },
    program: NOTHING,
    action: { kind: "idle", seconds: 10 },
    expect: [
      {
        label: "resident memory",
        value: ({ rssBytes = [] }) => Math.max(...rssBytes) / 2 ** 20,
        unit: "MiB",
        target: { sense: "<=", value: 80 },
      },
      {
        label: "CPU",
        value: ({ cpu = [] }) => Math.max(...cpu) * 100,
        unit: "%",
        target: { sense: "<", value: 1 },
      },
    ],
  },
  {
    name: "start",
    title: "build/aggvpn version, warm",
    network: { cables: 0 },
    program: NOTHING,
    action: { kind: "start", times: 11 },
    expect: [
      {
        label: "start",
        value: ({ elapsedMs = NaN }) => elapsedMs,
        unit: "ms",
        target: { sense: "<", value: 100 },
      },
    ],
  },
];
