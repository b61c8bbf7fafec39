/**
 * When would a packet arrive on a measured path?
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { timeDifference } from "../wire/time.ts";
import { arrivalAtUs } from "./pick.ts";

/** A hardly used link's jitter is an old measurement: at most this counts, in microseconds. */
const MAX_JITTER_US = 5_000;
/** A report may take so much longer than a round trip without anything being late, in microseconds. */
const REPORT_US = 30_000;
/** Packet size for which links are compared. */
export const FULL_PACKET_BYTES = 1500;

// One scratch serves every path: nothing here is reentrant.
const view = { dueAtUs: 0, owdUs: 0, jitterUs: 0, rttUs: 0, loss: 0, rateBps: 1 };

/** When a full packet given to `path` at `now` arrives; comparable only for the same `base`. */
export function pathArrivalAtUs(now: number, path: Path, base: Path): number {
  view.dueAtUs = path.pacer.dueAtUs;
  view.owdUs = timeDifference(path.owdWire, base.owdWire);
  view.jitterUs = Math.min(path.rtt.rttvarUs / 2, MAX_JITTER_US);
  view.rttUs = path.rtt.srttUs;
  view.loss = path.loss;
  view.rateBps = path.rate.rateBps;
  return arrivalAtUs(view, now, FULL_PACKET_BYTES) + overdueUs(now, path);
}

/** What is in flight is later than ever measured by this at least, and so is what follows it. */
function overdueUs(now: number, path: Path): number {
  const patienceUs = path.rtt.srttUs + 2 * path.rtt.rttvarUs + REPORT_US;
  return Math.max(0, now - path.flight.oldestSentAtUs - patienceUs);
}
