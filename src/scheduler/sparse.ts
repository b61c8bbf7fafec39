/**
 * Which flows send too little to be the ones that fill the links?
 *
 * @module
 */

import type { Path } from "../links/path.ts";

/** A flow that sends less counts as sparse: bytes per microsecond (1 Mbit/s), ... */
const SPARSE_BYTES_PER_US = 0.125;
/** ... and what is not TCP, since it may be the picture of a call: up to 3 Mbit/s, ... */
const PICTURE_BYTES_PER_US = 0.375;
/** ... where that is no more than this share of what the links carry. */
const PICTURE_SHARE = 0.5;
/**
 * ... and only in a flow that has not filled the links for so long, in microseconds: QUIC is to have
 * its order restored with patience also while it is slow.
 */
const FORGIVEN_US = 10_000_000;
/** At once, in microseconds of such a rate: 16 KiB at 1 Mbit/s. */
const BURST_US = 131_072;
/** Links are asked so often what they carry, in microseconds. */
const EVERY_US = 100_000;

/** A token bucket for each flow. */
export class SparseFlows {
  /** What each flow may still send and be sparse, and when that was computed. */
  readonly #credit: Float64Array;
  readonly #creditAtUs: Float64Array;
  /** Flows that have used up their credit: bulk until it is whole again. */
  readonly #isBulk: Uint8Array;
  /** When each flow was last found to be bulk. */
  readonly #filledAtUs: Float64Array;
  readonly #paths: readonly Path[];
  #pictureBytesPerUs = SPARSE_BYTES_PER_US;
  #lookedAtUs = -Infinity;

  constructor(flows: number, paths: readonly Path[]) {
    this.#paths = paths;
    this.#credit = new Float64Array(flows).fill(SPARSE_BYTES_PER_US * BURST_US);
    this.#creditAtUs = new Float64Array(flows);
    this.#isBulk = new Uint8Array(flows);
    this.#filledAtUs = new Float64Array(flows).fill(-Infinity);
  }

  /** Accounts for a packet of `bytes` of a flow; returns whether that flow is sparse. */
  handlePacket(now: number, flow: number, bytes: number, isTcp: boolean): boolean {
    const bytesPerUs = isTcp || now < this.#filledAtUs[flow]! + FORGIVEN_US
      ? SPARSE_BYTES_PER_US
      : this.#pictureRate(now);
    const burstBytes = bytesPerUs * BURST_US;
    const earned = (now - this.#creditAtUs[flow]!) * bytesPerUs;
    const credit = Math.min(burstBytes, this.#credit[flow]! + earned);
    this.#creditAtUs[flow] = now;
    this.#credit[flow] = Math.max(credit - bytes, 0);
    if (credit < bytes) {
      this.#isBulk[flow] = 1;
      this.#filledAtUs[flow] = now;
    } else if (credit >= burstBytes) this.#isBulk[flow] = 0;
    return this.#isBulk[flow] === 0;
  }

  #pictureRate(now: number): number {
    if (now < this.#lookedAtUs + EVERY_US) return this.#pictureBytesPerUs;
    this.#lookedAtUs = now;
    let sumBps = 0;
    for (const path of this.#paths) if (path.live.state === "up") sumBps += path.rate.rateBps;
    const share = PICTURE_SHARE * sumBps / 8e6;
    const bytesPerUs = Math.min(Math.max(share, SPARSE_BYTES_PER_US), PICTURE_BYTES_PER_US);
    return this.#pictureBytesPerUs = bytesPerUs;
  }
}
