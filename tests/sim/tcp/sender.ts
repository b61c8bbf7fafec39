/**
 * The sending half of a TCP flow: RACK-TLP (RFC 8985), retransmission timeout (RFC 6298
 * with Linux' 200 ms minimum) and the undoing of false alarms by time stamps and
 * duplicate reports (RFC 3522, RFC 3708). How much is sent is decided by its {@linkcode Congestion}
 * control.
 *
 * @module
 */

import { Bbr } from "./bbr.ts";
import type { Congestion, CongestionName, SenderState } from "./congestion.ts";
import { CubicControl } from "./cubic_control.ts";
import { Scoreboard } from "./scoreboard.ts";

const MIN_RTO_US = 200_000;
const MAX_RTO_US = 120_000_000;
const INITIAL_RTO_US = 1_000_000;
/** Allowance of a tail probe for a delayed acknowledgement (RFC 8985 section 7.2). */
const MAX_ACK_DELAY_US = 200_000;
/** Paced segments leave in bursts of a millisecond, within these bounds, as segmentation offload makes them. */
const BURST_US = 1000;
const MIN_BURST = 2;
const MAX_BURST = 44;

/** What a sender asks of its connection. */
export interface SegmentSender {
  sendSegment(now: number, segment: number): void;
  /** Arms the timer that leads to {@linkcode Sender.onTimer}; Infinity disarms it. */
  armTimer(at: number): void;
}

/** One acknowledgement in segment numbers. */
export interface Ack {
  next: number;
  /** Segments the receiver has room for beyond `next`. */
  window: number;
  /** Echoed time stamp in milliseconds. */
  tsEcho: number;
  sackCount: number;
  readonly sackStart: Float64Array;
  readonly sackEnd: Float64Array;
}

/** Options of a sender. */
export interface SenderOptions {
  readonly congestion?: CongestionName;
  readonly hystart?: boolean;
  /** Segments to send; more can be offered. Endless when absent. */
  readonly limit?: number;
}

/** The sender of one flow. */
export class Sender {
  readonly board: Scoreboard;
  readonly congestion: Congestion;
  /** Segments sent again, recoveries entered and undone, timeouts. */
  resent = 0;
  recoveries = 0;
  undone = 0;
  timeouts = 0;
  #state: SenderState = "open";
  #recoveryEnd = 0;
  #windowEnd = 10;
  #rttvarUs = 0;
  #rtoUs = INITIAL_RTO_US;
  #backoff = 1;
  #rtoAt = Infinity;
  #reorderAt = Infinity;
  #probeAtUs = Infinity;
  #probed = false;
  #firstResendMs = -1;
  #undoResends = 0;
  #limit: number;
  /** When pacing allows the next burst, what is left of this one, when to go on (or Infinity). */
  #burstAt = 0;
  #burst = 0;
  #pacedUntil = Infinity;
  #sentAtUs = 0;

  constructor(readonly io: SegmentSender, options: SenderOptions = {}) {
    const { congestion = "cubic", hystart, limit = Infinity } = options;
    const control = congestion === "bbr" ? new Bbr() : new CubicControl(hystart);
    this.congestion = control;
    this.#limit = limit;
    this.board = new Scoreboard((now, segment, sentAtUs) =>
      control.onArrive(now, segment, sentAtUs)
    );
  }

  start(now: number): void {
    this.#sendMore(now);
  }

