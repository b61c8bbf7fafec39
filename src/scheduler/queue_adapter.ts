/**
 * Tells the queue in front of some links how long it may get: what {@linkcode QueueTarget} makes
 * of the links that are in use.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { INTERVAL_US } from "../queue/codel.ts";
import type { FlowQueue } from "../queue/flow_queue.ts";
import { QueueTarget } from "../queue/queue_target.ts";

/** The target is computed this often at most, in microseconds. */
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
  readonly #target = new QueueTarget();
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
    let capacityBps = 0;
    let varies = false;
    for (const path of this.#paths) {
      if (path.rate.starting || !this.#isInUse(now, path)) continue;
      rttUs = Math.max(rttUs, path.rtt.minUs);
      if (path.rate.competes) sharedUs = Math.max(sharedUs, path.rtt.srttUs);
      shortestUs = Math.min(shortestUs, path.rtt.minUs);
      lossy ||= path.loss > LOSSY;
      capacityBps += path.rate.rateBps;
      varies ||= path.rate.varies;
    }
    // What follows a loss waits at the other end until the lost packet arrives after all.
    if (lossy) rttUs += shortestUs + RESEND_US;
    const targetUs = Math.max(sharedUs, this.#target.update(now, rttUs, capacityBps, varies));
    this.#queue.adapt(targetUs, Math.max(INTERVAL_US, 2 * (rttUs + targetUs)));
    return true;
  }
}
