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
import { KIND } from "../wire/ip.ts";
import { FULL_PACKET_BYTES, pathArrivalAtUs } from "./arrival.ts";
import type { Classifier } from "./classifier.ts";
import { CopyBudget } from "./copy_budget.ts";
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
/**
 * Not `all`: what a call takes, also on a slow link; and acknowledgements and the like, of which a
 * transfer has as many as there is room for.
 */
const CALL = { share: 0.03, bps: 256_000, linkShare: 0.2, burstUs: 20_000, leastBurst: 1_000 };
const ACKS = { share: 0.03, bps: 256_000, linkShare: 0.04, burstUs: 5_000, leastBurst: 0 };
/** `needed`: larger ones are pictures, whose copies only make the other link late, in bytes. */
const SOUND_BYTES = 400;
/** It is needed, and helps, while the first link varies, or loses more than this; `auto`: also ... */
const AUTO_LOSS = 0.005;
/** ... when the copy arrives at most this much later, in microseconds. */
const AUTO_LATER_US = 30_000;
/** Round trips of a link that has little to do differ by more, in microseconds: it is restless, ... */
const RESTLESS_JITTER_US = 4_000;
/** ... and for so much longer, in microseconds, as one is that varies. */
const RESTLESS_US = 10_000_000;
/** What was in flight before may delay it for this time, in microseconds. */
const QUIET_US = 1_000_000;
/** `needed`: a slower link has no room for copies of acknowledgements, in bits per second. */
const LEAST_BPS = 2_000_000;

/** What sends copies, and when. */
type CopySender = Pick<Transmitter, "now" | "isFull" | "sendCopy">;
/** What is known of packets. */
type Kinds = Pick<Classifier, "kind" | "copies" | "isTcp">;

/** Sends the copies of one peer's packets. */
export class Duplicator {
  /** Packets that left on several links. */
  packets = 0;
  readonly #pool: PacketPool;
  readonly #policy: Pick<Policy, "mayCopy">;
  readonly #out: CopySender;
  readonly #kinds: Kinds;
  readonly #calls = new CopyBudget(CALL);
  readonly #acks = new CopyBudget(ACKS);
  /** When bulk was sent last. */
  #busyAtUs = -Infinity;
  /** By link id. */
  readonly #restlessUntilUs: Float64Array;

  constructor(
    pool: PacketPool,
    policy: Pick<Policy, "mayCopy">,
    kinds: Kinds,
    out: CopySender,
    links: number,
  ) {
    this.#restlessUntilUs = new Float64Array(links);
    this.#pool = pool;
    this.#policy = policy;
    this.#kinds = kinds;
    this.#out = out;
  }

  /** The packet in `slot` has just left on `main` for the first time: sends the copies due. */
  handleSent(lane: Lane, main: Path, slot: number): void {
    const kind = this.#kinds.kind[slot]!;
    const copies = this.#kinds.copies[slot]!;
    const bytes = this.#pool.lengths[slot]!;
    this.#calls.noteSent(bytes);
    this.#acks.noteSent(bytes);
    if (kind === KIND.bulk) this.#busyAtUs = this.#out.now;
    if (copies === COPIES.off) return;
    if (copies === COPIES.all) return this.#copyToAll(lane, main, slot);
    const isTcp = this.#kinds.isTcp[slot] === 1;
    const isAck = isTcp && kind === KIND.unordered;
    const isNeeded = copies === COPIES.needed;
    this.#watch(lane);
    if (isNeeded && !isUnreliable(main)) {
      // What a restless link delays is a call; TCP and a ping would only be measured differently.
      if (isTcp || kind !== KIND.interactive || !this.#isRestless(main)) return;
    }
    if (isNeeded && !isTcp && bytes > SOUND_BYTES) return;
    const second = this.#second(lane, main, slot);
    if (!second) return;
    const { rateBps } = second.rate;
    if (isNeeded && isAck && rateBps < LEAST_BPS) return;
    const budget = isAck ? this.#acks : this.#calls;
    if (!budget.take(this.#out.now, rateBps, bytes)) return;
    this.packets++;
    this.#out.sendCopy(second, slot);
  }

  /** Remembers which links are restless: nothing is learned of one that has little to do. */
  #watch(lane: Lane): void {
    const { now } = this.#out;
    const isQuiet = now - this.#busyAtUs > QUIET_US;
    for (const path of lane.paths) {
      if (!path.rate.varies && !(isQuiet && path.rtt.jitterUs > RESTLESS_JITTER_US)) continue;
      this.#restlessUntilUs[path.options.id] = now + RESTLESS_US;
    }
  }

  #isRestless(path: Path): boolean {
    return this.#out.now < this.#restlessUntilUs[path.options.id]!;
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
    if (isUnreliable(main) || this.#isRestless(main)) return best;
    // The packet itself leaves at once: its link's pacer now speaks of the next one.
    const mainAtUs = pathArrivalAtUs(now, main, main) - Math.max(0, main.pacer.dueAtUs - now);
    return bestAtUs - mainAtUs <= AUTO_LATER_US ? best : undefined;
  }

  #takes(lane: Lane, main: Path, path: Path, slot: number): boolean {
    // One that is only suspected may be back before the copy gets there.
    const isAlive = path.live.state === "up" || path.live.state === "suspect";
    if (path === main || !isAlive || !path.remote || path.flight.full) return false;
    if (!path.mayCarry) return false;
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
