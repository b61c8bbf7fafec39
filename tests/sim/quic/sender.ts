/**
 * The sending half of QUIC as quinn has it: loss detection and probes of RFC 9002, each packet with
 * a number of its own, and pacing from window and round trip, whatever the congestion control, with
 * a bucket that is let fill before the next burst.
 *
 * @module
 */

import { Bbr } from "../tcp/bbr.ts";
import type { Congestion, CongestionName, InFlight, SenderState } from "../tcp/congestion.ts";
import { SCOREBOARD_SEGMENTS } from "../tcp/scoreboard.ts";
import { QuicCubic } from "./cubic.ts";
import type { AckPacket } from "./packet.ts";
import { MAX_ACK_DELAY_US } from "./receiver.ts";

const MASK = SCOREBOARD_SEGMENTS - 1;
/** RFC 9002 section 6.1. */
const PACKET_THRESHOLD = 3;
const TIME_THRESHOLD = 9 / 8;
const GRANULARITY_US = 1000;
const INITIAL_RTT_US = 333_000;
const PROBES = 2;
/** RFC 9002 section 7.6. */
const PERSISTENT_THRESHOLD = 3;
/** Of quinn's pacing: bursts of 2 ms, within bounds in packets, a quarter faster than the window. */
const BURST_US = 2000;
const MIN_BURST = 10;
const MAX_BURST = 256;
const PACE_GAIN = 1.25;

const IN_FLIGHT = 1;

/** What a sender asks of its connection. */
export interface PacketSender {
  sendPacket(now: number, number: number, piece: number): void;
  /** Arms the timer that leads to {@linkcode QuicSender.onTimer}; Infinity disarms it. */
  armTimer(at: number): void;
}

/** The sender of one stream without an end. */
export class QuicSender implements InFlight {
  readonly congestion: Congestion;
  /** Lowest packet in flight, and the number of the next. */
  una = 0;
  next = 0;
  /** Packets in flight. */
  pipe = 0;
  delivered = 0;
  rttUs = 0;
  minRttUs = Infinity;
  srttUs = 0;
  /** Packets that were found lost, and that were acknowledged after all. */
  lost = 0;
  spurious = 0;
  probes = 0;
  /** Packets that came marked. */
  marks = 0;
  readonly #sentAtUs = new Float64Array(SCOREBOARD_SEGMENTS);
  readonly #pieces = new Float64Array(SCOREBOARD_SEGMENTS);
  readonly #flags = new Uint8Array(SCOREBOARD_SEGMENTS);
  #state: SenderState = "open";
  /** Packets sent before this instant tell nothing new about congestion. */
  #recoveryAtUs = -1;
  #largest = -1;
  #rttvarUs = 0;
  #lossAt = Infinity;
  #probeAt = Infinity;
  #probeCount = 0;
  #lastSentAtUs = 0;
  /** Pieces to be sent again, and the next new one. */
  readonly #again: number[] = [];
  #piece = 0;
  /** New pieces below this one may be sent. */
  #limit: number;
  /** Packets that may leave at once, as of an instant. */
  #tokens = MIN_BURST;
  #tokensAtUs = 0;
  #pacedUntil = Infinity;

  constructor(readonly io: PacketSender, congestion: CongestionName, limit: number) {
    this.congestion = congestion === "bbr" ? new Bbr() : new QuicCubic();
    this.#limit = limit;
  }

  get state(): SenderState {
    return this.#state;
  }

  start(now: number): void {
    this.#sendMore(now);
  }

