/**
 * Tells the queue in front of some links how long it may get.
 *
 * A loss-based sender (CUBIC, RFC 9438) needs a queue: with less than 0.43 round trips of it the
 * links run dry after each drop, and when they carry more from one moment to the next, or again
 * after a fade, only what waits can fill them, since growing a window takes seconds. The queue
 * delays only the flow that causes it (RFC 8290).
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { INTERVAL_US } from "../queue/codel.ts";
import type { FlowQueue } from "../queue/flow_queue.ts";

/** Sojourn time that is accepted, in microseconds; and where links vary. */
const TARGET_US = 100_000;
const VARIABLE_TARGET_US = 400_000;
/** The links are looked at this often at most, in microseconds. */
const EVERY_US = 20_000;
/** At this loss on a link or more, nearly every packet waits for one that is sent again. */
const LOSSY = 0.001;
/** Time to notice a loss, besides a round trip, in microseconds. */
const RESEND_US = 10_000;

/** Adapts one queue. */
export class QueueAdapter {
  readonly #queue: FlowQueue;
  readonly #paths: readonly Path[];
  readonly #isInUse: (now: number, path: Path) => boolean;
  #at = 0;

  /** @param isInUse whether a path takes from the queue */
  constructor(
    queue: FlowQueue,
    paths: readonly Path[],
    isInUse: (now: number, path: Path) => boolean,
  ) {
    this.#queue = queue;
    this.#paths = paths;
    this.#isInUse = isInUse;
  }

  /** Call it often; returns whether it has looked at the links. */
  look(now: number): boolean {
    if (now < this.#at || !this.#queue.hasFlows) return false;
    this.#at = now + EVERY_US;
    let rttUs = 0;
    /** A round trip with others' queue: what a far link takes waits for as long at a near one. */
    let sharedUs = 0;
    let shortestUs = Infinity;
    let lossy = false;
    let varies = false;
    for (const path of this.#paths) {
      if (path.rate.starting || !this.#isInUse(now, path)) continue;
      rttUs = Math.max(rttUs, path.rtt.minUs);
      if (path.rate.competes) sharedUs = Math.max(sharedUs, path.rtt.srttUs);
      shortestUs = Math.min(shortestUs, path.rtt.minUs);
      lossy ||= path.loss > LOSSY;
      varies ||= path.rate.varies;
    }
    // What follows a loss waits at the other end until the lost packet arrives after all.
    if (lossy) rttUs += shortestUs + RESEND_US;
    const targetUs = Math.max(sharedUs, varies ? VARIABLE_TARGET_US : TARGET_US);
    this.#queue.adapt(targetUs, Math.max(INTERVAL_US, 2 * (rttUs + targetUs)));
    return true;
  }
}
