/**
 * The policy `fast`: one flow gets the sum of all links.
 *
 * Near primary links are always used; distant ones and overflow links when the queue is late;
 * backups when nothing else is up; harmful links never. How long the queue may get follows from
 * the links in use.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { timeDifference } from "../wire/time.ts";
import { pathArrivalAtUs } from "./arrival.ts";
import { HarmWatch } from "./harm_watch.ts";
import { FAR_US, type Lane } from "./lane.ts";
import type { Policy } from "./policy.ts";
import { QueueAdapter } from "./queue_adapter.ts";
import { isBackup, rank, whyTierUnused } from "./tiers.ts";

/**
 * The queue is late, and a link of second choice may help, when its head has waited so long, in
 * microseconds: no longer than a sender that paces keeps more waiting than the near links carry. A
 * link that varies, or that others fill, holds up more: FAR_US.
 */
const LATE_US = 1_000;
/** ... or, where it arrives much later, this share of that time, up to FAR_US. */
const LATE_SHARE = 1 / 15;
/** The head waits this much longer for far links while near ones may still gain: microseconds. */
const STARTING_SOJOURN_US = 16_000;
/**
 * The head also waits this share of what a link is later because of others' queue: that changes, and
 * with a short queue the near links would run dry whenever the late packets come.
 */
const SHARED_SOJOURN = 0.2;
/**
 * What comes this much later on a link than on another cannot be put back in order: the other end
 * does not wait that long. In microseconds.
 */
const MAX_SKEW_US = 120_000;
/** The same when one of both varies: it is late for a moment. */
const MAX_VARIABLE_SKEW_US = 400_000;
/** More than this share of what the others carry is much. */
const MUCH = 0.2;
/** A link that was heard so short a time ago may be back in a moment, and find something to send. */
const RETURNS_US = 2_500_000;

/** Uses every link as much as it helps. */
export class FastPolicy implements Policy {
  readonly #paths: readonly Path[];
  readonly #lane: Pick<Lane, "queue" | "usable">;
  readonly #adapter: QueueAdapter;
  /** Whether a link may be too far to be used beside others. */
  #anyFar = true;
  readonly #harm: HarmWatch;
  readonly #candidate = { index: -1, rateBps: 0, othersBps: 0 };
  /** Bulk that each link has sent since the last search for a harmful one. */
  readonly #bulkBytes: Float64Array;

