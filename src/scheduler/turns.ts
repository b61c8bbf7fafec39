/**
 * A link that serves several lanes takes from them in turn, and only what it can carry.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import type { FlowQueue } from "../queue/flow_queue.ts";
import type { PacketPool } from "../slab.ts";
import type { PinnedLane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { Policy } from "./policy.ts";

/** Whose turn it is, for each link of one peer. */
export class Turns {
  /** No packet that waits is longer, in bytes. */
  longest = 0;
  readonly #pool: PacketPool;
  readonly #lanes: Lanes;
  readonly #policy: Policy;
  /** Which lane each link served last, by link id. */
  readonly #turn: Uint8Array;

  /** @param policy says what links may take from the common lane */
  constructor(pool: PacketPool, lanes: Lanes, policy: Policy, links: number) {
    this.#pool = pool;
    this.#lanes = lanes;
    this.#policy = policy;
    this.#turn = new Uint8Array(links);
  }

  /** When a link may take from any lane. */
  opensAtUs(now: number, path: Path): number {
    const { pinned, common } = this.#lanes;
    if (pinned.length === 0) return this.#commonOpensAtUs(now, path);
    let atUs = common.queue.hasFlows ? this.#commonOpensAtUs(now, path) : Infinity;
    for (const lane of pinned) atUs = Math.min(atUs, this.#laneOpensAtUs(now, lane, path));
    return atUs;
  }

  /**
   * Takes the next packet for a link that may have one, by {@linkcode opensAtUs}; -1 when CoDel
   * has dropped all packets of the lane whose turn it is.
   */
  shift(now: number, path: Path): number {
    const { pinned, common } = this.#lanes;
    if (pinned.length === 0) return this.#shiftCommon(now, path);
    const { id } = path.options;
    for (;;) {
      const number = this.#turn[id] = (this.#turn[id]! + 1) % (pinned.length + 1);
      if (number > 0) {
        const lane = pinned[number - 1]!;
        if (this.#laneOpensAtUs(now, lane, path) > now) continue;
        return lane.queue.shift(now, lane.mayDrop(now));
      }
      const isOpen = common.queue.hasFlows && this.#commonOpensAtUs(now, path) <= now;
      if (isOpen) return this.#shiftCommon(now, path);
    }
  }

  #shiftCommon(now: number, path: Path): number {
    const policy = this.#policy;
    return this.#lanes.common.queue.shift(now, policy.mayDrop(now, path), policy.groupOf(path));
  }

  #commonOpensAtUs(now: number, path: Path): number {
    const policy = this.#policy;
    if (this.longest > path.packetBytes) {
      if (!this.#fits(this.#lanes.common.queue, policy.groupOf(path), path)) return Infinity;
    }
    return policy.opensAtUs(now, path);
  }

  #laneOpensAtUs(now: number, lane: PinnedLane, path: Path): number {
    if (this.longest > path.packetBytes && !this.#fits(lane.queue, 0, path)) return Infinity;
    return lane.opensAtUs(now, path);
  }

  /** Whether the next packet of a group is not too long for a link. */
  #fits(queue: FlowQueue, group: number, path: Path): boolean {
    const slot = queue.firstSlotOf(group);
    return slot < 0 || this.#pool.lengths[slot]! <= path.packetBytes;
  }
}
