/**
 * Does the peer know what a link carries to it? That is told with probes, from when it was found
 * out or has changed until one of them was answered. Normative text: docs/protocol.md section 6.9.
 *
 * @module
 */

import { LinkNews } from "./link_news.ts";

/** News that was not answered is told again after this, in microseconds. */
const REPEAT_US = 500_000;

/** What was told of one link. */
export class MtuNews {
  readonly #news = new LinkNews();
  #toldBytes = 0;
  #toldAtUs = 0;

  /** Whether probes are to say it. */
  get pending(): boolean {
    return this.#news.pending;
  }

  /**
   * Whether a probe is to leave for it now: what is known has changed, or was told in vain.
   * `knownBytes` is 0 while nothing is; `lastProbe` the number of the newest probe.
   */
  poll(now: number, knownBytes: number, lastProbe: number): boolean {
    const isNew = knownBytes !== this.#toldBytes;
    if (!isNew && !(this.pending && now >= this.#toldAtUs + REPEAT_US)) return false;
    if (isNew) this.#news.begin(lastProbe);
    this.#toldBytes = knownBytes;
    this.#toldAtUs = now;
    return true;
  }

  /** Probe `number` was answered. */
  handleProbeAck(number: number): void {
    this.#news.handleProbeAck(number);
  }

  /** A new session begins. */
  handleNewSession(lastProbe: number): void {
    this.#news.handleNewSession(lastProbe);
  }
}