  /** The application has `segments` more. */
  offer(now: number, segments: number): void {
    const idle = this.board.una === this.board.next;
    if (idle && now - this.#sentAtUs > this.#rtoUs) this.congestion.onIdle();
    this.#limit += segments;
    this.#sendMore(now);
  }

  onAck(now: number, ack: Ack): void {
    const board = this.board;
    const una = board.una;
    const lostBefore = board.lost;
    board.beginAck();
    this.#windowEnd = Math.max(this.#windowEnd, ack.next + ack.window);
    const duplicate = this.#takeDuplicate(now, ack);
    board.onCumulative(now, ack.next);
    for (let i = duplicate ? 1 : 0; i < ack.sackCount; i++) {
      board.onSelective(now, ack.sackStart[i]!, ack.sackEnd[i]!);
    }
    if (board.rttUs > 0) this.#sampleRtt(board.rttUs);
    if (board.una > una) this.#onProgress(now, ack.tsEcho);
    this.#reorderAt = board.detectLosses(now, this.#state !== "open");
    this.#react();
    this.#control(now, board.una > una, Math.max(0, board.lost - lostBefore));
    this.#sendMore(now);
  }

  /** The armed timer is due. */
  onTimer(now: number): void {
    if (now >= this.#reorderAt) {
      const lostBefore = this.board.lost;
      this.board.beginAck();
      this.#reorderAt = this.board.detectLosses(now, this.#state !== "open");
      this.#react();
      this.#control(now, false, this.board.lost - lostBefore);
      this.#sendMore(now);
    } else if (now >= this.#probeAtUs) this.#probe(now);
    else if (now >= this.#rtoAt) this.#onTimeout(now);
    else if (now >= this.#pacedUntil) this.#sendMore(now);
    this.#arm();
  }

  get state(): string {
    return this.#state;
  }

  #onProgress(now: number, tsEcho: number): void {
    this.#backoff = 1;
    this.#probed = false;
    this.#setRto(now);
    if (this.#state === "open") return;
    if (this.#firstResendMs >= 0 && tsEcho < this.#firstResendMs) this.#undo(now);
    else if (this.board.una >= this.#recoveryEnd) {
      this.congestion.onRepaired(this.#state);
      this.#state = "open";
      this.board.onRecoveryEnd();
    } else this.#firstResendMs = -1;
  }

  /** Handles a report of a duplicate in the first block (RFC 2883); returns whether it was one. */
  #takeDuplicate(now: number, ack: Ack): boolean {
    if (ack.sackCount === 0) return false;
    const start = ack.sackStart[0]!;
    const end = ack.sackEnd[0]!;
    const inside = ack.sackCount > 1 && start >= ack.sackStart[1]! && end <= ack.sackEnd[1]!;
    if (start >= ack.next && !inside) return false;
    this.board.onDuplicate(now);
    if (this.#undoResends > 0 && --this.#undoResends === 0) this.#undo(now);
    return true;
  }

  #react(): void {
    if (this.board.lost === 0 || this.#state !== "open") return;
    this.recoveries++;
    this.#enter("recovery");
  }

  #control(now: number, progress: boolean, lost: number): void {
    const limited = this.board.next >= this.#limit;
    this.congestion.onAck(now, this.board, this.#state, progress, lost, limited);
  }

  #enter(state: SenderState): void {
    if (this.#state === "open") {
      this.#undoResends = this.board.resentInFlight;
      if (this.#undoResends === 0) this.#firstResendMs = -1;
    }
    this.congestion.onEnter(this.#state, state, this.board);
    this.#state = state;
    this.#recoveryEnd = this.board.next;
    this.#probeAtUs = Infinity;
  }

  #undo(now: number): void {
    this.undone++;
    this.board.unmarkLost(now);
    this.congestion.onUndo();
    this.#state = "open";
    this.#undoResends = 0;
  }

  #sendMore(now: number): void {
    const board = this.board;
    const window = Math.floor(this.congestion.cwnd);
    this.#pacedUntil = Infinity;
    while (board.pipe < window) {
      if (!this.#mayLeave(now)) break;
      const lost = board.nextLost();
      if (lost >= 0) this.#resend(now, lost);
      else if (this.#hasMore) this.#send(now, board.next);
      else break;
    }
    this.#armProbe(now);
    this.#arm();
  }

  get #hasMore(): boolean {
    const { board } = this;
    return board.next < Math.min(this.#windowEnd, this.#limit) && board.hasRoom;
  }

  /** Whether pacing allows a segment; if not, notes when it will. */
  #mayLeave(now: number): boolean {
    const { paceUs } = this.congestion;
    if (paceUs === 0 || this.#burst > 0) return true;
    if (now < this.#burstAt) {
      this.#pacedUntil = this.#burstAt;
      return false;
    }
    this.#burst = Math.min(MAX_BURST, Math.max(MIN_BURST, Math.floor(BURST_US / paceUs)));
    this.#burstAt = now + this.#burst * paceUs;
    return true;
  }

  #resend(now: number, segment: number): void {
    if (this.#firstResendMs < 0 && this.#undoResends === 0) {
      this.#firstResendMs = Math.floor(now / 1000);
    }
    this.#undoResends++;
    this.resent++;
    this.#send(now, segment);
  }

  #send(now: number, segment: number): void {
    this.congestion.onSend(now, segment, this.board, this.board.next >= this.#limit - 1);
    this.board.onSend(now, segment);
    this.#sentAtUs = now;
    if (this.#burst > 0) this.#burst--;
    if (this.#rtoAt === Infinity) this.#setRto(now);
    this.io.sendSegment(now, segment);
  }

  #probe(now: number): void {
    const board = this.board;
    this.#probeAtUs = Infinity;
    this.#probed = true;
    this.#setRto(now);
    if (this.#hasMore) this.#send(now, board.next);
    else if (board.next > board.una) this.#resend(now, board.next - 1);
  }

  #onTimeout(now: number): void {
    this.timeouts++;
    this.#enter("loss");
    this.board.markAllLost();
    this.#backoff = Math.min(64, this.#backoff * 2);
    this.#reorderAt = Infinity;
    this.#setRto(now);
    this.#sendMore(now);
  }

  #sampleRtt(us: number): void {
    const board = this.board;
    if (board.srttUs === 0) {
      board.srttUs = us;
      this.#rttvarUs = us / 2;
    } else {
      this.#rttvarUs += (Math.abs(us - board.srttUs) - this.#rttvarUs) / 4;
      board.srttUs += (us - board.srttUs) / 8;
    }
    this.#rtoUs = board.srttUs + Math.max(MIN_RTO_US, 4 * this.#rttvarUs);
  }

  #setRto(now: number): void {
    const idle = this.board.una === this.board.next;
    this.#rtoAt = idle ? Infinity : now + Math.min(MAX_RTO_US, this.#rtoUs * this.#backoff);
  }

  #armProbe(now: number): void {
    const { pipe, sacked, srttUs } = this.board;
    const eligible = this.#state === "open" && sacked === 0 && !this.#probed && srttUs > 0;
    const waitUs = 2 * srttUs + (pipe === 1 ? MAX_ACK_DELAY_US : 2000);
    this.#probeAtUs = eligible && pipe > 0 ? Math.min(now + waitUs, this.#rtoAt) : Infinity;
  }

  #arm(): void {
    this.io.armTimer(Math.min(this.#reorderAt, this.#probeAtUs, this.#rtoAt, this.#pacedUntil));
  }
}
