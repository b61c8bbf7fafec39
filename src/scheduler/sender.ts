/**
 * From the queue to the links: who sends what next.
 *
 * Packets wait in one queue, those that rules pin to links in one per set of links; a link
 * takes one when its pacer is due and its window is open. What must not wait, and what was
 * lost before, goes ahead on the link where it arrives first. A packet keeps its slot until
 * its datagram is acknowledged, so that it can be sent again elsewhere.
 *
 * @module
 */

import { BATCH_DATAGRAMS, type TransmitBatch } from "../batch.ts";
import type { Drops } from "../drops.ts";
import type { Path } from "../links/path.ts";
import { BUCKETS, type FlowQueue } from "../queue/flow_queue.ts";
import type { Session } from "../session/session.ts";
import { PACKET_OFFSET, type PacketPool, PLAIN_OFFSET } from "../slab.ts";
import {
  DATA_HEADER_BYTES,
  DATA_NEEDS_CHECKSUM,
  markResent,
  writeDataHeader,
} from "../wire/data.ts";
import { isEcnCapable, KIND, markCongestion, type PacketInfo } from "../wire/ip.ts";
import { PACKET_OVERHEAD_BYTES } from "../wire/overhead.ts";
import { timeDifference, wireTime } from "../wire/time.ts";
import { pathArrivalAt } from "./arrival.ts";
import { Classifier } from "./classifier.ts";
import { Duplicator, FILL_BESIDE_COPIES } from "./duplicator.ts";
import type { Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { LinkUse } from "./link_use.ts";
import type { Rules } from "./rules.ts";

/** A packet is sent at most this often. */
const MAX_SENDS = 3;
/** Share of what is sent that may be sent again, and the most of it at once, in bytes. */
const RESEND_SHARE = 0.25;
const RESEND_BURST_BYTES = 262_144;
/** Urgent packets may run this far ahead of a link's pacer, in microseconds. */
const EXPRESS_AHEAD_US = 2_000;

/** The sending side of one peer. */
export class Sender {
  /** Packets that may use every link. */
  readonly queue: FlowQueue;
  /** Packets sent again. */
  resentPackets = 0;
  sentPackets = 0;
  sentBytes = 0;

  readonly #pool: PacketPool;
  readonly #paths: readonly Path[];
  readonly #drops: Drops;
  readonly #rules: Rules;
  readonly #lanes: Lanes;
  readonly #classifier: Classifier;
  readonly #duplicator: Duplicator;
  /** Datagrams that fill a batch. */
  readonly #batchLimit: number;
  readonly #flowSequence = new Uint16Array(BUCKETS);
  #globalSequence = 0;
  /** Bytes that may be sent again: on a link that loses for being too full more of the same is no help. */
  #resendCredit = RESEND_BURST_BYTES;
  readonly #sends: Uint8Array;
  readonly #use: LinkUse;
  /** Whether a link was passed over because its batch was full. */
  #keptBack = false;
  /** When the next of what waits may leave, as the last {@linkcode fill} saw it. */
  #nextAt = Infinity;

  constructor(
    pool: PacketPool,
    paths: readonly Path[],
    queueLimit: number,
    drops: Drops,
    rules: Rules,
  ) {
    this.#pool = pool;
    this.#paths = paths;
    this.#drops = drops;
    this.#rules = rules;
    this.#sends = new Uint8Array(pool.count);
    const parts = {
      pool,
      limit: queueLimit,
      onDrop: (slot: number, reason: "codel" | "queue-full"): void => this.#drop(slot, reason),
      mark: (slot: number): boolean => this.#mark(slot),
      enqueuedAt: new Float64Array(pool.count),
    };
    const use = {
      opensAt: (now: number, path: Path): number => this.#use.opensAt(now, path),
      mayDrop: (now: number): boolean => this.#use.mayDrop(now),
    };
    const onStranded = (slot: number): void => this.#drop(slot, "no-link");
    this.#lanes = new Lanes(rules, paths, parts, use, onStranded);
    this.#classifier = new Classifier(pool, rules, this.#lanes);
    this.queue = this.#lanes.common.queue;
    this.#use = new LinkUse(paths, this.#lanes.common);
    // A link that is left out makes others wait for what only it carries: copies do no such harm.
    this.#duplicator = new Duplicator(pool, (now, lane, path) => this.#mayCarry(now, lane, path));
    this.#batchLimit = rules.copying ? FILL_BESIDE_COPIES : BATCH_DATAGRAMS;
  }

  /** Packets that wait to be sent, again or for the first time. */
  get waiting(): number {
    return this.#lanes.waiting;
  }

  /** Packets that were sent on several links at once. */
  get duplicatedPackets(): number {
    return this.#duplicator.packets;
  }

  /** Takes the packet in `slot` over. */
  handlePacket(now: number, slot: number, info: PacketInfo): void {
    this.#classifier.decide(now, slot, info);
    const number = this.#classifier.lane[slot]!;
    if (!this.#lanes.accepts(number)) return this.#drop(slot, "no-link");
    const { queue } = this.#lanes.at(number);
    const bucket = this.#classifier.bucket[slot]!;
    this.#sends[slot] = 0;
    // What is in order must not be in two queues: one of them would overtake the other.
    if (this.#classifier.kind[slot] === KIND.unordered) queue.pushExpress(now, slot, bucket);
    else queue.push(now, slot, bucket);
  }

  /** A packet was acknowledged: its slot is free. */
  handleDelivered(slot: number): void {
    if (this.#isCommonBulk(slot)) {
      this.#use.noteDelivered(this.#pool.lengths[slot]! + PACKET_OVERHEAD_BYTES[4]);
    }
    this.#pool.release(slot);
  }

  /** A packet's datagram was lost: it goes again, unless it did too often or too much bulk does. */
  handleLost(slot: number): void {
    const isBulk = this.#classifier.kind[slot] === KIND.bulk;
    const bytes = isBulk ? this.#pool.lengths[slot]! : 0;
    if (this.#sends[slot]! >= MAX_SENDS || this.#resendCredit < bytes) {
      this.#drop(slot, "lost");
      return;
    }
    this.#resendCredit -= bytes;
    this.#laneOf(slot).resend.push(slot);
  }

  /** A packet's link has failed: it goes again, however much that is. */
  handleAbandoned(slot: number): void {
    if (this.#sends[slot]! >= MAX_SENDS) this.#drop(slot, "lost");
    else this.#laneOf(slot).resend.push(slot);
  }

  /** Appends what is due to the batches. Returns true when a full batch kept something back. */
  fill(now: number, session: Session, batches: readonly TransmitBatch[]): boolean {
    this.#keptBack = false;
    this.#use.look(now);
    this.#lanes.tend(now);
    for (;;) {
      this.#nextAt = Infinity;
      this.#fillExpress(now, session, batches);
      if (!this.#lanes.hasFlows) break;
      const path = this.#pullingPath(now, batches);
      if (path === undefined) return this.#keptBack;
      const slot = this.#lanes.shift(now, path);
      if (slot >= 0) this.#send(now, session, path, slot, batches);
    }
    if (this.waiting === 0) this.#noteIdle(now);
    return this.#keptBack;
  }

  /**
   * When {@linkcode fill} has something to do; Infinity when nothing waits or no link is
   * open. Valid after a call of fill: whatever opens a link is followed by one.
   */
  timeoutAt(): number {
    return this.waiting === 0 ? Infinity : this.#nextAt;
  }

  /** Why a link that is up may be unused, in words; empty when it is always welcome. */
  whyUnused(path: Path, now: number): string {
    return this.#use.whyUnused(now, path);
  }

  /** Releases everything that waits: there is nobody to send it to. */
  clear(): void {
    const release = (slot: number): void => this.#pool.release(slot);
    this.#lanes.clear(release);
  }

  /** Begins all sequences anew: the peer knows nothing of the past. */
  reset(): void {
    this.#flowSequence.fill(0);
    this.#globalSequence = 0;
  }

  #fillExpress(now: number, session: Session, batches: readonly TransmitBatch[]): void {
    this.#fillExpressOf(now, session, this.#lanes.common, batches);
    for (const lane of this.#lanes.pinned) this.#fillExpressOf(now, session, lane, batches);
  }

  #fillExpressOf(
    now: number,
    session: Session,
    lane: Lane,
    batches: readonly TransmitBatch[],
  ): void {
    const { queue, resend } = lane;
    while (queue.hasExpress || resend.count > 0) {
      const path = this.#earliestPath(now, lane, batches);
      if (!path) return;
      const dueAt = path.pacer.dueAt - EXPRESS_AHEAD_US;
      if (dueAt > now) {
        this.#nextAt = Math.min(this.#nextAt, dueAt);
        return;
      }
      const slot = queue.hasExpress ? queue.shiftExpress() : resend.shift();
      this.#send(now, session, path, slot, batches);
    }
  }

  /** The link that takes the next packet: of those that are due, the one with the least delay. */
  #pullingPath(now: number, batches: readonly TransmitBatch[]): Path | undefined {
    let best: Path | undefined;
    for (const path of this.#paths) {
      if (!this.#usable(path) || !path.open || !this.#hasRoom(path, batches)) continue;
      if (path.pacer.dueAt > now) {
        this.#nextAt = Math.min(this.#nextAt, path.pacer.dueAt);
        continue;
      }
      const opensAt = this.#lanes.opensAt(now, path);
      if (opensAt > now) {
        // It could send, but is not asked to: what it delivers meanwhile says nothing of it.
        path.handleIdle();
        this.#nextAt = Math.min(this.#nextAt, opensAt);
        continue;
      }
      if (!best || timeDifference(path.owdWire, best.owdWire) < 0) best = path;
    }
    return best;
  }

  /** The usable link where a packet arrives first; pacing and delay count, its window does not. */
  #earliestPath(now: number, lane: Lane, batches: readonly TransmitBatch[]): Path | undefined {
    let best: Path | undefined;
    let bestAt = Infinity;
    for (const path of lane.paths) {
      if (!lane.usable(path) || path.flight.full || !this.#hasRoom(path, batches)) continue;
      if (!lane.pinned && this.#use.isLeftOut(now, path)) continue;
      if (!this.#mayCarry(now, lane, path)) continue;
      const at = pathArrivalAt(now, path, this.#paths[0]!);
      if (at >= bestAt) continue;
      best = path;
      bestAt = at;
    }
    return best;
  }

  /** Whether the tiers let a link of a lane have what need not wait in its flow's turn. */
  #mayCarry(now: number, lane: Lane, path: Path): boolean {
    return lane.pinned || path.tier === "primary" ||
      this.#use.opensAt(now, path) <= now;
  }

  #hasRoom(path: Path, batches: readonly TransmitBatch[]): boolean {
    const full = batches[path.socket]!.count >= this.#batchLimit;
    this.#keptBack ||= full;
    return !full;
  }

  /** Links that are up; when there is none, those that are only suspected. */
  #usable(path: Path): boolean {
    return this.#lanes.common.usable(path);
  }

  #noteIdle(now: number): void {
    for (const path of this.#paths) {
      if (path.live.state === "up" && path.pacer.dueAt <= now) path.handleIdle();
    }
  }

  #send(
    now: number,
    session: Session,
    path: Path,
    slot: number,
    batches: readonly TransmitBatch[],
  ): void {
    const length = DATA_HEADER_BYTES + this.#pool.lengths[slot]!;
    const first = this.#sends[slot] === 0;
    this.#writeHeader(now, slot, path.live.state === "up");
    const datagramBytes = session.seal(path, this.#pool, slot, length, batches[path.socket]!);
    path.handleSent(now, slot, datagramBytes);
    if (this.#isCommonBulk(slot)) this.#use.noteSent(path, datagramBytes);
    if (!first || !this.#rules.copying) return;
    const copies = this.#classifier.copies[slot]!;
    this.#duplicator.handleSent(now, session, this.#laneOf(slot), path, slot, copies, batches);
  }

  /** @param counts whether this is a try: on a link that is only suspected it is a hope */
  #writeHeader(now: number, slot: number, counts: boolean): void {
    const bytes = this.#pool.bytes;
    const at = this.#pool.at(slot) + PLAIN_OFFSET;
    if (this.#sends[slot]! > 0) {
      if (counts) this.#sends[slot] = this.#sends[slot]! + 1;
      markResent(bytes, at, wireTime(now));
      this.resentPackets++;
      return;
    }
    this.#sends[slot] = 1;
    const bucket = this.#classifier.bucket[slot]!;
    const kind = this.#classifier.kind[slot]!;
    let sequence = 0;
    if (kind !== KIND.unordered) {
      sequence = this.#flowSequence[bucket]!;
      this.#flowSequence[bucket] = sequence + 1;
    }
    const flags = this.#pool.needsChecksum[slot] === 0 ? kind : kind | DATA_NEEDS_CHECKSUM;
    writeDataHeader(bytes, at, flags, bucket, sequence, this.#globalSequence, wireTime(now));
    this.#globalSequence = this.#globalSequence + 1 >>> 0;
    const length = this.#pool.lengths[slot]!;
    this.sentPackets++;
    this.sentBytes += length;
    this.#resendCredit = Math.min(
      this.#resendCredit + RESEND_SHARE * length,
      RESEND_BURST_BYTES,
    );
  }

  /** Whether what happens to a packet tells if its link is worth using: that of pinned ones is no choice. */
  #isCommonBulk(slot: number): boolean {
    return this.#classifier.kind[slot] === KIND.bulk && this.#classifier.lane[slot] === 0;
  }

  #laneOf(slot: number): Lane {
    return this.#lanes.at(this.#classifier.lane[slot]!);
  }

  #mark(slot: number): boolean {
    const at = this.#pool.at(slot) + PACKET_OFFSET;
    if (!isEcnCapable(this.#pool.bytes, at)) return false;
    markCongestion(this.#pool.bytes, at);
    return true;
  }

  #drop(slot: number, reason: "codel" | "queue-full" | "lost" | "no-link"): void {
    this.#drops.count(reason);
    this.#pool.release(slot);
  }
}
