/**
 * What aggregation must reach: unequal, distant, lossy, varying and dying lines,
 * with no bandwidth configured. One CUBIC flow unless noted; 15 s are measured after a warm-up of 5
 * s that begins with an empty tunnel, so finding the rates counts not in the percentage but in the
 * column for the time to full speed.
 *
 * Lines have a queue of 100 ms unless noted. Both directions of a line have the same rate unless an
 * upload is given.
 *
 * @module
 */

import type { Shape } from "../../lab/emulator/shape.ts";
import { type LineSpec, symmetric } from "../../lab/topology.ts";
import {
  BEST_ALONE,
  FAIR,
  longestGap,
  noHarm,
  PING_BEYOND_SKEW,
  PING_P99,
  share,
  shareBetween,
  STREAM_LOSS,
  streamDelay,
  streamLost,
  usedAgain,
} from "./expectations.ts";
import type { Event, Expectation, Scenario, Traffic } from "./scenario.ts";

/** Traffic of a case that says nothing else. */
export const BULK: Traffic = {
  seconds: 20,
  warmUpSeconds: 5,
  flows: 1,
  way: "down",
  over: "tunnel",
  ping: { intervalMs: 25 },
};
/** A ping that takes less than 1 % of the slowest line. */
const SLOW_PING = { intervalMs: 200 } as const;
const PINGS: readonly Expectation[] = [PING_BEYOND_SKEW, PING_P99];

/** What a case changes in {@linkcode BULK}, and its rows besides goodput and pings. */
interface Changes {
  readonly traffic?: Partial<Traffic>;
  readonly best?: number;
  readonly picture?: string;
  readonly expect?: readonly Expectation[];
}

/** A case whose first row is the share of the sum. */
export function goodput(
  name: string,
  title: string,
  lines: readonly LineSpec[],
  percent: number,
  { traffic, expect = PINGS, ...rest }: Changes = {},
): Scenario {
  return {
    name,
    title,
    network: { lines },
    program: {},
    action: { kind: "traffic", traffic: { ...BULK, ...traffic } },
    expect: [share(percent), ...expect],
    ...rest,
  };
}

/** A line with an upload of its own. */
function asymmetric(downMegabits: number, upMegabits: number, rttMs: number): LineSpec {
  return {
    down: symmetric(downMegabits, rttMs).down,
    up: symmetric(upMegabits, rttMs).up,
  };
}

/** A change in both directions. */
export function both(at: number, line: number, change: Partial<Shape>): Event {
  return { at, line, up: change, down: change };
}

/** Steps of a line's rate in Mbit/s, one every 5 s, the first after 5 s. */
function steps(line: number, ...megabits: readonly number[]): Event[] {
  return megabits.map((rate, i) => both(5 * (i + 1), line, { rateBps: rate * 1e6 }));
}

const EQUAL = [symmetric(50, 20), symmetric(50, 20)];
const UNEQUAL = [asymmetric(80, 20, 15), asymmetric(20, 5, 60)];
const DSL = [asymmetric(11.74, 0.82, 30), asymmetric(11.74, 0.82, 30)];

/** When the blackhole begins and ends; 30 s are measured from 5 s on. */
const GONE_S = 15;
const BACK_S = 25;

/** The table of targets. */
export const TARGETS: readonly Scenario[] = [
  goodput("equal", "50/20 + 50/20", EQUAL, 90),
  goodput("unequal", "80/15 + 20/60, down", UNEQUAL, 90),
  goodput("unequal-up", "the same, up: 20/15 + 5/60", UNEQUAL, 88, { traffic: { way: "up" } }),
  goodput("ratio", "50/20 + 12/20", [symmetric(50, 20), symmetric(12, 20)], 89),
  goodput("skew", "50/20 + 50/70", [symmetric(50, 20), symmetric(50, 70)], 87),
  goodput("fibre", "300/8 + 30/40", [symmetric(300, 8), symmetric(30, 40)], 86, {
    best: 0,
    expect: [noHarm(100), BEST_ALONE, ...PINGS],
  }),
  goodput(
    "lossy",
    "50/20 + 50/40 with 1 % random loss each way",
    [symmetric(50, 20), symmetric(50, 40, { loss: 0.01 })],
    80,
  ),
  goodput(
    "radio",
    "40/30 + 25/50, both with 0.5 % random loss each way",
    [symmetric(40, 30, { loss: 0.005 }), symmetric(25, 50, { loss: 0.005 })],
    70,
  ),
  // The mean of the sum over the measured 23 s is 52.6 Mbit/s.
  goodput(
    "varying",
    "30/30 + 40>10>25>5>40 every 5 s at 50 ms, queue 300 ms",
    [symmetric(30, 30), symmetric(40, 50, { queueUs: 300_000 })],
    86,
    {
      traffic: { seconds: 25, warmUpSeconds: 2, events: steps(1, 10, 25, 5, 40) },
      picture: "A line of 30 Mbit/s beside one that changes every 5 s",
    },
  ),
  goodput("dsl", "2 x DSL 11.74/0.82, 30 ms, down", DSL, 90),
  goodput("dsl-up", "2 x DSL 11.74/0.82, 30 ms, up", DSL, 88, {
    traffic: { way: "up", ping: SLOW_PING },
  }),
  goodput(
    "three",
    "50/20 + 30/40 + 10/30",
    [symmetric(50, 20), symmetric(30, 40), symmetric(10, 30)],
    87,
  ),
  goodput(
    "four",
    "40/20 + 25/35 + 15/50 + 10/30",
    [symmetric(40, 20), symmetric(25, 35), symmetric(15, 50), symmetric(10, 30)],
    87,
  ),
  goodput(
    "distant",
    "50/20 + 5/600, which could only do harm",
    [symmetric(50, 20), symmetric(5, 600)],
    80,
    {
      best: 0,
      expect: [noHarm(98), BEST_ALONE, PING_P99],
    },
  ),
  goodput(
    "bad-radio",
    "50/20 + 20/40 with 10 % random loss each way",
    [symmetric(50, 20), symmetric(20, 40, { loss: 0.1 })],
    70,
    { best: 0, expect: [noHarm(98), BEST_ALONE, PING_P99] },
  ),
  goodput("blackhole", "50/20 + 50/20, one silently dead for 10 s of 30 s", EQUAL, 89, {
    traffic: {
      seconds: 35,
      stream: { packetsPerSecond: 100, sizeBytes: 160 },
      events: [both(GONE_S, 1, { blackhole: true }), both(BACK_S, 1, { blackhole: false })],
    },
    picture: `Two lines of 50 Mbit/s, one silent from ${GONE_S} s to ${BACK_S} s`,
    expect: [
      longestGap("<=", 100),
      streamLost(0),
      shareBetween("TCP of the rest from 1 s on", 0, [GONE_S + 1, BACK_S], 90),
      usedAgain(1, BACK_S, 2),
    ],
  }),
  goodput("call", "50 packet/s call beside four flows, 50/20 + 50/20", EQUAL, 90, {
    traffic: { flows: 4, stream: { packetsPerSecond: 50, sizeBytes: 200 } },
    expect: [FAIR, streamDelay(10), STREAM_LOSS, ...PINGS],
  }),
];