  /** @param lane the common one */
  constructor(
    paths: readonly Path[],
    lane: Pick<Lane, "queue" | "usable">,
    harm: HarmWatch = new HarmWatch(paths.length),
  ) {
    this.#paths = paths;
    this.#lane = lane;
    this.#harm = harm;
    this.#adapter = new QueueAdapter(
      lane.queue,
      paths,
      (now, path) => lane.usable(path) && this.opensAtUs(now, path) !== Infinity,
    );
    this.#bulkBytes = new Float64Array(paths.length);
  }

  /** Remembers which links carry bulk. */
  noteSent(path: Path, bytes: number): void {
    const { id } = path.options;
    this.#bulkBytes[id] = this.#bulkBytes[id]! + bytes;
  }

  /** Counts what the links achieve together. */
  noteDelivered(bytes: number): void {
    this.#harm.deliveredBytes += bytes;
  }

  /** Flows have no link of their own. */
  place(_now: number, _bucket: number, _length: number): void {}

  /** All flows are in one group. */
  groupOf(_path: Path): number {
    return 0;
  }

  /** Only the configured copies. */
  copies(asked: number): number {
    return asked;
  }

  /** Adapts the queue to the links and watches what they deliver. */
  look(now: number): void {
    if (this.#adapter.look(now)) {
      this.#anyFar = this.#paths.some((path) => path.rtt.srttUs >= MAX_SKEW_US);
    }
    if (this.#paths.length > 1 && this.#harm.isDue(now)) this.#watchHarm(now);
  }

  /** Why a link that is up may be unused, in words. */
  whyUnused(now: number, path: Path): string | undefined {
    const harm = this.#harm.reason(now, path.options.id);
    if (path.tierReason === undefined && harm && this.isLeftOut(now, path)) return harm;
    const tier = whyTierUnused(path, this.#paths);
    if (tier) return tier;
    const others = this.#paths.filter((other) => other !== path && other.live.state === "up");
    const mostUs = Math.max(...others.map((other) => mostSkewUs(path, other)));
    const laterUs = Math.max(
      0,
      ...others.filter((other) => rank(other) <= rank(path))
        .map((other) => timeDifference(path.owdWire, other.owdWire)),
    );
    if (laterUs <= FAR_US) return undefined;
    if (laterUs > mostUs) {
      return `arrives ${Math.round(laterUs / 1000)} ms later: too late to be put back in order`;
    }
    return `arrives ${
      Math.round(laterUs / 1000)
    } ms later: bulk uses it when nearer links are full`;
  }

  /**
   * When a link may take from the queue: near primary ones always, far ones and overflow
   * links when its head has waited, backup links (Infinity) when nothing else is up.
   */
  opensAtUs(now: number, path: Path): number {
    if (this.isLeftOut(now, path)) return Infinity;
    if (path.tier === "primary") return this.#spillsAtUs(now, path);
    let better = false;
    for (const other of this.#paths) {
      better ||= other.live.state === "up" && rank(other) < rank(path);
    }
    if (!better) return 0;
    if (isBackup(path)) return Infinity;
    return this.#lateAtUs(now, path, 0);
  }

  /** When a packet arrives, by pacing and delay; the link's window does not count. */
  urgentArrivalAtUs(now: number, path: Path): number {
    if (this.isLeftOut(now, path) || !this.mayCopy(now, path)) return Infinity;
    return pathArrivalAtUs(now, path, this.#paths[0]!);
  }

  /**
   * Whether the tiers allow a link packets that need not wait for their flow's turn. A link is left
   * out because others wait for what only it carries: copies do no such harm.
   */
  mayCopy(now: number, path: Path): boolean {
    return path.tier === "primary" || this.opensAtUs(now, path) <= now;
  }

  /**
   * Whether a link that is up is to be left unused, because those of its tier and better ones do
   * better without it. A link that is left out is no reason to leave out another.
   */
  isLeftOut(now: number, path: Path): boolean {
    if (this.#paths.length === 1) return false;
    const out = this.#harm.isOut(now, path.options.id);
    if (!out && !this.#anyFar) return false;
    let other = false;
    let skewUs = 0;
    let mostUs = MAX_SKEW_US;
    for (const near of this.#paths) {
      if (near === path || near.live.state !== "up" || rank(near) > rank(path)) continue;
      if (this.#harm.isOut(now, near.options.id)) continue;
      other = true;
      mostUs = Math.max(mostUs, mostSkewUs(path, near));
      const laterUs = timeDifference(path.owdWire, near.owdWire);
      // Beside a distant link of a better tier the near one cannot be used.
      skewUs = Math.max(skewUs, rank(near) < rank(path) ? Math.abs(laterUs) : laterUs);
    }
    return out && other || skewUs > mostUs;
  }

  /** Looks for a link that slows down the whole: the one of longest delay among those with bulk. */
  #watchHarm(now: number): void {
    const candidate = this.#candidate;
    candidate.index = -1;
    candidate.othersBps = 0;
    let worstUs = 0;
    let leastUs = Infinity;
    let sumBps = 0;
    for (let i = 0; i < this.#paths.length; i++) {
      const path = this.#paths[i]!;
      const bytes = this.#bulkBytes[i]!;
      this.#bulkBytes[i] = 0;
      if (path.live.state !== "up" || this.isLeftOut(now, path)) continue;
      if (path.tier !== "primary" && this.opensAtUs(now, path) === Infinity) continue;
      sumBps += path.rate.rateBps;
      const lateUs = timeDifference(path.owdWire, this.#paths[0]!.owdWire) + 4 * path.rtt.jitterUs;
      leastUs = Math.min(leastUs, lateUs);
      if (bytes === 0 || candidate.index >= 0 && lateUs <= worstUs) continue;
      candidate.index = i;
      worstUs = lateUs;
    }
    const rate = this.#paths[candidate.index]?.rate;
    if (rate) {
      candidate.rateBps = rate.rateBps;
      candidate.othersBps = sumBps - rate.rateBps;
      // What varies explains by itself why less is delivered than a moment ago, if it is much.
      const explains = rate.varies &&
        (othersVary(this.#paths, candidate.index) || rate.rateBps > MUCH * candidate.othersBps);
      if (explains || rate.competes) candidate.index = -1;
    }
    if (candidate.index >= 0) {
      // The nearest link holds nobody up.
      if (candidate.othersBps === 0 || worstUs <= leastUs + FAR_US) candidate.index = -1;
    }
    this.#harm.update(now, candidate);
  }

  /**
   * When the queue's head will have waited long enough for a link of second choice to help, on which
   * it arrives `farUs` later.
   */
  #lateAtUs(now: number, { rate }: Path, farUs: number): number {
    const lateUs = rate.varies || rate.competes
      ? FAR_US
      : Math.min(Math.max(LATE_US, LATE_SHARE * farUs), FAR_US);
    return now - this.#lane.queue.headSojournUs(now) + lateUs;
  }

  /**
   * When a primary link may take bulk. If packets arrive noticeably later on it than on another,
   * only when the queue is late, and later still while that one's capacity is searched
   * for: a flow that fits the near link is not to wait for the far one.
   */
  #spillsAtUs(now: number, path: Path): number {
    let farUs = 0;
    let starting = false;
    for (const other of this.#paths) {
      if (other === path || other.live.state !== "up" || rank(other) > rank(path)) continue;
      if (this.#harm.isOut(now, other.options.id)) continue;
      const laterUs = timeDifference(path.owdWire, other.owdWire);
      if (laterUs <= FAR_US) continue;
      farUs = Math.max(farUs, laterUs);
      starting ||= other.rate.starting;
    }
    if (farUs === 0) return 0;
    const sharedUs = path.rate.competes ? SHARED_SOJOURN * farUs : 0;
    return this.#lateAtUs(now, path, farUs) + sharedUs + (starting ? STARTING_SOJOURN_US : 0);
  }

  /**
   * CoDel may act when every link that may help is doing what it can, and not while the backlog of
   * one that has just become slower drains.
   */
  mayDrop(now: number): boolean {
    for (const path of this.#paths) {
      if (path.live.state !== "up") {
        if (now < path.live.progressAtUs + RETURNS_US) return false;
        continue;
      }
      if (path.rate.isSettled(now)) continue;
      // A link may be left out because its queue has grown; the others then drain the backlog.
      if (path.rate.hasBacklog(now) || this.opensAtUs(now, path) <= now) return false;
    }
    return true;
  }
}

/** What may come so much later on one of two links, in microseconds. */
function mostSkewUs(path: Path, other: Path): number {
  return path.rate.varies || other.rate.varies ? MAX_VARIABLE_SKEW_US : MAX_SKEW_US;
}

function othersVary(paths: readonly Path[], index: number): boolean {
  return paths.some((path, i) => i !== index && path.live.state === "up" && path.rate.varies);
}
