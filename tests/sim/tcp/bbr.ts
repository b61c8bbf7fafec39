/**
 * BBR version 1 as Linux ships it (Cardwell and others, "BBR: Congestion-Based Congestion
 * Control", ACM Queue 2016; draft-cardwell-iccrg-bbr-congestion-control-00), without
 * its detection of policers: paces at the highest delivery rate of ten round
 * trips and keeps the product of that and the shortest round trip in flight.
 *
 * @module
 */

import type { Congestion, InFlight, SenderState } from "./congestion.ts";
import { INITIAL_WINDOW } from "./cubic.ts";
import { RateSampler } from "./rate_sampler.ts";
import { WindowedMax } from "./windowed_max.ts";

/** 2/ln 2: doubles the rate each round trip. */
const HIGH_GAIN = 2.885;
/** Gains of one cycle: look for more, drain what that queued, cruise. */
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
const WINDOW_GAIN = 2;
const RATE_ROUNDS = 10;
const BURST_ROUNDS = 10;
const MIN_RTT_US = 10_000_000;
const PROBE_RTT_US = 200_000;
const MIN_WINDOW = 4;
/** Start-up ends when the rate grows by less than this for this many round trips. */
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
/** Linux paces a little below the estimate. */
const PACE_MARGIN = 0.99;
/** Segments sent at once: a millisecond's worth, within these bounds. */
const QUANTUM_US = 1000;
const MAX_QUANTUM = 44;

/** Model-based congestion control. */
export class Bbr implements Congestion {
  cwnd = INITIAL_WINDOW;
  paceUs = 0;
  #mode: "startup" | "drain" | "probe_bw" | "probe_rtt" = "startup";
  readonly #sampler = new RateSampler();
  readonly #rate = new WindowedMax(RATE_ROUNDS);
  readonly #burst = new WindowedMax(BURST_ROUNDS);
  #round = 0;
  #roundEnd = 0;
  #roundStart = false;
  #minRttUs = Infinity;
  #minRttAt = 0;
  #fullRate = 0;
  #fullCount = 0;
  #full = false;
  #phase = 2;
  #phaseAt = 0;
  #probeRttEnd = Infinity;
  #probeRttRound = 0;
  #priorWindow = 0;
  #conserve = false;
  #burstAt = 0;
  #burstSegments = 0;

  get note(): string {
    return ` ${this.#mode} ${(1 / this.paceUs * 11.4e3).toFixed(1)}M`;
  }

  onSend(now: number, segment: number, board: InFlight, limited: boolean): void {
    this.#sampler.onSend(now, segment, board.pipe, limited);
  }

  onArrive(now: number, segment: number, sentAtUs: number): void {
    this.#sampler.onArrive(now, segment, sentAtUs);
  }

  onAck(
    now: number,
    board: InFlight,
    state: SenderState,
    _progress: boolean,
    lost: number,
  ): void {
    this.#sampleRate(board);
    this.#sampleBurst(now, board.delivered);
    this.#advance(now, board, lost);
    this.#sampleRtt(now, board);
    this.#setPace();
    this.#setWindow(board, state, lost);
  }

  onEnter(before: SenderState, state: SenderState, board: InFlight): void {
    if (before === "open") this.#saveWindow();
    this.#conserve = true;
    this.#roundEnd = this.#sampler.delivered;
    if (state === "loss") this.#fullRate = 0;
    this.cwnd = (state === "loss" ? 0 : board.pipe) + Math.max(1, board.delivered);
  }

