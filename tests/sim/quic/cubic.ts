/**
 * CUBIC as QUIC has it (RFC 9002 section 7): slow start lasts until the first loss, and a loss
 * lowers the window at once.
 *
 * @module
 */

import type { Congestion, InFlight, SenderState } from "../tcp/congestion.ts";
import { Cubic } from "../tcp/cubic.ts";

/** After persistent congestion (RFC 9002 section 7.6). */
const LEAST_WINDOW = 2;
/** Of RFC 9438 section 4.7: (1 + 0.7) / 2. */
const TWICE = 0.85;

/** Loss-based congestion control. */
export class QuicCubic implements Congestion {
  readonly paceUs = 0;
  readonly #cubic = new Cubic(false);
  /** Where the window was at the last loss. */
  #wMax = 0;

  get cwnd(): number {
    return this.#cubic.cwnd;
  }

  get note(): string {
    const { ssthresh } = this.#cubic;
    return ssthresh === Infinity ? "" : ` ss${ssthresh.toFixed(0)}`;
  }

  onSend(): void {}

  onArrive(): void {}

  onAck(
    now: number,
    flight: InFlight,
    state: SenderState,
    _progress: boolean,
    _lost: number,
    limited: boolean,
  ): void {
    if (state !== "open" || flight.delivered === 0 || limited) return;
    this.#cubic.onAck(now, flight.delivered, flight.rttUs, flight.una, flight.next);
  }

  onEnter(before: SenderState, state: SenderState): void {
    if (before === "open") this.#onLoss();
    this.#cubic.cwnd = state === "loss" ? LEAST_WINDOW : this.#cubic.ssthresh;
  }

  /** quinn up to 0.11 lowers the window twice where it was lower than at the loss before. */
  #onLoss(): void {
    const { cwnd } = this.#cubic;
    this.#cubic.onLoss();
    if (cwnd < this.#wMax) this.#cubic.ssthresh *= TWICE;
    this.#wMax = cwnd < this.#wMax ? TWICE * cwnd : cwnd;
  }

  onRepaired(): void {}

  onUndo(): void {}

  onIdle(): void {}
}
