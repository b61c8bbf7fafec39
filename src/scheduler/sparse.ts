/**
 * Which flows send too little to be the ones that fill the links?
 *
 * @module
 */

import type { Path } from "../links/path.ts";

/** What a flow may send and count as sparse: a rate, and at once. */
interface Limit {
  readonly bytesPerUs: number;
  readonly burstBytes: number;
}

/** 1 Mbit/s. */
const SPARSE: Limit = { bytesPerUs: 0.125, burstBytes: 16_384 };
/** What is not TCP may be the picture of a call: 3 Mbit/s, a few frames at once. */
const MEDIA: Limit = { bytesPerUs: 0.375, burstBytes: 49_152 };
/** ... unless that is more than this share of what the links carry. */
const MEDIA_SHARE = 0.25;
/** Links are asked so often what they carry, in microseconds. */
const EVERY_US = 100_000;

/** A token bucket for each flow. */
export class SparseFlows {
  /** What each flow may still send and be sparse, and when that was computed. */
  readonly #credit: Float64Array;
  readonly #creditAtUs: Float64Array;
  /** Flows that have used up their credit: bulk until it is whole again. */
  readonly #isBulk: Uint8Array;
  readonly #paths: readonly Path[];
  #isRoom = false;
  #lookedAtUs = -Infinity;

  constructor(flows: number, paths: readonly Path[]) {
    this.#paths = paths;
    this.#credit = new Float64Array(flows).fill(SPARSE.burstBytes);
    this.#creditAtUs = new Float64Array(flows);
    this.#isBulk = new Uint8Array(flows);
  }

  /** Accounts for a packet of `bytes` of a flow; returns whether that flow is sparse. */
  handlePacket(now: number, flow: number, bytes: number, isTcp: boolean): boolean {
    const { bytesPerUs, burstBytes } = !isTcp && this.#isRoomForMedia(now) ? MEDIA : SPARSE;
    const earned = (now - this.#creditAtUs[flow]!) * bytesPerUs;
    const credit = Math.min(burstBytes, this.#credit[flow]! + earned);
    this.#creditAtUs[flow] = now;
    this.#credit[flow] = Math.max(credit - bytes, 0);
    if (credit < bytes) this.#isBulk[flow] = 1;
    else if (credit === burstBytes) this.#isBulk[flow] = 0;
    return this.#isBulk[flow] === 0;
  }

  #isRoomForMedia(now: number): boolean {
    if (now < this.#lookedAtUs + EVERY_US) return this.#isRoom;
    this.#lookedAtUs = now;
    let sumBps = 0;
    for (const path of this.#paths) if (path.live.state === "up") sumBps += path.rate.rateBps;
    return this.#isRoom = MEDIA_SHARE * sumBps >= MEDIA.bytesPerUs * 8e6;
  }
}
