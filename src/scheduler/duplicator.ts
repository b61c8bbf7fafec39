/**
 * Duplicates: a packet that must not be late leaves on other links too, at the same time, and
 * the other end takes the first to arrive.
 *
 * A copy is sealed from the slot of its packet, under the same header. Its link accounts
 * for it as for control: it is neither kept nor sent again.
 *
 * @module
 */

import { BATCH_DATAGRAMS } from "../batch.ts";
import type { Path } from "../links/path.ts";
import type { PacketPool } from "../slab.ts";
import { FULL_PACKET_BYTES, pathArrivalAtUs } from "./arrival.ts";
import type { Lane } from "./lane.ts";
import type { Policy } from "./policy.ts";
import { COPIES } from "./rules.ts";
import type { Transmitter } from "./transmitter.ts";

/** Room for datagrams that other packets leave in a batch: a copy cannot wait for the next. */
const COPY_ROOM = 16;
/** Where others stop filling a batch when there may be copies. */
export const FILL_BESIDE_COPIES: number = BATCH_DATAGRAMS - COPY_ROOM;
/** Copies may run this far ahead of a link's pacer, in microseconds, and one full packet. */
const AHEAD_US = 2_000;
/** Not `all`: the share that copies may add to what is sent, and how much at once, in bytes. */
const AUTO_SHARE = 0.03;
const AUTO_BURST_BYTES = 6_000;
/** ... and at once in time of the link that carries them, in microseconds. */
const AUTO_BURST_US = 5_000;
/** Without other traffic: what a call takes, in bits per second, up to a share of the link's rate. */
const CALL_BPS = 256_000;
const CALL_SHARE = 0.04;
/** It is needed, and helps, while the first link varies, or loses more than this; `auto`: also ... */
const AUTO_LOSS = 0.005;
/** ... when the copy arrives at most this much later, in microseconds. */
const AUTO_LATER_US = 30_000;
/** `needed`: a slower link has no room for what nobody asked for, in bits per second. */
const LEAST_BPS = 2_000_000;

/** Sends the copies of one peer's packets. */
export class Duplicator {
  /** Packets that left on several links. */
  packets = 0;
  readonly #pool: PacketPool;
  readonly #policy: Policy;
  readonly #out: Transmitter;
  #creditBytes = AUTO_BURST_BYTES;
  #earnedAtUs = 0;

  constructor(pool: PacketPool, policy: Policy, out: Transmitter) {
    this.#pool = pool;
    this.#policy = policy;
    this.#out = out;
  }

  /**
   * The packet in `slot` has just left on `main` for the first time: sends the copies that are
   * due. `copies` is one of {@linkcode COPIES}.
   */
  handleSent(lane: Lane, main: Path, slot: number, copies: number): void {
    const bytes = this.#pool.lengths[slot]!;
    this.#creditBytes = Math.min(AUTO_BURST_BYTES, this.#creditBytes + bytes * AUTO_SHARE);
    if (copies === COPIES.all) this.#copyToAll(lane, main, slot);
    else if (copies !== COPIES.off) {
      if (copies === COPIES.needed && !isUnreliable(main)) return;
      const second = this.#second(lane, main, slot);
      if (!second || copies === COPIES.needed && second.rate.rateBps < LEAST_BPS) return;
      if (!this.#takeCredit(second, bytes)) return;
      this.packets++;
      this.#out.sendCopy(second, slot);
    }
  }

  /** Spends credit on a copy; what the second link hardly notices is earned by waiting. */
  #takeCredit(second: Path, bytes: number): boolean {
    const { now } = this.#out;
    const bps = Math.min(CALL_BPS, CALL_SHARE * second.rate.rateBps);
    const earned = bps * (now - this.#earnedAtUs) / 8e6;
    this.#earnedAtUs = now;
    const most = Math.min(AUTO_BURST_BYTES, second.rate.rateBps * AUTO_BURST_US / 8e6);
    this.#creditBytes = Math.min(most, this.#creditBytes + earned);
    if (this.#creditBytes < bytes) return false;
    this.#creditBytes -= bytes;
    return true;
  }

  #copyToAll(lane: Lane, main: Path, slot: number): void {
    let copied = false;
    for (const path of lane.paths) {
      if (!this.#takes(lane, main, path, slot)) continue;
      this.#out.sendCopy(path, slot);
      copied = true;
    }
    if (copied) this.packets++;
  }

  /** The link where a copy arrives first, if it is of any use there. */
  #second(lane: Lane, main: Path, slot: number): Path | undefined {
    const { now } = this.#out;
    let best: Path | undefined;
    let bestAtUs = Infinity;
    for (const path of lane.paths) {
      if (path.live.metered && !lane.pinned) continue;
      if (!this.#takes(lane, main, path, slot)) continue;
      const at = pathArrivalAtUs(now, path, main);
      if (at >= bestAtUs) continue;
      best = path;
      bestAtUs = at;
    }
    if (isUnreliable(main)) return best;
    // The packet itself leaves at once: its link's pacer now speaks of the next one.
    const mainAtUs = pathArrivalAtUs(now, main, main) - Math.max(0, main.pacer.dueAtUs - now);
    return bestAtUs - mainAtUs <= AUTO_LATER_US ? best : undefined;
  }

  #takes(lane: Lane, main: Path, path: Path, slot: number): boolean {
    if (path === main || path.live.state !== "up" || !path.remote || path.flight.full) return false;
    const { now } = this.#out;
    if (this.#out.isFull(path) || this.#pool.lengths[slot]! > path.packetBytes) return false;
    if (!lane.pinned && !this.#policy.mayCopy(now, path)) return false;
    const packetUs = FULL_PACKET_BYTES * 8e6 / path.rate.rateBps;
    return path.pacer.dueAtUs - now <= AHEAD_US + packetUs;
  }
}

/** Whether a packet is likely to be late or lost on a link, whatever is measured now. */
function isUnreliable(path: Path): boolean {
  return path.rate.varies || path.loss > AUTO_LOSS;
}