  onRepaired(): void {
    this.#conserve = false;
    this.cwnd = Math.max(this.cwnd, this.#priorWindow);
  }

  onUndo(): void {
    this.onRepaired();
    this.#fullRate = this.#fullCount = 0;
  }

  onIdle(): void {}

  #sampleRate(board: InFlight): void {
    const sampler = this.#sampler;
    this.#roundStart = board.delivered > 0 && sampler.priorDelivered >= this.#roundEnd;
    if (this.#roundStart) {
      this.#roundEnd = sampler.delivered;
      this.#round++;
      this.#conserve = false;
    }
    const rate = sampler.take(board.minRttUs);
    if (rate > 0 && (!sampler.limited || rate >= this.#rate.value)) {
      this.#rate.add(this.#round, rate);
    }
    if (this.#roundStart && !sampler.limited) this.#watchGrowth();
  }

  #watchGrowth(): void {
    if (this.#full) return;
    if (this.#rate.value >= this.#fullRate * FULL_GROWTH) {
      this.#fullRate = this.#rate.value;
      this.#fullCount = 0;
    } else this.#full = ++this.#fullCount >= FULL_ROUNDS;
  }

  /** Acknowledgements that come in bursts need a larger window to keep the line busy. */
  #sampleBurst(now: number, delivered: number): void {
    const expected = this.#rate.value * (now - this.#burstAt);
    if (this.#burstSegments <= expected) {
      this.#burstSegments = 0;
      this.#burstAt = now;
    }
    this.#burstSegments += delivered;
    const extra = this.#burstSegments - this.#rate.value * (now - this.#burstAt);
    this.#burst.add(this.#round, Math.min(Math.max(0, extra), this.cwnd));
  }

  #advance(now: number, board: InFlight, lost: number): void {
    if (this.#mode === "startup" && this.#full) this.#mode = "drain";
    if (this.#mode === "drain" && board.pipe <= this.#inFlight(1)) this.#cruise(now);
    if (this.#mode !== "probe_bw") return;
    const gain = CYCLE[this.#phase]!;
    const elapsed = now - this.#phaseAt > this.#minRttUs;
    const next = gain > 1
      ? elapsed && (lost > 0 || board.pipe >= this.#inFlight(gain))
      : elapsed || (gain < 1 && board.pipe <= this.#inFlight(1));
    if (!next) return;
    this.#phase = (this.#phase + 1) % CYCLE.length;
    this.#phaseAt = now;
  }

  #cruise(now: number): void {
    this.#mode = "probe_bw";
    this.#phase = 2;
    this.#phaseAt = now;
  }

  #sampleRtt(now: number, board: InFlight): void {
    const stale = now > this.#minRttAt + MIN_RTT_US;
    if (board.rttUs > 0 && (board.rttUs <= this.#minRttUs || stale)) {
      this.#minRttUs = board.rttUs;
      this.#minRttAt = now;
    }
    if (stale && this.#mode !== "probe_rtt") {
      this.#saveWindow();
      this.#mode = "probe_rtt";
      this.#probeRttEnd = Infinity;
    }
    if (this.#mode === "probe_rtt") this.#probeRtt(now, board);
  }

  #probeRtt(now: number, board: InFlight): void {
    this.#sampler.excuse(board.pipe); // as bbr_update_min_rtt does
    if (this.#probeRttEnd === Infinity) {
      if (board.pipe > MIN_WINDOW) return;
      this.#probeRttEnd = now + PROBE_RTT_US;
      this.#probeRttRound = this.#round;
    } else if (now >= this.#probeRttEnd && this.#round > this.#probeRttRound) {
      this.#minRttAt = now;
      this.cwnd = Math.max(this.cwnd, this.#priorWindow);
      if (this.#full) this.#cruise(now);
      else this.#mode = "startup";
    }
  }

  #setPace(): void {
    const gain = this.#mode === "startup"
      ? HIGH_GAIN
      : this.#mode === "drain"
      ? 1 / HIGH_GAIN
      : this.#mode === "probe_bw"
      ? CYCLE[this.#phase]!
      : 1;
    if (this.#rate.value === 0) return;
    const paceUs = 1 / (this.#rate.value * gain * PACE_MARGIN);
    if (this.#full || this.paceUs === 0 || paceUs < this.paceUs) this.paceUs = paceUs;
  }

  #setWindow(board: InFlight, state: SenderState, lost: number): void {
    const { delivered } = board;
    if (lost > 0 && state !== "open") this.cwnd = Math.max(1, this.cwnd - lost);
    if (this.#conserve) {
      this.cwnd = Math.max(this.cwnd, board.pipe + delivered);
    } else if (delivered > 0) {
      const starts = this.#mode === "startup" || this.#mode === "drain";
      const target = this.#inFlight(starts ? HIGH_GAIN : WINDOW_GAIN) +
        (this.#full ? this.#burst.value : 0);
      if (this.#full) this.cwnd = Math.min(this.cwnd + delivered, target);
      else if (this.cwnd < target || this.#sampler.delivered < INITIAL_WINDOW) {
        this.cwnd += delivered;
      }
      this.cwnd = Math.max(this.cwnd, MIN_WINDOW);
    }
    if (this.#mode === "probe_rtt") this.cwnd = Math.min(this.cwnd, MIN_WINDOW);
  }

  /** Segments in flight that use the line by `gain`, and the bursts that leave at once. */
  #inFlight(gain: number): number {
    if (this.#minRttUs === Infinity) return INITIAL_WINDOW;
    const quantum = Math.min(MAX_QUANTUM, Math.max(1, this.#rate.value * QUANTUM_US));
    return Math.ceil(gain * this.#rate.value * this.#minRttUs + 3 * quantum);
  }

  #saveWindow(): void {
    const limited = this.#conserve || this.#mode === "probe_rtt";
    this.#priorWindow = limited ? Math.max(this.#priorWindow, this.cwnd) : this.cwnd;
  }
}
