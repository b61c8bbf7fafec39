/**
 * The policies by the names that users know.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import type { Schedule } from "../schedule.ts";
import { FastPolicy } from "./fast.ts";
import type { Lane } from "./lane.ts";
import type { Policy } from "./policy.ts";
import { RedundantPolicy } from "./redundant.ts";
import { SteadyPolicy } from "./steady.ts";

/** How many groups the policy of a schedule divides the flows into. */
export function groupsOf(schedule: Schedule, links: number): number {
  return schedule === "steady" ? Math.max(links, 1) : 1;
}

/** The policy of a schedule for the links `paths` and the packets of the lane common to all. */
export function createPolicy(schedule: Schedule, paths: readonly Path[], lane: Lane): Policy {
  if (schedule === "steady") return new SteadyPolicy(paths, lane);
  if (schedule === "redundant") return new RedundantPolicy(paths, lane);
  return new FastPolicy(paths, lane);
}
