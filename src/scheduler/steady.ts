/**
 * The policy `steady`: least delay and no reordering. A flow stays on one link while it fits;
 * interactive packets take the nearest.
 *
 * Each link serves a group of flows. A flow that begins, or goes on after a pause, joins the
 * link where its packet would arrive first. It moves only when its link has failed, or when its
 * packets wait there and would both arrive earlier and have more room elsewhere.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { BUCKETS } from "../queue/flow_queue.ts";
import { timeDifference } from "../wire/time.ts";
import { pathArrivalAtUs } from "./arrival.ts";
import type { Lane } from "./lane.ts";
import type { Policy } from "./policy.ts";
import { QueueAdapter } from "./queue_adapter.ts";
import { isBackup, isOutranked, whyTierUnused } from "./tiers.ts";

/** A flow silent for this long has nothing in flight: any link will do. Microseconds. */
const PAUSE_US = 1_000_000;
/** A flow stays where it is at least this long, in microseconds: its sender must find its rate. */
const STAY_US = 1_000_000;
/** A link is full for its flows when the next packet has waited this long, in microseconds. */
const FULL_US = 10_000;
/** Moving is worth it for this many times the room. */
const GAIN = 1.3;
/** Another link must be nearer by this much to become the nearest, in microseconds. */
const NEARER_US = 3_000;
/** The nearest may at the moment be this much later than another, in microseconds. */
const STICKY_US = 5_000;

/** A link that does not carry a packet is later than any that does, in microseconds. */
const TOO_NARROW_US = 1e9;

const NOWHERE = 255;

/** Assigns every flow to one link. */
export class SteadyPolicy implements Policy {
  readonly #paths: readonly Path[];
  readonly #lane: Pick<Lane, "queue" | "usable">;
  readonly #adapter: QueueAdapter;
  /** By flow bucket: the id of its link, when it moved there, and when it was last seen. */
  readonly #link = new Uint8Array(BUCKETS).fill(NOWHERE);
  readonly #cameAtUs = new Float64Array(BUCKETS);
  readonly #seenAtUs = new Float64Array(BUCKETS);
  /** By flow bucket: the length of its longest packet since it began, in bytes. */
  readonly #longest = new Uint16Array(BUCKETS);
  /** The nearest link. */
  #nearest: Path | undefined;

  /** @param lane the common one, with a group for each link */
  constructor(paths: readonly Path[], lane: Pick<Lane, "queue" | "usable">) {
    this.#paths = paths;
    this.#lane = lane;
    this.#adapter = new QueueAdapter(lane.queue, paths, (_now, path) => this.#serves(path));
  }

