/**
 * The lanes of a peer.
 *
 * Packets that no rule pins may use every link and share the common lane. Each distinct set of
 * links that rules name has its own lane, so that packets bound to a busy or dead link block no
 * others.
 *
 * Lanes divide the flow buckets of the wire among them: order is kept per bucket, so a
 * bucket in two lanes would hold up the faster one.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { BUCKETS } from "../queue/flow_queue.ts";
import { Lane, type LaneParts, PinnedLane } from "./lane.ts";
import type { Rules } from "./rules.ts";

/** A pinned lane holds at least this many packets, however many lanes share the limit. */
const LEAST_LIMIT = 64;

/** The lanes of one peer, by number: 0 is the common one. */
export class Lanes {
  readonly common: Lane;
  readonly pinned: readonly PinnedLane[];
  /** The number of the lane of each rule's packets. */
  readonly ofRule: Uint8Array;
  /** The links of each pinned lane, in its order. */
  readonly #keys: readonly string[];

  readonly #onStranded: (slot: number) => void;

  /**
   * @param parts the limit holds for the common lane, and for all others together
   * @param groups groups of flows in the common lane
   * @param onStranded takes packets none of whose links works
   */
  constructor(
    rules: Rules,
    paths: readonly Path[],
    parts: LaneParts,
    groups: number,
    onStranded: (slot: number) => void,
  ) {
    this.#onStranded = onStranded;
    const { sets, ofRule, keys } = setsOf(rules, paths);
    this.ofRule = ofRule;
    this.#keys = keys;
    const shared = sets.length === 0 ? 0 : BUCKETS / 2;
    const buckets = Math.floor(shared / Math.max(sets.length, 1));
    const limit = Math.max(LEAST_LIMIT, Math.floor(parts.limit / Math.max(sets.length, 1)));
    this.common = new Lane(paths, 0, BUCKETS - shared, parts, groups);
    this.pinned = sets.map((chosen, i) => {
      const firstBucket = BUCKETS - shared + i * buckets;
      return new PinnedLane(paths, chosen, firstBucket, buckets, { ...parts, limit });
    });
  }

  /** Packets that wait, for the first time or again. */
  get waiting(): number {
    let count = this.common.waiting;
    for (const lane of this.pinned) count += lane.waiting;
    return count;
  }

  /** Whether any packet waits in its flow's turn. */
  get hasFlows(): boolean {
    if (this.common.queue.hasFlows) return true;
    for (const lane of this.pinned) if (lane.queue.hasFlows) return true;
    return false;
  }

  /** The lane of a number. */
  at(number: number): Lane {
    return number === 0 ? this.common : this.pinned[number - 1]!;
  }

  /** By the number of each lane of `before`: that of the lane with the same links, else the common one. */
  numbersFrom(before: Lanes): Uint8Array {
    return Uint8Array.from([0, ...before.#keys.map((key) => 1 + this.#keys.indexOf(key))]);
  }

  /** Whether packets of a lane can be expected to leave. */
  accepts(number: number): boolean {
    return number === 0 || this.pinned[number - 1]!.reachable;
  }

  /** Looks after the pinned lanes: packets bound to links that are gone would wait forever. */
  tend(now: number): void {
    for (const lane of this.pinned) {
      if (lane.waiting === 0) continue;
      if (lane.reachable) lane.adapt(now);
      else lane.clear(this.#onStranded);
    }
  }

  /** Hands over every packet. */
  clear(release: (slot: number) => void): void {
    this.common.clear(release);
    for (const lane of this.pinned) lane.clear(release);
  }
}

/** The distinct sets of links that rules name; names that no path has mean nothing. */
function setsOf(
  rules: Rules,
  paths: readonly Path[],
): { sets: readonly (readonly Path[])[]; ofRule: Uint8Array; keys: readonly string[] } {
  const sets = new Map<string, readonly Path[]>();
  const keys = rules.links.map((names) => {
    if (names.length === 0) return undefined;
    const chosen = paths.filter((path) => names.includes(path.options.name));
    const key = chosen.map((path) => path.options.id).join();
    sets.set(key, chosen);
    return key;
  });
  const order = [...sets.keys()];
  const ofRule = Uint8Array.from(keys, (key) => key === undefined ? 0 : 1 + order.indexOf(key));
  return { sets: [...sets.values()], ofRule, keys: order };
}
