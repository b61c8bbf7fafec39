/**
 * Which flows send too little to be the ones that fill the links?
 *
 * @module
 */

/** A flow that sends less counts as sparse: bytes per microsecond (1 Mbit/s), and a burst. */
const SPARSE_BYTES_PER_US = 0.125;
const SPARSE_BURST_BYTES = 16_384;

/** A token bucket for each flow. */
export class SparseFlows {
  /** What each flow may still send and be sparse, and when that was computed. */
  readonly #credit: Float64Array;
  readonly #creditAtUs: Float64Array;
  /** Flows that have used up their credit: bulk until it is whole again. */
  readonly #isBulk: Uint8Array;

  constructor(flows: number) {
    this.#credit = new Float64Array(flows).fill(SPARSE_BURST_BYTES);
    this.#creditAtUs = new Float64Array(flows);
    this.#isBulk = new Uint8Array(flows);
  }

  /** Accounts for a packet of `bytes` of a flow; returns whether that flow is sparse. */
  handlePacket(now: number, flow: number, bytes: number): boolean {
    const earned = (now - this.#creditAtUs[flow]!) * SPARSE_BYTES_PER_US;
    const credit = Math.min(SPARSE_BURST_BYTES, this.#credit[flow]! + earned);
    this.#creditAtUs[flow] = now;
    this.#credit[flow] = Math.max(credit - bytes, 0);
    if (credit < bytes) this.#isBulk[flow] = 1;
    else if (credit === SPARSE_BURST_BYTES) this.#isBulk[flow] = 0;
    return this.#isBulk[flow] === 0;
  }
}