  /** Finds the nearest link and takes flows off links that have failed or are too narrow. */
  look(now: number): void {
    this.#adapter.look(now);
    this.#findNearest();
    const { queue } = this.#lane;
    for (const path of this.#paths) {
      if (queue.flowsOf(path.options.id) === 0) continue;
      if (!this.#serves(path)) this.#clear(now, path);
      else if (path.mtu.isKnown) this.#moveTooLong(now, path);
    }
  }

  /** Finds the link of a flow that begins, goes on after a pause, or does not fit any more. */
  place(now: number, bucket: number, length: number): void {
    const pausedUs = now - this.#seenAtUs[bucket]!;
    this.#seenAtUs[bucket] = now;
    this.#longest[bucket] = Math.max(this.#longest[bucket]!, length);
    const path = this.#paths[this.#link[bucket]!];
    if (!path || pausedUs >= PAUSE_US || !this.#serves(path)) {
      this.#longest[bucket] = length;
      const first = this.#earliest(now, length);
      if (first) this.#assign(now, bucket, first);
    } else if (now - this.#cameAtUs[bucket]! >= STAY_US && this.#isFull(now, path)) {
      const better = this.#better(now, path, this.#longest[bucket]!);
      if (better) this.#assign(now, bucket, better);
    }
  }

  /** Each link has its own. */
  groupOf(path: Path): number {
    return path.options.id;
  }

  /** As soon as one of its own flows has something. */
  opensAtUs(_now: number, path: Path): number {
    return this.#lane.queue.hasFlowsOf(path.options.id) && this.#serves(path) ? 0 : Infinity;
  }

  /** The nearest link is preferred, so that its pacer does not make urgent packets change links. */
  urgentArrivalAtUs(now: number, path: Path): number {
    if (isOutranked(path, this.#paths)) return Infinity;
    const at = pathArrivalAtUs(now, path, this.#paths[0]!);
    return path === this.#nearest ? at - STICKY_US : at;
  }

  /** As for urgent packets. */
  mayCopy(_now: number, path: Path): boolean {
    return !isOutranked(path, this.#paths);
  }

  /** Only the configured copies. */
  copies(asked: number): number {
    return asked;
  }

  /** When the rate of the link is known. */
  mayDrop(now: number, path: Path): boolean {
    return path.rate.isSettled(now);
  }

  /** Nothing is learnt from it. */
  noteSent(_path: Path, _bytes: number): void {}

  /** Nothing is learnt from it. */
  noteDelivered(_bytes: number): void {}

  /** The tiers, which a full link does not override as long as flows fit. */
  whyUnused(_now: number, path: Path): string | undefined {
    return whyTierUnused(path, this.#paths);
  }

  /** Whether a link may have flows: a backup only when nothing else is up. */
  #serves(path: Path): boolean {
    return this.#lane.usable(path) && (!isBackup(path) || !isOutranked(path, this.#paths));
  }

  #isFull(now: number, path: Path): boolean {
    return this.#lane.queue.headSojournUs(now, path.options.id) >= FULL_US;
  }

  #findNearest(): void {
    let nearest: Path | undefined;
    for (const path of this.#paths) {
      if (!this.#lane.usable(path) || isOutranked(path, this.#paths)) continue;
      if (!nearest || timeDifference(path.owdWire, nearest.owdWire) < 0) nearest = path;
    }
    const old = this.#nearest;
    const keeps = nearest && old && this.#lane.usable(old) && !isOutranked(old, this.#paths) &&
      timeDifference(old.owdWire, nearest.owdWire) < NEARER_US;
    if (!keeps) this.#nearest = nearest;
  }

  /** When a packet arrives that joins a link's flows and may have to wait for all of them. */
  #arrivalAtUs(now: number, path: Path): number {
    const waitUs = this.#lane.queue.bytesOf(path.options.id) * 8e6 / path.rate.rateBps;
    return pathArrivalAtUs(now, path, this.#paths[0]!) + waitUs;
  }

  /** The link where a packet of a new flow arrives first; one that carries it, if there is any. */
  #earliest(now: number, length: number): Path | undefined {
    let best: Path | undefined;
    let bestAtUs = Infinity;
    for (const path of this.#paths) {
      if (!this.#lane.usable(path) || isOutranked(path, this.#paths)) continue;
      const lateUs = length > path.packetBytes ? TOO_NARROW_US : 0;
      const at = this.#arrivalAtUs(now, path) + lateUs;
      if (at >= bestAtUs) continue;
      best = path;
      bestAtUs = at;
    }
    return best;
  }

  /** The link where a flow of `path`, which is full, would be earlier and have more room. */
  #better(now: number, path: Path, length: number): Path | undefined {
    const { queue } = this.#lane;
    const lateAtUs = this.#arrivalAtUs(now, path);
    let best: Path | undefined;
    let bestBps = GAIN * path.rate.rateBps / Math.max(queue.flowsOf(path.options.id), 1);
    for (const other of this.#paths) {
      if (other === path || !this.#serves(other) || length > other.packetBytes) continue;
      if (this.#arrivalAtUs(now, other) >= lateAtUs) continue;
      // What a link carries that was never filled only a flow can tell.
      const rateBps = other.rate.starting ? Infinity : other.rate.rateBps;
      // Flows that need little, such as a ping, leave the rest, and nothing of them waits.
      const isFree = !queue.hasFlowsOf(other.options.id);
      const freeBps = isFree ? rateBps - other.sent.rateBps(now) : 0;
      const shareBps = Math.max(freeBps, rateBps / (queue.flowsOf(other.options.id) + 1));
      if (shareBps <= bestBps) continue;
      best = other;
      bestBps = shareBps;
    }
    return best;
  }

  #assign(now: number, bucket: number, path: Path): void {
    const { id } = path.options;
    if (this.#link[bucket] !== id) this.#cameAtUs[bucket] = now;
    this.#link[bucket] = id;
    this.#lane.queue.assign(bucket, id);
  }

  /** The next packet of a link's flows is too long for it: the flow goes where it fits. */
  #moveTooLong(now: number, path: Path): void {
    const bucket = this.#lane.queue.firstOf(path.options.id);
    const length = this.#longest[bucket]!;
    if (length <= path.packetBytes) return;
    const other = this.#earliest(now, length);
    if (other && length <= other.packetBytes) this.#assign(now, bucket, other);
  }

  #clear(now: number, path: Path): void {
    const { queue } = this.#lane;
    for (;;) {
      const bucket = queue.firstOf(path.options.id);
      const other = bucket < 0 ? undefined : this.#earliest(now, this.#longest[bucket]!);
      if (!other || other === path) return;
      this.#assign(now, bucket, other);
    }
  }
}
