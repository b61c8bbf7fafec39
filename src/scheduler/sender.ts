/**
 * From the queue to the links: who sends what next.
 *
 * Packets wait in one queue, those that rules pin to links in one per set of links; a link
 * takes one when its pacer is due and its window is open. Packets that must not wait, or were
 * lost before, go ahead on the link where they arrive first. A packet keeps its slot until
 * its datagram is acknowledged, so that it can be sent again elsewhere. Which links are asked,
 * and when, is the {@linkcode Policy}'s decision; everything leaves through
 * the {@linkcode Transmitter}.
 *
 * @module
 */

import { BATCH_DATAGRAMS } from "../batch.ts";
import type { Drops } from "../drops.ts";
import type { Path } from "../links/path.ts";
import type { FlowQueue } from "../queue/flow_queue.ts";
import type { Schedule } from "../schedule.ts";
import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { isEcnCapable, KIND, markCongestion, PacketInfo, parsePacket } from "../wire/ip.ts";
import { PROTOCOL_TCP } from "../wire/ip_layout.ts";
import { PACKET_OVERHEAD_BYTES } from "../wire/overhead.ts";
import { timeDifference } from "../wire/time.ts";
import { pathArrivalAtUs } from "./arrival.ts";
import { Classifier } from "./classifier.ts";
import { Duplicator, FILL_BESIDE_COPIES } from "./duplicator.ts";
import type { Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { Oversize, type TooBigHandler } from "./oversize.ts";
import { createPolicy, groupsOf } from "./policies.ts";
import type { Policy } from "./policy.ts";
import { COPIES, type Rules } from "./rules.ts";
import { Rescue } from "./rescue.ts";
import type { Transmitter } from "./transmitter.ts";
import { Turns } from "./turns.ts";

/** A packet is sent at most this many times. */
const MAX_SENDS = 3;
/** Retransmissions as a share of what is sent, and the most of them at once, in bytes. */
const RESEND_SHARE = 0.25;
const RESEND_BURST_BYTES = 262_144;
/** Urgent packets may run this far ahead of a link's pacer, in microseconds. */
const EXPRESS_AHEAD_US = 2_000;
/** What is sent again leaves on another link than before if that is so little later, microseconds. */
const ELSEWHERE_US = 10_000;
/** They avoid a link whose answer is overdue, as if it were so much later, in microseconds. */
const DOUBT_US = 1_000_000;

/** What a sender is made of. */
export interface SenderOptions {
  readonly pool: PacketPool;
  readonly paths: readonly Path[];
  /** Most packets that wait for the first time. */
  readonly limit: number;
  readonly drops: Drops;
  readonly rules: Rules;
  readonly schedule: Schedule;
  readonly out: Transmitter;
  readonly onTooBig: TooBigHandler;
  /** What sent before, for other links or by other rules: everything that it has is taken over. */
  readonly before?: Sender | undefined;
}

/** The sending side of one peer. */
export class Sender {
  /** Packets that may use every link. */
  readonly queue: FlowQueue;

  /** Packets that were lost and are not sent again. */
  lostPackets = 0;

  readonly #pool: PacketPool;
  readonly #paths: readonly Path[];
  readonly #drops: Drops;
  readonly #out: Transmitter;
  readonly #oversize: Oversize;
  readonly #lanes: Lanes;
  readonly #policy: Policy;
  readonly #turns: Turns;
  readonly #classifier: Classifier;
  readonly #duplicator: Duplicator;
  readonly #rescue: Rescue;
  /** Whether any packet may leave on several links. */
  readonly #copying: boolean;
  /** Datagrams that fill a batch. */
  readonly #batchLimit: number;
  readonly #enqueuedAtUs: Float64Array;
  readonly #duplicatedBefore: number;
  /** Bytes that may be sent again: more of the same does not help a link that loses by overload. */
  #resendCredit = RESEND_BURST_BYTES;
  /** Whether a link was passed over because its batch was full. */
  #keptBack = false;
  /** When the next waiting packet may leave, as the last {@linkcode fill} saw it. */
  #nextAtUs = Infinity;

  constructor(options: SenderOptions) {
    const { pool, paths, limit, drops, rules, schedule, out, onTooBig, before } = options;
    this.#pool = pool;
    this.#paths = paths;
    this.#drops = drops;
    this.#out = out;
    const parts = {
      pool,
      limit,
      onDrop: (slot: number, reason: "codel" | "queue-full"): void => this.#drop(slot, reason),
      mark: (slot: number): boolean => this.#mark(slot),
      enqueuedAtUs: before ? before.#enqueuedAtUs : new Float64Array(pool.count),
    };
    this.#enqueuedAtUs = parts.enqueuedAtUs;
    const onStranded = (slot: number): void => this.#drop(slot, "no-link");
    const groups = groupsOf(schedule, paths.length);
    this.#lanes = new Lanes(rules, paths, parts, groups, onStranded);
    this.#oversize = new Oversize(pool, this.#lanes, groups, onTooBig);
    this.queue = this.#lanes.common.queue;
    const policy = this.#policy = createPolicy(schedule, paths, this.#lanes.common);
    this.#turns = new Turns(pool, this.#lanes, policy, paths.length);
    this.#classifier = new Classifier(
      pool,
      rules,
      this.#lanes,
      policy,
      paths,
      before && before.#classifier,
    );
    this.#duplicator = new Duplicator(pool, policy, this.#classifier, out, paths.length);
    this.#rescue = new Rescue(this.#classifier, out, (slot, path) => this.#elsewhere(slot, path));
    this.#copying = rules.copying || policy.copies(COPIES.off) !== COPIES.off;
    const manyCopies = rules.manyCopies || policy.copies(COPIES.off) !== COPIES.off;
    this.#batchLimit = manyCopies ? FILL_BESIDE_COPIES : BATCH_DATAGRAMS;
    this.#duplicatedBefore = before?.duplicatedPackets ?? 0;
  }

  /** Packets that wait to be sent, again or for the first time. */
  get waiting(): number {
    return this.#lanes.waiting;
  }

  /** Packets that were sent on several links at once. */
  get duplicatedPackets(): number {
    return this.#duplicatedBefore + this.#duplicator.packets;
  }

  /** Takes over the packet in `slot`. */
  handlePacket(now: number, slot: number, info: PacketInfo): void {
    this.#classifier.decide(now, slot, info);
    const number = this.#classifier.lane[slot]!;
    if (!this.#lanes.accepts(number)) return this.#drop(slot, "no-link");
    this.#out.enroll(slot);
    this.#enqueue(now, slot, info);
  }

  /** Takes over what waits with `before`, in the same order; what is in flight needs no move. */
  takeOver(now: number, before: Sender): void {
    this.#resendCredit = before.#resendCredit;
    this.#turns.longest = before.#turns.longest;
    const waiting: number[] = [];
    before.#lanes.clear((slot) => waiting.push(slot));
    const info = new PacketInfo();
    for (const slot of waiting) {
      if (this.#out.sends(slot) > 0) {
        this.#sendAgain(now, slot);
        continue;
      }
      const at = this.#pool.at(slot) + PACKET_OFFSET;
      parsePacket(this.#pool.bytes, at, this.#pool.lengths[slot]!, info);
      this.#classifier.move(slot, info);
      this.#enqueue(now, slot, info);
    }
  }

  /** A packet was acknowledged: its slot is free. */
  handleDelivered(slot: number): void {
    this.#out.headers.handleDelivered(slot);
    if (this.#isCommonBulk(slot)) {
      this.#policy.noteDelivered(this.#pool.lengths[slot]! + PACKET_OVERHEAD_BYTES[4]);
    }
    this.#pool.release(slot);
  }

  /** A packet's datagram was lost: it is sent again, within MAX_SENDS and the credit for bulk. */
  handleLost(slot: number): void {
    const isBulk = this.#classifier.kind[slot] === KIND.bulk;
    const bytes = isBulk ? this.#pool.lengths[slot]! : 0;
    if (this.#out.sends(slot) >= MAX_SENDS || this.#resendCredit < bytes) {
      this.#drop(slot, "lost");
      return;
    }
    this.#resendCredit -= bytes;
    this.#sendAgain(this.#out.now, slot);
  }

  /** A packet's link has failed: it is sent again, however much that is. */
  handleAbandoned(slot: number): void {
    if (this.#out.sends(slot) >= MAX_SENDS) this.#drop(slot, "lost");
    else this.#sendAgain(this.#out.now, slot);
  }

  /** A link's answer is overdue: what must not wait is not to depend on it. */
  handleDoubt(path: Path): void {
    this.#rescue.handleDoubt(path);
  }

  /** Sends what is due in this poll. Returns true when a full batch kept something back. */
  fill(): boolean {
    const { now } = this.#out;
    this.#keptBack = false;
    this.#policy.look(now);
    this.#lanes.tend(now);
    this.#rescue.send();
    for (;;) {
      this.#nextAtUs = Infinity;
      this.#fillExpress(now);
      if (!this.#lanes.hasFlows) break;
      const path = this.#pullingPath(now);
      if (path === undefined) {
        if (this.#isAnyTooLong() && this.#oversize.dropNext(now)) continue;
        return this.#keptBack;
      }
      const slot = this.#turns.shift(now, path);
      if (slot >= 0) this.#send(path, slot);
    }
    if (this.waiting === 0) {
      this.#turns.longest = 0;
      this.#noteIdle(now);
    }
    return this.#keptBack;
  }

  /**
   * When {@linkcode fill} has something to do; Infinity when nothing waits or no link is
   * open. Valid after a call of fill, which follows whatever opens a link.
   */
  timeoutAtUs(): number {
    return this.waiting === 0 ? Infinity : this.#nextAtUs;
  }

  /** Why a link that is up may be unused, in words; undefined when it is always welcome. */
  whyUnused(path: Path, now: number): string | undefined {
    return this.#policy.whyUnused(now, path);
  }

  /** Releases everything that waits: there is nobody to send it to. */
  clear(): void {
    const release = (slot: number): void => this.#pool.release(slot);
    this.#lanes.clear(release);
  }

  #enqueue(now: number, slot: number, info: PacketInfo): void {
    const number = this.#classifier.lane[slot]!;
    const { queue } = this.#lanes.at(number);
    const bucket = this.#classifier.bucket[slot]!;
    const length = this.#pool.lengths[slot]!;
    this.#turns.longest = Math.max(this.#turns.longest, length);
    if (number === 0) this.#policy.place(now, bucket, length);
    // What is in order must not be in two queues: one of them would overtake the other.
    const kind = this.#classifier.kind[slot]!;
    if (kind === KIND.unordered) queue.pushExpress(now, slot, bucket);
    else {
      // The first packets of a transfer by TCP would be sent past what a link has room for.
      const isUrgent = kind === KIND.interactive && info.protocol !== PROTOCOL_TCP;
      queue.push(now, slot, bucket, isUrgent);
    }
  }

  #fillExpress(now: number): void {
    this.#fillExpressOf(now, this.#lanes.common);
    for (const lane of this.#lanes.pinned) this.#fillExpressOf(now, lane);
  }

  #fillExpressOf(now: number, lane: Lane): void {
    const { queue, resend } = lane;
    while (queue.hasExpress || resend.count > 0) {
      const slot = queue.hasExpress ? queue.firstExpress : resend.first;
      const path = this.#earliestPath(now, lane, slot);
      if (!path && this.#oversize.has(lane, slot)) {
        const taken = queue.hasExpress ? queue.shiftExpress() : resend.shift();
        if (this.#out.sends(taken) > 0 && !this.#out.headers.restore(taken)) {
          this.#drop(taken, "lost");
          continue;
        }
        this.#oversize.drop(now, lane, taken);
        continue;
      }
      if (!path) return;
      const dueAtUs = path.pacer.dueAtUs - EXPRESS_AHEAD_US;
      if (dueAtUs > now) {
        this.#nextAtUs = Math.min(this.#nextAtUs, dueAtUs);
        return;
      }
      this.#send(path, this.#shiftExpress(now, lane, path));
    }
  }

  /** Takes out what goes ahead: bulk that is sent again does not go ahead of what must not wait. */
  #shiftExpress(now: number, lane: Lane, path: Path): number {
    const { queue, resend } = lane;
    if (queue.hasExpress) return queue.shiftExpress();
    // Beside packets that are too long, what waits there may not have left yet, and is before others.
    if (this.#isAnyTooLong() || !this.#isUrgentNext(lane, path)) return resend.shift();
    return queue.shift(now, false, this.#groupOf(lane, path));
  }

  /** Whether what a link would take next from a lane's flows must not wait. */
  #isUrgentNext(lane: Lane, path: Path): boolean {
    const slot = lane.queue.firstSlotOf(this.#groupOf(lane, path));
    if (slot < 0 || this.#pool.lengths[slot]! > path.packetBytes) return false;
    return this.#classifier.kind[slot] !== KIND.bulk;
  }

  /** Whether a link that is doubted would take what must not wait, and another is better for that. */
  #isAvoided(path: Path): boolean {
    if (!this.#isUrgentNext(this.#lanes.common, path)) return false;
    for (const other of this.#paths) if (!other.live.doubted && this.#usable(other)) return true;
    return false;
  }

  #groupOf(lane: Lane, path: Path): number {
    return lane.pinned ? 0 : this.#policy.groupOf(path);
  }

  /** The link that takes the next packet: the one of least delay among those that are due. */
  #pullingPath(now: number): Path | undefined {
    let best: Path | undefined;
    for (const path of this.#paths) {
      if (!this.#usable(path) || !path.open || !this.#hasRoom(path)) continue;
      if (path.live.doubted && this.#isAvoided(path)) continue;
      if (path.pacer.dueAtUs > now) {
        this.#nextAtUs = Math.min(this.#nextAtUs, path.pacer.dueAtUs);
        continue;
      }
      const opensAtUs = this.#turns.opensAtUs(now, path);
      if (opensAtUs > now) {
        // It could send, but is not asked to: what it delivers meanwhile says nothing about it.
        path.handleIdle();
        this.#nextAtUs = Math.min(this.#nextAtUs, opensAtUs);
        continue;
      }
      if (!best || timeDifference(path.owdWire, best.owdWire) < 0) best = path;
    }
    return best;
  }

  /** The usable link where the packet in `slot` arrives first. */
  #earliestPath(now: number, lane: Lane, slot: number): Path | undefined {
    const length = this.#pool.lengths[slot]!;
    let best: Path | undefined;
    let bestAtUs = Infinity;
    for (const path of lane.paths) {
      if (!lane.usable(path) || path.flight.full || length > path.packetBytes) continue;
      if (!path.mayCarry) continue;
      // What is sent again would only lengthen the queue on a link that varies.
      if (path.rate.varies && !lane.queue.hasExpress && !path.open) continue;
      if (!this.#hasRoom(path)) continue;
      let at = lane.pinned
        ? pathArrivalAtUs(now, path, this.#paths[0]!)
        : this.#policy.urgentArrivalAtUs(now, path);
      if (path.live.doubted) at += DOUBT_US;
      else if (this.#out.wasOn(path, slot)) at += ELSEWHERE_US;
      if (at >= bestAtUs) continue;
      best = path;
      bestAtUs = at;
    }
    return best;
  }

  /** Where the packet in `slot` arrives first if not on `path`. */
  #elsewhere(slot: number, path: Path): Path | undefined {
    const best = this.#earliestPath(this.#out.now, this.#laneOf(slot), slot);
    return best === path ? undefined : best;
  }

  /** What must not wait goes ahead of the bulk that is sent again. */
  #sendAgain(now: number, slot: number): void {
    const { queue, resend } = this.#laneOf(slot);
    if (this.#classifier.kind[slot] === KIND.bulk || !queue.hasExpressRoom) resend.push(slot);
    else queue.pushExpress(now, slot, this.#classifier.bucket[slot]!);
  }

  /** Whether what waits may be longer than a link carries. */
  #isAnyTooLong(): boolean {
    for (const path of this.#paths) if (this.#turns.longest > path.packetBytes) return true;
    return false;
  }

  #hasRoom(path: Path): boolean {
    const full = this.#out.batched(path) >= this.#batchLimit;
    this.#keptBack ||= full;
    return !full;
  }

  /** Links that are up; if none is, those that are only suspected. */
  #usable(path: Path): boolean {
    return this.#lanes.common.usable(path);
  }

  #noteIdle(now: number): void {
    for (const path of this.#paths) {
      if (path.live.state === "up" && path.pacer.dueAtUs <= now) path.handleIdle();
    }
  }

  #send(path: Path, slot: number): void {
    const out = this.#out;
    const isFirst = out.sends(slot) === 0;
    const { kind, bucket } = this.#classifier;
    const datagramBytes = out.sendPacket(path, slot, kind[slot]!, bucket[slot]!);
    if (this.#isCommonBulk(slot)) this.#policy.noteSent(path, datagramBytes);
    if (!isFirst) return;
    const earned = this.#resendCredit + RESEND_SHARE * this.#pool.lengths[slot]!;
    this.#resendCredit = Math.min(earned, RESEND_BURST_BYTES);
    if (!this.#copying) return;
    this.#duplicator.handleSent(this.#laneOf(slot), path, slot);
  }

  /** Whether a packet's fate tells if its link is worth using: pinned ones have no choice. */
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
    if (reason === "lost") this.lostPackets++;
    this.#pool.release(slot);
  }
}