  onAck(now: number, ack: AckPacket): void {
    this.delivered = this.rttUs = 0;
    this.#limit = Math.max(this.#limit, ack.limit);
    const { una } = this;
    const before = this.#largest;
    for (let i = 0; i < ack.rangeCount; i++) {
      for (let n = ack.ends[i]! - 1; n >= ack.starts[i]!; n--) {
        if (n < this.next - SCOREBOARD_SEGMENTS) break;
        if (this.#flags[n & MASK]! === IN_FLIGHT && n >= una) this.#onArrived(now, n, ack.delayUs);
      }
    }
    const largest = ack.ends[0]! - 1;
    if (largest > this.#largest) this.#largest = largest;
    const marks = ack.marks - this.marks & 0xffff;
    const isMarked = largest > before && marks !== 0;
    if (isMarked) this.marks += marks;
    if (this.delivered > 0) this.#probeCount = 0;
    const lost = this.#detectLosses(now);
    if (isMarked) this.#onMarked(now, this.#sentAtUs[largest & MASK]!);
    this.#advance();
    this.congestion.onAck(now, this, this.#state, this.una > una, lost, this.#isLimited);
    this.#sendMore(now);
  }

  /** The armed timer is due. */
  onTimer(now: number): void {
    if (now >= this.#lossAt) {
      this.delivered = this.rttUs = 0;
      const lost = this.#detectLosses(now);
      this.#advance();
      this.congestion.onAck(now, this, this.#state, false, lost, this.#isLimited);
    } else if (now >= this.#probeAt) this.#probe(now);
    this.#sendMore(now);
  }

  #onArrived(now: number, number: number, delayUs: number): void {
    const i = number & MASK;
    const sentAtUs = this.#sentAtUs[i]!;
    this.#flags[i] = 0;
    this.pipe--;
    this.delivered++;
    if (number > this.#largest && this.rttUs === 0) this.#sampleRtt(now - sentAtUs, delayUs);
    if (this.#state !== "open" && sentAtUs > this.#recoveryAtUs) {
      this.congestion.onRepaired(this.#state);
      this.#state = "open";
    }
    this.congestion.onArrive(now, number, sentAtUs);
  }

  /** Marks what is lost; returns how many packets that are. */
  #detectLosses(now: number): number {
    const lossDelayUs = TIME_THRESHOLD * Math.max(this.#lastRttUs, this.srttUs, GRANULARITY_US);
    this.#lossAt = Infinity;
    let lost = 0;
    let firstAtUs = 0;
    let lastAtUs = 0;
    for (let n = this.una; n < this.#largest; n++) {
      const i = n & MASK;
      if (this.#flags[i] !== IN_FLIGHT) continue;
      const sentAtUs = this.#sentAtUs[i]!;
      const dueAtUs = sentAtUs + lossDelayUs;
      if (n > this.#largest - PACKET_THRESHOLD && dueAtUs > now) {
        this.#lossAt = Math.min(this.#lossAt, dueAtUs);
        continue;
      }
      this.#flags[i] = 0;
      this.pipe--;
      this.#again.push(this.#pieces[i]!);
      if (lost++ === 0) firstAtUs = sentAtUs;
      lastAtUs = sentAtUs;
    }
    if (lost > 0) this.#onLost(now, lost, firstAtUs, lastAtUs);
    return lost;
  }

  #onLost(now: number, lost: number, firstAtUs: number, lastAtUs: number): void {
    this.lost += lost;
    const isPersistent = lastAtUs - firstAtUs > PERSISTENT_THRESHOLD * this.#probeUs;
    if (lastAtUs <= this.#recoveryAtUs && !isPersistent) return;
    const state = isPersistent ? "loss" : "recovery";
    const before = lastAtUs > this.#recoveryAtUs ? "open" : this.#state;
    this.congestion.onEnter(before, state, this);
    this.#state = state;
    this.#recoveryAtUs = now;
  }

  /** Marks are losses to CUBIC and nothing to quinn's BBR. */
  #onMarked(now: number, sentAtUs: number): void {
    if (!(this.congestion instanceof QuicCubic) || sentAtUs <= this.#recoveryAtUs) return;
    this.congestion.onEnter("open", "recovery");
    this.#state = "recovery";
    this.#recoveryAtUs = now;
  }

  #advance(): void {
    while (this.una < this.next && this.#flags[this.una & MASK] !== IN_FLIGHT) this.una++;
  }

  #probe(now: number): void {
    this.#probeCount++;
    this.probes++;
    for (let i = 0; i < PROBES; i++) {
      // The oldest data once more: its first packet remains in flight until it is found lost.
      this.#send(now, this.pipe > 0 ? this.#pieces[this.una & MASK]! : this.#nextPiece());
    }
  }

  #sendMore(now: number): void {
    this.#pacedUntil = Infinity;
    while (
      this.pipe < Math.floor(this.congestion.cwnd) && this.next - this.una < SCOREBOARD_SEGMENTS &&
      !this.#isLimited && this.#mayLeave(now)
    ) {
      this.#tokens--;
      this.#send(now, this.#nextPiece());
    }
    this.#arm();
  }

  get #isLimited(): boolean {
    return this.#again.length === 0 && this.#piece >= this.#limit;
  }

  #nextPiece(): number {
    return this.#again.shift() ?? this.#piece++;
  }

  /** Whether pacing allows a packet; if not, notes when it will. */
  #mayLeave(now: number): boolean {
    if (this.#tokens >= 1) return true;
    const rttUs = this.srttUs || INITIAL_RTT_US;
    const { cwnd } = this.congestion;
    const capacity = Math.min(MAX_BURST, Math.max(MIN_BURST, cwnd * BURST_US / rttUs));
    const perUs = PACE_GAIN * cwnd / rttUs;
    this.#tokens = Math.min(capacity, this.#tokens + (now - this.#tokensAtUs) * perUs);
    this.#tokensAtUs = now;
    if (this.#tokens >= 1) return true;
    this.#pacedUntil = now + (capacity - this.#tokens) / perUs;
    return false;
  }

  #send(now: number, piece: number): void {
    const number = this.next;
    const i = number & MASK;
    this.congestion.onSend(now, number, this, false);
    this.#sentAtUs[i] = now;
    this.#pieces[i] = piece;
    this.#flags[i] = IN_FLIGHT;
    this.#lastSentAtUs = now;
    this.next++;
    this.pipe++;
    this.io.sendPacket(now, number, piece);
  }

  #lastRttUs = 0;

  #sampleRtt(us: number, delayUs: number): void {
    this.rttUs = us;
    this.minRttUs = Math.min(this.minRttUs, us);
    const own = us - this.minRttUs >= delayUs ? us - delayUs : us;
    this.#lastRttUs = own;
    if (this.srttUs === 0) {
      this.srttUs = own;
      this.#rttvarUs = own / 2;
    } else {
      this.#rttvarUs += (Math.abs(this.srttUs - own) - this.#rttvarUs) / 4;
      this.srttUs += (own - this.srttUs) / 8;
    }
  }

  /** How long an acknowledgement may take (RFC 9002 section 6.2.1). */
  get #probeUs(): number {
    if (this.srttUs === 0) return 3 * INITIAL_RTT_US;
    return this.srttUs + Math.max(4 * this.#rttvarUs, GRANULARITY_US) + MAX_ACK_DELAY_US;
  }

  #arm(): void {
    this.#probeAt = this.pipe > 0 && this.#lossAt === Infinity
      ? this.#lastSentAtUs + this.#probeUs * 2 ** Math.min(this.#probeCount, 10)
      : Infinity;
    this.io.armTimer(Math.min(this.#lossAt, this.#probeAt, this.#pacedUntil));
  }
}
