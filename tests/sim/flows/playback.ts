/**
 * Somebody watches a film: pieces of it are fetched one after the other into a buffer that is kept
 * full, and the film stops when it runs dry.
 *
 * @module
 */

import type { Network } from "./flow.ts";
import { RequestFlow } from "./requests.ts";

/** A piece of the film, and what the player keeps of it, in microseconds. */
const PIECE_US = 2_000_000;
const BUFFER_US = 8_000_000;

/** A film over one connection of the client. */
export class PlaybackFlow extends RequestFlow {
  /** How long the film stood still since it began, in microseconds. */
  stalledUs = 0;
  /** What is left to be shown, and when that was computed. */
  #leftUs = 0;
  #atUs = -1;

  constructor(network: Network, port: number, mtu: number, mbps: number) {
    const responseBytes = mbps * PIECE_US / 8;
    super(network, port, { mtu, responseBytes, thinkUs: 0 });
  }

  override stop(): void {
    this.#show(this.network.queue.now);
    super.stop();
  }

  protected override pauseUs(now: number): number {
    this.#show(now);
    this.#leftUs += PIECE_US;
    return Math.max(0, this.#leftUs - BUFFER_US);
  }

  #show(now: number): void {
    const shownUs = this.#atUs < 0 ? 0 : now - this.#atUs;
    this.stalledUs += Math.max(0, shownUs - this.#leftUs);
    this.#leftUs = Math.max(0, this.#leftUs - shownUs);
    this.#atUs = now;
  }
}
