/**
 * Every scenario of the table with the product's own Endpoint. What must always hold is
 * checked by the simulator itself; here are the least shares of the sum that a
 * change must not fall below. They lie some points under what the table shows, because
 * one loss more or less moves a short transfer.
 *
 * @module
 */

import { assert } from "@std/assert";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { runScenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

/** What a scenario must reach: percent of the sum, and the longest gap of its stream. */
interface Floor {
  readonly percent: number;
  readonly gapMs?: number;
  /** Longest median round trip under load; 60 when absent. */
  readonly rttMs?: number;
}

const FLOORS: Readonly<Record<string, Floor>> = {
  "one 50/20": { percent: 85 },
  "50/20+50/20 known": { percent: 80 },
  "50/20+50/20": { percent: 75 },
  "50/20+50/20 up": { percent: 70 },
  "50/20+50/20 4 flows": { percent: 80 },
  "80/15+20/60 known": { percent: 70 },
  "80/15+20/60": { percent: 60 },
  "80/15+20/60 up (20+5)": { percent: 70 },
  "50/20+12/20": { percent: 75 },
  "50/20+50/70": { percent: 45 },
  "300/8+30/40": { percent: 55 },
  "50/20+50/40 1% loss": { percent: 35 },
  "40/30+25/50 .5% loss": { percent: 30 },
  "30/30+steps 40>10>25>5": { percent: 55 },
  "DSL x2 down known": { percent: 70 },
  "DSL x2 down": { percent: 55, rttMs: 120 },
  "DSL x2 up": { percent: 5, rttMs: Infinity },
  "three: 50/20+30/40+10/30": { percent: 60 },
  "50/20+50/20 jitter 10": { percent: 30 },
  "blackhole of one, known": { percent: 70, gapMs: 500 },
  "blackhole of one": { percent: 65, gapMs: 500 },
  "unplugged one": { percent: 65, gapMs: 500 },
};
/** Packets that may leave the tunnel after a later one of their flow: of a thousand. */
const MAX_LATE_PER_MILLE = 10;

for (const scenario of SCENARIOS) {
  const { percent, gapMs = Infinity, rttMs = 60 } = FLOORS[scenario.name] ?? { percent: 0 };
  Deno.test(`Endpoint reaches ${percent} % of the sum: ${scenario.name}`, () => {
    const result = runScenario(scenario, endpointTunnel, { seconds: scenario.seconds ?? 6 });
    const seen = JSON.stringify(result);
    assert(result.percentOfSum >= percent, seen);
    assert(result.loadedRttMs <= rttMs, seen);
    assert(!(result.longestGapMs > gapMs), seen);
    const packets = result.goodputMbps * 1e6 * 6 / (8 * 1400);
    assert(result.late <= 20 + packets * MAX_LATE_PER_MILLE / 1000, seen);
  });
}
