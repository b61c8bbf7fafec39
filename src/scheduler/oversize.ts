/**
 * Packets that no link of theirs carries: they are not waited with, and their senders are told.
 *
 * A link whose size is still being found out may carry a packet in a moment, and then it waits.
 *
 * @module
 */

import type { PacketPool } from "../slab.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";

/** Takes over a packet of which no link would have carried more than `mtu` bytes. */
export type TooBigHandler = (now: number, slot: number, mtu: number) => void;

/** Finds and drops such packets of one peer. */
export class Oversize {
  readonly #pool: PacketPool;
  readonly #lanes: Lanes;
  readonly #onTooBig: TooBigHandler;
  /** Groups of flows in the common lane. */
  readonly #groups: number;

  constructor(
    pool: PacketPool,
    lanes: Lanes,
    groups: number,
    onTooBig: TooBigHandler,
  ) {
    this.#pool = pool;
    this.#lanes = lanes;
    this.#groups = groups;
    this.#onTooBig = onTooBig;
  }

  /** Whether a packet fits none of the links of its lane that work, and it is known what they carry. */
  has(lane: Lane, slot: number): boolean {
    const length = this.#pool.lengths[slot]!;
    let works = false;
    for (const path of lane.paths) {
      if (!lane.usable(path)) continue;
      if (!path.mtu.isKnown || length <= path.packetBytes) return false;
      works = true;
    }
    return works;
  }

  /** Hands over the packet in `slot`, which has been taken out of its lane. */
  drop(now: number, lane: Lane, slot: number): void {
    let mtu = 0;
    for (const path of lane.paths) if (lane.usable(path)) mtu = Math.max(mtu, path.packetBytes);
    this.#onTooBig(now, slot, mtu);
  }

  /** Drops packets that are next in their turn and fit no link. Returns whether there were any. */
  dropNext(now: number): boolean {
    let found = this.#dropNextOf(now, this.#lanes.common, this.#groups);
    for (const lane of this.#lanes.pinned) found = this.#dropNextOf(now, lane, 1) || found;
    return found;
  }

  #dropNextOf(now: number, lane: Lane, groups: number): boolean {
    let found = false;
    for (let group = 0; group < groups; group++) {
      const slot = lane.queue.firstSlotOf(group);
      if (slot < 0 || !this.has(lane, slot)) continue;
      const taken = lane.queue.shift(now, false, group);
      // Another flow may be served first: what fits waits with what was lost.
      if (this.has(lane, taken)) this.drop(now, lane, taken);
      else lane.resend.push(taken);
      found = true;
    }
    return found;
  }
}
