/**
 * A link that serves several lanes takes from them in turn.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import type { Lanes } from "./lanes.ts";
import type { Policy } from "./policy.ts";

/** Whose turn it is, for each link of one peer. */
export class Turns {
  readonly #lanes: Lanes;
  readonly #policy: Policy;
  /** Which lane each link served last, by link id. */
  readonly #turn: Uint8Array;

  /** @param policy says what links may take from the common lane */
  constructor(lanes: Lanes, policy: Policy, links: number) {
    this.#lanes = lanes;
    this.#policy = policy;
    this.#turn = new Uint8Array(links);
  }

  /** When a link may take from any lane. */
  opensAtUs(now: number, path: Path): number {
    const { pinned, common } = this.#lanes;
    if (pinned.length === 0) return this.#policy.opensAtUs(now, path);
    let at = common.queue.hasFlows ? this.#policy.opensAtUs(now, path) : Infinity;
    for (const lane of pinned) at = Math.min(at, lane.opensAtUs(now, path));
    return at;
  }

  /**
   * Takes the next packet for a link that may have one, by {@linkcode opensAtUs}; -1 when CoDel
   * has dropped all packets of the lane whose turn it is.
   */
  shift(now: number, path: Path): number {
    const { pinned } = this.#lanes;
    if (pinned.length === 0) return this.#shiftCommon(now, path);
    const { id } = path.options;
    for (;;) {
      const number = this.#turn[id] = (this.#turn[id]! + 1) % (pinned.length + 1);
      if (number > 0) {
        const lane = pinned[number - 1]!;
        if (lane.opensAtUs(now, path) <= now) return lane.queue.shift(now, lane.mayDrop(now));
      } else if (
        this.#lanes.common.queue.hasFlows && this.#policy.opensAtUs(now, path) <= now
      ) return this.#shiftCommon(now, path);
    }
  }

  #shiftCommon(now: number, path: Path): number {
    const policy = this.#policy;
    return this.#lanes.common.queue.shift(now, policy.mayDrop(now, path), policy.groupOf(path));
  }
}
