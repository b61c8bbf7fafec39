/**
 * CUBIC with what surrounds it in Linux: proportional rate reduction (RFC 6937) while
 * losses are repaired, and the way back when they were none.
 *
 * @module
 */

import type { Congestion, InFlight, SenderState } from "./congestion.ts";
import { Cubic, INITIAL_WINDOW } from "./cubic.ts";

/** Loss-based congestion control. */
export class CubicControl implements Congestion {
  readonly paceUs = 0;
  readonly #cubic: Cubic;
  #prrDelivered = 0;
  #prrOut = 0;
  #flightAtLoss = 0;
  #priorWindow = 0;
  #priorThreshold = 0;

  constructor(hystart = true) {
    this.#cubic = new Cubic(hystart);
  }

  get cwnd(): number {
    return this.#cubic.cwnd;
  }

  get note(): string {
    const { ssthresh } = this.#cubic;
    return ssthresh === Infinity ? "" : ` ss${ssthresh.toFixed(0)}`;
  }

  onSend(): void {
    this.#prrOut++;
  }

  onArrive(): void {}

  onAck(
    now: number,
    board: InFlight,
    state: SenderState,
    progress: boolean,
    lost: number,
    limited: boolean,
  ): void {
    if (state === "recovery") this.#reduce(board, lost > 0);
    else if (board.delivered > 0 && progress && !limited) {
      this.#cubic.onAck(now, board.delivered, board.rttUs, board.una, board.next);
    }
  }

  onEnter(before: SenderState, state: SenderState, board: InFlight): void {
    if (before === "open") {
      this.#priorWindow = this.#cubic.cwnd;
      this.#priorThreshold = this.#cubic.ssthresh;
      this.#cubic.onLoss();
    }
    this.#flightAtLoss = Math.max(1, board.next - board.una);
    this.#prrDelivered = this.#prrOut = 0;
    if (state === "loss") this.#cubic.cwnd = 1;
  }

  onRepaired(state: SenderState): void {
    if (state === "recovery") this.#cubic.cwnd = this.#cubic.ssthresh;
  }

  onUndo(): void {
    this.#cubic.onUndo(this.#priorWindow, this.#priorThreshold);
  }

  onIdle(): void {
    this.#cubic.cwnd = Math.min(this.#cubic.cwnd, INITIAL_WINDOW);
  }

  /** RFC 6937: sends in proportion to what arrives until the window has shrunk. */
  #reduce(board: InFlight, freshLoss: boolean): void {
    const { pipe, delivered } = board;
    const target = this.#cubic.ssthresh;
    this.#prrDelivered += delivered;
    let quota: number;
    if (pipe > target) {
      quota = Math.ceil(this.#prrDelivered * target / this.#flightAtLoss) - this.#prrOut;
    } else {
      quota = Math.max(this.#prrDelivered - this.#prrOut, delivered);
      if (!freshLoss && delivered > 0) quota++;
      quota = Math.min(target - pipe, quota);
    }
    if (this.#prrOut === 0) quota = Math.max(1, quota);
    this.#cubic.cwnd = pipe + Math.max(0, Math.floor(quota));
  }
}
