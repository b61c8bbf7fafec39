/**
 * A lane: packets that may use the same links wait together, and not behind others.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { type DropHandler, FlowQueue, type Marker } from "../queue/flow_queue.ts";
import { SlotFifo } from "../queue/slot_fifo.ts";
import type { PacketPool } from "../slab.ts";
import { timeDifference } from "../wire/time.ts";
import { QueueAdapter } from "./queue_adapter.ts";

/** A far link is later than this, and waits until the head has waited as long; microseconds. */
export const FAR_US = 4_000;

/** What lanes are made of. */
export interface LaneParts {
  readonly pool: PacketPool;
  /** Most packets that wait for the first time. */
  readonly limit: number;
  readonly onDrop: DropHandler;
  readonly mark: Marker;
  /** An entry per slot, which all lanes share: a packet waits in one of them. */
  readonly enqueuedAtUs: Float64Array;
}

/** Packets that may use the same links, and those links. */
export class Lane {
  /** Whether rules name its links. */
  readonly pinned: boolean = false;
  readonly queue: FlowQueue;
  /** Packets that were lost and are sent again. */
  readonly resend: SlotFifo;
  readonly #firstBucket: number;
  readonly #buckets: number;

  /**
   * @param paths the links it may use
   * @param firstBucket the first of its `buckets` flow buckets
   * @param groups groups of flows
   */
  constructor(
    readonly paths: readonly Path[],
    firstBucket: number,
    buckets: number,
    parts: LaneParts,
    groups = 1,
  ) {
    this.#firstBucket = firstBucket;
    this.#buckets = buckets;
    const { pool, limit, onDrop, mark, enqueuedAtUs } = parts;
    this.queue = new FlowQueue(pool, limit, onDrop, mark, enqueuedAtUs, groups);
    this.resend = new SlotFifo(pool);
  }

  /** Packets that wait, for the first time or again. */
  get waiting(): number {
    return this.queue.packets + this.resend.count;
  }

  /** The flow bucket of a packet by the hash of its flow. */
  bucketOf(flowHash: number): number {
    return this.#firstBucket + flowHash % this.#buckets;
  }

  /** Its links that are up are usable; if none is, those that are only suspected. */
  usable(path: Path): boolean {
    if (!path.remote) return false;
    if (path.live.state === "up") return true;
    return path.live.state === "suspect" && !this.#anyUp();
  }

  /** Hands over every packet. */
  clear(release: (slot: number) => void): void {
    this.queue.clear(release);
    this.resend.clear(release);
  }

  #anyUp(): boolean {
    for (const path of this.paths) if (path.live.state === "up") return true;
    return false;
  }
}

/** A lane whose packets are bound to links that rules name; their tiers mean nothing to it. */
export class PinnedLane extends Lane {
  override readonly pinned = true;
  readonly #adapter: QueueAdapter;
  /** By link id. */
  readonly #has: Uint8Array;

  constructor(
    all: readonly Path[],
    paths: readonly Path[],
    firstBucket: number,
    buckets: number,
    parts: LaneParts,
  ) {
    super(paths, firstBucket, buckets, parts);
    this.#adapter = new QueueAdapter(this.queue, paths, (_now, path) => path.live.state === "up");
    this.#has = Uint8Array.from(all, (path) => paths.includes(path) ? 1 : 0);
  }

  /** Whether any of its links may still carry something. */
  get reachable(): boolean {
    for (const path of this.paths) if (this.usable(path)) return true;
    return false;
  }

  /** When `path` may take from the flows that wait here; Infinity when it may not. */
  opensAtUs(now: number, path: Path): number {
    if (!this.queue.hasFlows || this.#has[path.options.id] === 0) return Infinity;
    for (const other of this.paths) {
      if (other === path || other.live.state !== "up") continue;
      if (timeDifference(path.owdWire, other.owdWire) <= FAR_US) continue;
      return now - this.queue.headSojournUs(now) + FAR_US;
    }
    return 0;
  }

  /** CoDel may act when what waits says something about the lane's links. */
  mayDrop(now: number): boolean {
    for (const path of this.paths) {
      if (path.live.state === "up" && !path.rate.isSettled(now)) return false;
    }
    return true;
  }

  /** Gives CoDel the target that suits its links. */
  adapt(now: number): void {
    this.#adapter.look(now);
  }
}
