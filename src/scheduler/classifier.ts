/**
 * How to treat each packet that waits or is in flight, by slot: its lane, its flow, how much its
 * user minds waiting, and whether it leaves on several links.
 *
 * Decided once, when the packet arrives: by the rule that it matches, else by its header.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { BUCKETS } from "../queue/flow_queue.ts";
import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import { KIND, type Kind, type PacketInfo } from "../wire/ip.ts";
import { PROTOCOL_TCP } from "../wire/ip_layout.ts";
import type { Lanes } from "./lanes.ts";
import type { Policy } from "./policy.ts";
import { COPIES, type Rules, UNSAID } from "./rules.ts";
import { SparseFlows } from "./sparse.ts";

/** What the packets of one peer are. Entries are by slot. */
export class Classifier {
  readonly kind: Uint8Array;
  /** Flow bucket. */
  readonly bucket: Uint16Array;
  /** Number of the lane. */
  readonly lane: Uint8Array;
  /** One of {@linkcode COPIES}. */
  readonly copies: Uint8Array;
  /** 1 for TCP: the packet itself does not say it any more when its headers are compressed. */
  readonly isTcp: Uint8Array;

  readonly #pool: PacketPool;
  readonly #rules: Rules;
  readonly #lanes: Lanes;
  readonly #policy: Policy;
  readonly #sparse: SparseFlows;

  /** @param before what was decided by other rules about packets that are still there */
  constructor(
    pool: PacketPool,
    rules: Rules,
    lanes: Lanes,
    policy: Policy,
    paths: readonly Path[],
    before?: Classifier,
  ) {
    this.#sparse = before ? before.#sparse : new SparseFlows(BUCKETS, paths);
    this.#pool = pool;
    this.#rules = rules;
    this.#lanes = lanes;
    this.#policy = policy;
    this.kind = before?.kind ?? new Uint8Array(pool.count);
    this.bucket = before?.bucket ?? new Uint16Array(pool.count);
    this.copies = before?.copies ?? new Uint8Array(pool.count);
    this.isTcp = before?.isTcp ?? new Uint8Array(pool.count);
    const numbers = before && lanes.numbersFrom(before.#lanes);
    this.lane = numbers
      ? before.lane.map((lane) => numbers[lane] ?? 0)
      : new Uint8Array(pool.count);
  }

  /** Decides for the packet in `slot`. */
  decide(now: number, slot: number, info: PacketInfo): void {
    const rule = this.#ruleOf(slot, info);
    const bucket = this.#place(slot, info, rule);
    const kind = this.#kindOf(now, slot, info, bucket, rule);
    this.kind[slot] = kind;
    this.copies[slot] = this.#copiesOf(kind, rule);
    this.isTcp[slot] = info.protocol === PROTOCOL_TCP ? 1 : 0;
  }

  /** Decides where a packet waits that was classified by other rules. */
  move(slot: number, info: PacketInfo): void {
    this.#place(slot, info, this.#ruleOf(slot, info));
  }

  /** Returns the flow bucket. */
  #place(slot: number, info: PacketInfo, rule: number): number {
    const lane = rule < 0 ? 0 : this.#lanes.ofRule[rule]!;
    const bucket = this.#lanes.at(lane).bucketOf(info.flowHash);
    this.lane[slot] = lane;
    this.bucket[slot] = bucket;
    return bucket;
  }

  #ruleOf(slot: number, info: PacketInfo): number {
    return this.#rules.match(this.#pool.bytes, this.#pool.at(slot) + PACKET_OFFSET, info);
  }

  /** Makes bulk of a flow that sends little interactive, unless a rule says otherwise. */
  #kindOf(now: number, slot: number, info: PacketInfo, bucket: number, rule: number): Kind {
    const said = rule < 0 ? UNSAID : this.#rules.kinds[rule]!;
    if (said === KIND.bulk) return KIND.bulk;
    if (info.kind !== KIND.bulk) return info.kind;
    if (said === KIND.interactive) return KIND.interactive;
    const bytes = this.#pool.lengths[slot]!;
    const isTcp = info.protocol === PROTOCOL_TCP;
    const sparse = this.#sparse.handlePacket(now, bucket, bytes, isTcp);
    return sparse ? KIND.interactive : KIND.bulk;
  }

  #copiesOf(kind: Kind, rule: number): number {
    const said = rule < 0 ? UNSAID : this.#rules.copies[rule]!;
    if (said !== UNSAID) return said;
    return this.#policy.copies(kind === KIND.bulk ? COPIES.off : this.#rules.interactiveCopies);
  }
}
