/**
 * A line that nearly fails for a second: how soon it is used again.
 *
 * @module
 */

import { assert, assertLess } from "@std/assert";
import { steppedRate } from "../pair/elements/rate_schedule.ts";
import { line } from "../pair/link.ts";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { runScenario } from "./scenario.ts";

const FULL_BPS = 30e6;
const GOOD_US = 6e6;
const DIP_US = 1e6;
const PERIOD_US = GOOD_US + DIP_US;
/** It is used again when it carries nine tenths in a window of this length. */
const WINDOW_US = 300_000;
const STEP_US = 50_000;

/** Milliseconds until 90 % of the line is used again, for each dip to `bps`. */
function recoveries(bps: number, seed: number): number[] {
  const rate = steppedRate([{ bps: FULL_BPS, forUs: GOOD_US }, { bps, forUs: DIP_US }]);
  const links = [
    line({ name: "a", mbps: 20, rttMs: 30 }),
    line({ name: "b", mbps: FULL_BPS / 1e6, rttMs: 50, queueMs: 300, both: { rate } }),
  ];
  /** Bytes that have left the line by each step. */
  const departed: number[] = [];
  const seconds = 27;
  runScenario({ name: "dips", links }, endpointTunnel, {
    seed,
    seconds,
    onStep: ({ simulation: { queue, lines } }) => {
      const step = Math.floor(queue.now / STEP_US);
      while (departed.length <= step) departed.push(0);
      departed[step] = lines[1]!.link.downQueue.departedBytes(queue.now);
    },
  });
  const bytesAt = (atUs: number): number => departed[Math.floor(atUs / STEP_US)] ?? 0;
  const times: number[] = [];
  for (let end = PERIOD_US; end < seconds * 1e6; end += PERIOD_US) {
    let after = 0;
    const carried = (): number => bytesAt(end + after + WINDOW_US) - bytesAt(end + after);
    while (carried() * 8e6 < 0.9 * FULL_BPS * WINDOW_US && after < GOOD_US) after += STEP_US;
    times.push(after / 1000);
  }
  return times;
}

Deno.test("Endpoint uses 90 % of a line again half a second after a second at a tenth", () => {
  const times = [1, 2, 3].flatMap((seed) => recoveries(FULL_BPS / 10, seed));
  assert(times.length >= 9);
  for (const ms of times) assertLess(ms, 500);
});
