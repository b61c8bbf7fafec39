/**
 * The sending half of a bulk TCP flow: CUBIC, RACK-TLP (RFC 8985), proportional rate
 * reduction (RFC 6937), retransmission timeout (RFC 6298 with Linux' 200 ms
 * minimum) and the undoing of false alarms by time stamps and duplicate reports
 * (RFC 3522, RFC 3708). There is always more to send.
 *
 * @module
 */

import { Cubic } from "./cubic.ts";
import { Scoreboard } from "./scoreboard.ts";

const MIN_RTO_US = 200_000;
const MAX_RTO_US = 120_000_000;
const INITIAL_RTO_US = 1_000_000;
/** Allowance of a tail probe for a delayed acknowledgement (RFC 8985 section 7.2). */
const MAX_ACK_DELAY_US = 200_000;

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

/** The sender of one bulk flow. */
export class Sender {
  readonly board = new Scoreboard();
  readonly cubic: Cubic;
  /** Segments sent again, recoveries entered and taken back, timeouts. */
  resent = 0;
  recoveries = 0;
  undone = 0;
  timeouts = 0;
  #state: "open" | "recovery" | "loss" = "open";
  #recoveryEnd = 0;
  #windowEnd = 10;
  #rttvarUs = 0;
  #rtoUs = INITIAL_RTO_US;
  #backoff = 1;
  #rtoAt = Infinity;
  #reorderAt = Infinity;
  #probeAt = Infinity;
  #probed = false;
  #prrDelivered = 0;
  #prrOut = 0;
  #flightAtLoss = 0;
  #priorWindow = 0;
  #priorThreshold = 0;
  #firstResendMs = -1;
  #undoResends = 0;

  constructor(readonly io: SegmentSender, hystart = true) {
    this.cubic = new Cubic(hystart);
  }

  start(now: number): void {
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
    if (this.#state === "recovery") this.#reduce(board.lost > lostBefore);
    else if (board.delivered > 0 && board.una > una) {
      this.cubic.onAck(now, board.delivered, board.rttUs, board.una, board.next);
    }
    this.#sendMore(now);
  }

  /** The armed timer is due. */
  onTimer(now: number): void {
    if (now >= this.#reorderAt) {
      this.#reorderAt = this.board.detectLosses(now, this.#state !== "open");
      this.#react();
      if (this.#state === "recovery") this.#reduce(true);
      this.#sendMore(now);
    } else if (now >= this.#probeAt) this.#probe(now);
    else if (now >= this.#rtoAt) this.#onTimeout(now);
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
      if (this.#state === "recovery") this.cubic.cwnd = this.cubic.ssthresh;
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
    this.#flightAtLoss = Math.max(1, this.board.next - this.board.una);
    this.#prrDelivered = this.#prrOut = 0;
  }

  #enter(state: "recovery" | "loss"): void {
    if (this.#state === "open") {
      this.#priorWindow = this.cubic.cwnd;
      this.#priorThreshold = this.cubic.ssthresh;
      this.#undoResends = this.board.resentInFlight;
      if (this.#undoResends === 0) this.#firstResendMs = -1;
      this.cubic.onLoss();
    }
    this.#state = state;
    this.#recoveryEnd = this.board.next;
    this.#probeAt = Infinity;
  }

  #undo(now: number): void {
    this.undone++;
    this.board.unmarkLost(now);
    this.cubic.onUndo(this.#priorWindow, this.#priorThreshold);
    this.#state = "open";
    this.#undoResends = 0;
  }

  /** RFC 6937: sends in proportion to what arrives until the window has shrunk. */
  #reduce(freshLoss: boolean): void {
    const { pipe, delivered } = this.board;
    const target = this.cubic.ssthresh;
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
    this.cubic.cwnd = pipe + Math.max(0, Math.floor(quota));
  }

  #sendMore(now: number): void {
    const board = this.board;
    const window = Math.floor(this.cubic.cwnd);
    while (board.pipe < window) {
      const lost = board.nextLost();
      if (lost >= 0) this.#resend(now, lost);
      else if (board.next < this.#windowEnd && board.hasRoom) this.#send(now, board.next);
      else break;
    }
    this.#armProbe(now);
    this.#arm();
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
    this.board.onSend(now, segment);
    this.#prrOut++;
    if (this.#rtoAt === Infinity) this.#setRto(now);
    this.io.sendSegment(now, segment);
  }

  #probe(now: number): void {
    const board = this.board;
    this.#probeAt = Infinity;
    this.#probed = true;
    this.#setRto(now);
    if (board.next < this.#windowEnd && board.hasRoom) this.#send(now, board.next);
    else if (board.next > board.una) this.#resend(now, board.next - 1);
  }

  #onTimeout(now: number): void {
    this.timeouts++;
    this.#enter("loss");
    this.board.markAllLost();
    this.cubic.cwnd = 1;
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
    this.#probeAt = eligible && pipe > 0 ? Math.min(now + waitUs, this.#rtoAt) : Infinity;
  }

  #arm(): void {
    this.io.armTimer(Math.min(this.#reorderAt, this.#probeAt, this.#rtoAt));
  }
}
