/**
 * The receiving half of QUIC: acknowledges every second packet, at once what came out of order,
 * else after 25 ms (RFC 9000 section 13.2), and lets the sender be a window ahead of what the
 * application has read in order.
 *
 * @module
 */

import { type AckPacket, MAX_RANGES } from "./packet.ts";

/** The default of max_ack_delay. */
export const MAX_ACK_DELAY_US = 25_000;
/** Packets that are acknowledged together. */
const ACK_EVERY = 2;

/** Packets from `start` to before `end`. */
interface Range {
  start: number;
  end: number;
}

/** What a receiver asks of its connection. */
export interface AckSender {
  sendAck(now: number): void;
  /** Arms the timer of delayed acknowledgements; Infinity disarms it. */
  armDelayedAck(at: number): void;
}

/** The receiver of one stream. */
export class QuicReceiver {
  /** Distinct pieces that came. */
  pieces = 0;
  /** The next piece that the application waits for. */
  next = 0;
  /** Marked packets that came. */
  marks = 0;
  /** Latest first. */
  readonly #ranges: Range[] = [];
  /** Pieces that came before an earlier one. */
  readonly #early = new Set<number>();
  #largestAtUs = 0;
  #unacked = 0;

  /** @param window pieces that the sender may be ahead of {@linkcode next} */
  constructor(readonly io: AckSender, readonly window: number) {}

  /** A packet has come. */
  onData(now: number, number: number, piece: number, marked = false): void {
    this.#take(piece);
    if (marked) this.marks++;
    const expected = this.#ranges[0]?.end ?? 0;
    if (number >= expected) this.#largestAtUs = now;
    this.#note(number);
    if (number !== expected || ++this.#unacked >= ACK_EVERY) this.#ack(now);
    else this.io.armDelayedAck(now + MAX_ACK_DELAY_US);
  }

  onDelayedAck(now: number): void {
    if (this.#unacked > 0) this.#ack(now);
  }

  /** Writes what is to be acknowledged. */
  fill(now: number, ack: AckPacket): void {
    ack.limit = this.next + this.window;
    ack.delayUs = Math.round(now - this.#largestAtUs);
    ack.marks = this.marks & 0xffff;
    ack.rangeCount = Math.min(MAX_RANGES, this.#ranges.length);
    for (let i = 0; i < ack.rangeCount; i++) {
      ack.starts[i] = this.#ranges[i]!.start;
      ack.ends[i] = this.#ranges[i]!.end;
    }
  }

  #ack(now: number): void {
    this.#unacked = 0;
    this.io.armDelayedAck(Infinity);
    this.io.sendAck(now);
  }

  #take(piece: number): void {
    if (piece < this.next || this.#early.has(piece)) return;
    this.pieces++;
    this.#early.add(piece);
    while (this.#early.delete(this.next)) this.next++;
  }

  /** Adds a number to the ranges; those too old to be told are forgotten. */
  #note(number: number): void {
    const ranges = this.#ranges;
    let i = 0;
    while (i < ranges.length && number < ranges[i]!.start - 1) i++;
    const range = ranges[i];
    if (range === undefined || number > range.end) {
      ranges.splice(i, 0, { start: number, end: number + 1 });
    } else if (number === range.end) range.end++;
    else if (number === range.start - 1) {
      range.start--;
      const below = ranges[i + 1];
      if (below?.end === range.start) {
        range.start = below.start;
        ranges.splice(i + 1, 1);
      }
    }
    if (ranges.length > 4 * MAX_RANGES) ranges.length = 4 * MAX_RANGES;
  }
}
