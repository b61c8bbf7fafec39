/**
 * A line that somebody else in the house uses as well, without the tunnel.
 *
 * @module
 */

import { symmetric } from "../../lab/topology.ts";
import { leftToOthers, loadedPing, share } from "./expectations.ts";
import type { Scenario, Traffic, Way } from "./scenario.ts";

const { target: _, ...RAW } = share(0);
const LINES = [symmetric(50, 20), symmetric(50, 20)];

function traffic(way: Way): Traffic {
  return { seconds: 20, warmUpSeconds: 5, flows: 1, way, over: "tunnel", outside: [0] };
}

/** Half of the first line and all of the second would be 73 of 100 Mbit/s. */
export const SHARED: readonly Scenario[] = [
  {
    name: "a-shared-raw",
    title: "raw TCP over 50 Mbit/s, 20 ms beside another",
    network: { lines: LINES.slice(0, 1) },
    program: {},
    action: { kind: "traffic", traffic: { ...traffic("down"), over: { line: 0 } } },
    expect: [RAW, leftToOthers(0, 0)],
  },
  ...(["down", "up"] as const).map((way): Scenario => ({
    name: `a-shared-${way}`,
    title: `2 x 50 Mbit/s, 20 ms, one TCP flow beside the tunnel on the first, ${way}`,
    network: { lines: LINES },
    program: {},
    action: { kind: "traffic", traffic: { ...traffic(way), ping: { intervalMs: 25 } } },
    expect: [share(66), leftToOthers(0, 40), loadedPing()],
  })),
];
