/**
 * The policy `redundant`: every packet leaves on every link that is worth it, and the other end
 * takes what comes first.
 *
 * One link leads: it sets the pace, so that the tunnel carries as much as one link and the others
 * can follow. They skip what they cannot carry.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { timeDifference } from "../wire/time.ts";
import { pathArrivalAtUs } from "./arrival.ts";
import type { Lane } from "./lane.ts";
import type { Policy } from "./policy.ts";
import { QueueAdapter } from "./queue_adapter.ts";
import { COPIES } from "./rules.ts";
import { isOutranked, whyTierUnused } from "./tiers.ts";

/** Another link takes the lead when it carries this many times as much. */
const FASTER = 1.25;
/** A copy that comes this much later than the original is useless, in microseconds. */
const MAX_LATER_US = 120_000;

/** Sends everything everywhere. */
export class RedundantPolicy implements Policy {
  readonly #paths: readonly Path[];
  readonly #lane: Pick<Lane, "queue" | "usable">;
  readonly #adapter: QueueAdapter;
  #leader: Path | undefined;

  /** @param lane the common one */
  constructor(paths: readonly Path[], lane: Pick<Lane, "queue" | "usable">) {
    this.#paths = paths;
    this.#lane = lane;
    this.#adapter = new QueueAdapter(lane.queue, paths, (_now, path) => path === this.#leader);
  }

  /** Finds the link that leads. */
  look(now: number): void {
    this.#adapter.look(now);
    let leader = this.#leader;
    if (leader && !this.#serves(leader)) leader = undefined;
    for (const path of this.#paths) {
      if (path !== leader && this.#serves(path) && leads(path, leader)) leader = path;
    }
    this.#leader = leader;
  }

  /** Flows have no link of their own. */
  place(_now: number, _bucket: number, _length: number): void {}

  /** All flows are in one group. */
  groupOf(_path: Path): number {
    return 0;
  }

  /** Only the leader takes from the queue. */
  opensAtUs(_now: number, path: Path): number {
    return path === this.#leader ? 0 : Infinity;
  }

  /** Pacing and delay count. */
  urgentArrivalAtUs(now: number, path: Path): number {
    return this.#serves(path) ? pathArrivalAtUs(now, path, this.#paths[0]!) : Infinity;
  }

  /** Links whose tier is in use and that are not too late to help. */
  mayCopy(_now: number, path: Path): boolean {
    if (!this.#serves(path)) return false;
    const leader = this.#leader;
    return !leader || timeDifference(path.owdWire, leader.owdWire) <= MAX_LATER_US;
  }

  /** On all links. */
  copies(_asked: number): number {
    return COPIES.all;
  }

  /** When the rate of the leader is known. */
  mayDrop(now: number, path: Path): boolean {
    return path.rate.isSettled(now);
  }

  /** Nothing is learnt from it. */
  noteSent(_path: Path, _bytes: number): void {}

  /** Nothing is learnt from it. */
  noteDelivered(_bytes: number): void {}

  /** The link's tier, or that it is too late. */
  whyUnused(now: number, path: Path): string | undefined {
    const tier = whyTierUnused(path, this.#paths);
    if (tier || !this.#leader || this.mayCopy(now, path)) return tier;
    const laterMs = Math.round(timeDifference(path.owdWire, this.#leader.owdWire) / 1000);
    return `arrives ${laterMs} ms later: copies would be useless`;
  }

  #serves(path: Path): boolean {
    return this.#lane.usable(path) && !isOutranked(path, this.#paths);
  }
}

/** Whether `path` is to lead instead of `leader`. */
function leads(path: Path, leader: Path | undefined): boolean {
  return !leader || path.rate.rateBps > FASTER * leader.rate.rateBps;
}
