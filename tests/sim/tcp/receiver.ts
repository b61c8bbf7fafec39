/**
 * The receiving half of TCP: puts segments in order, acknowledges every second one
 * or after 40 ms, reports what it holds beyond a gap (RFC 2018) and what came
 * twice (RFC 2883). Segments are identified by number; all have the same size.
 *
 * @module
 */

/** Acknowledgements that are sent at once after the start, as Linux does. */
const QUICK_ACKS = 16;
const DELAYED_ACK_US = 40_000;
const MAX_BLOCKS = 3;

/** A run of segments that were received beyond a gap; `end` is not part of it. */
interface Block {
  start: number;
  end: number;
}

/** What a receiver asks of its connection. */
export interface AckSender {
  sendAck(now: number): void;
  /** Arms the timer of delayed acknowledgements; Infinity disarms it. */
  armDelayedAck(at: number): void;
}

/** The receiver of one bulk flow. */
export class Receiver {
  /** The next segment in order: all before it were delivered to the application. */
  next = 0;
  /** Time stamp to echo (RFC 7323 section 4.3). */
  tsRecent = 0;
  duplicates = 0;
  /** Segments that came before an earlier one. */
  outOfOrder = 0;
  /** Newest first. */
  readonly #blocks: Block[] = [];
  #duplicate = -1;
  #unacked = 0;
  #quick = QUICK_ACKS;

  constructor(readonly io: AckSender) {}

  /** Segments held beyond the gap. */
  get held(): number {
    return this.#blocks.reduce((sum, block) => sum + block.end - block.start, 0);
  }

  onData(now: number, segment: number, tsValue: number): void {
    if (segment <= this.next && tsValue >= this.tsRecent) this.tsRecent = tsValue;
    if (segment < this.next || this.#holds(segment)) {
      this.duplicates++;
      this.#duplicate = segment;
      this.#ackNow(now);
    } else if (segment === this.next) this.#onExpected(now);
    else {
      this.outOfOrder++;
      this.#hold(segment);
      this.#ackNow(now);
    }
  }

  onDelayedAck(now: number): void {
    if (this.#unacked > 0) this.#ackNow(now);
  }

  /** Writes up to three blocks as segment numbers; a duplicate comes first. Returns how many. */
  takeBlocks(starts: Float64Array, ends: Float64Array): number {
    let count = 0;
    if (this.#duplicate >= 0) {
      starts[0] = this.#duplicate;
      ends[0] = this.#duplicate + 1;
      this.#duplicate = -1;
      count = 1;
    }
    for (let i = 0; i < this.#blocks.length && count < MAX_BLOCKS; i++) {
      starts[count] = this.#blocks[i]!.start;
      ends[count++] = this.#blocks[i]!.end;
    }
    return count;
  }

  #onExpected(now: number): void {
    this.next++;
    this.#unacked++;
    if (this.#blocks.length > 0) {
      const i = this.#blocks.findIndex((block) => block.start === this.next);
      if (i >= 0) this.next = this.#blocks.splice(i, 1)[0]!.end;
      this.#ackNow(now);
    } else if (this.#unacked >= 2 || this.#quick > 0) {
      this.#quick--;
      this.#ackNow(now);
    } else this.io.armDelayedAck(now + DELAYED_ACK_US);
  }

  #ackNow(now: number): void {
    this.#unacked = 0;
    this.io.armDelayedAck(Infinity);
    this.io.sendAck(now);
  }

  #holds(segment: number): boolean {
    return this.#blocks.some((block) => segment >= block.start && segment < block.end);
  }

  #hold(segment: number): void {
    const merged = { start: segment, end: segment + 1 };
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const block = this.#blocks[i]!;
      if (block.end !== merged.start && block.start !== merged.end) continue;
      merged.start = Math.min(merged.start, block.start);
      merged.end = Math.max(merged.end, block.end);
      this.#blocks.splice(i, 1);
    }
    this.#blocks.unshift(merged);
  }
}
