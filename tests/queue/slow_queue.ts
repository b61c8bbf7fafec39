/**
 * FQ-CoDel as RFC 8290 section 4 describes it, over plain arrays, to test `FlowQueue` against. Slow
 * and obvious. CoDel itself is the product's, which has tests of its own.
 *
 * @module
 */

import { Codel } from "../../src/queue/codel.ts";
import { BUCKETS } from "../../src/queue/flow_queue.ts";

const QUANTUM_BYTES = 1514;
const EXPRESS_LIMIT = 64;

export interface Packet {
  readonly slot: number;
  readonly bytes: number;
  readonly at: number;
  readonly ecn: boolean;
}

interface Flow {
  readonly bucket: number;
  readonly packets: Packet[];
  deficit: number;
}

export class SlowQueue {
  readonly express: Packet[] = [];
  /** Every flow that is on a list, even an empty one; new flows before old ones. */
  newFlows: Flow[] = [];
  oldFlows: Flow[] = [];
  readonly dropped: string[] = [];
  readonly marked: number[] = [];
  readonly #codel = new Codel(BUCKETS);

  constructor(readonly limit: number) {}

  get flows(): Flow[] {
    return [...this.newFlows, ...this.oldFlows];
  }

  get waiting(): Packet[] {
    return [...this.express, ...this.flows.flatMap((flow) => flow.packets)];
  }

  pushExpress(packet: Packet, bucket: number): void {
    if (this.express.length < EXPRESS_LIMIT) this.express.push(packet);
    else this.push(packet, bucket);
  }

  push(packet: Packet, bucket: number): void {
    let flow = this.flows.find((other) => other.bucket === bucket);
    if (!flow) {
      flow = { bucket, packets: [], deficit: QUANTUM_BYTES };
      this.newFlows.push(flow);
    }
    flow.packets.push(packet);
    if (this.waiting.length > this.limit) this.#dropFromLongest();
  }

  shift(now: number, mayDrop: boolean): { slot: number; bucket: number } | undefined {
    while (this.flows.length > 0) {
      const fromNew = this.newFlows.length > 0;
      const flow = fromNew ? this.newFlows[0]! : this.oldFlows[0]!;
      if (flow.deficit <= 0) {
        flow.deficit += QUANTUM_BYTES;
        this.#toEndOfOld(flow);
        continue;
      }
      const packet = this.#next(flow, now, mayDrop);
      if (packet) {
        flow.deficit -= packet.bytes;
        return { slot: packet.slot, bucket: flow.bucket };
      }
      if (fromNew) this.#toEndOfOld(flow);
      else this.oldFlows.shift();
    }
    return undefined;
  }

  #next(flow: Flow, now: number, mayDrop: boolean): Packet | undefined {
    for (;;) {
      const packet = flow.packets.shift();
      if (!packet) return undefined;
      if (!mayDrop) {
        this.#codel.excuse(flow.bucket);
        return packet;
      }
      const last = flow.packets.length === 0;
      const verdict = this.#codel.judge(flow.bucket, now, now - packet.at, last);
      if (verdict === "pass") return packet;
      if (packet.ecn) {
        this.marked.push(packet.slot);
        this.#codel.noteMarked(flow.bucket, now, now - packet.at);
        return packet;
      }
      this.dropped.push(`${packet.slot} codel`);
    }
  }

  #toEndOfOld(flow: Flow): void {
    this.newFlows = this.newFlows.filter((other) => other !== flow);
    this.oldFlows = [...this.oldFlows.filter((other) => other !== flow), flow];
  }

  #dropFromLongest(): void {
    const size = (flow: Flow): number => flow.packets.reduce((sum, { bytes }) => sum + bytes, 0);
    const byNumber = this.flows.toSorted((a, b) => a.bucket - b.bucket);
    const longest = byNumber.reduce((most, flow) => size(flow) > size(most) ? flow : most);
    const packet = longest.packets.shift();
    if (packet) this.dropped.push(`${packet.slot} queue-full`);
  }
}
