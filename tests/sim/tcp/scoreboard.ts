/**
 * What a sender knows about each segment between the lowest unacknowledged one and the next new
 * one, and the loss rule of RACK (RFC 8985): a segment is lost when one sent sufficiently later has
 * arrived. Segments are identified by number.
 *
 * Segments in flight form a list in the order of their last transmission, so
 * that the rule looks only at those it can condemn.
 *
 * @module
 */

/** Segments that may be outstanding; a power of two. */
export const SCOREBOARD_SEGMENTS = 16384;
const MASK = SCOREBOARD_SEGMENTS - 1;
/** RACK: how many recoveries a widened reordering window lasts (RFC 8985 section 6.2). */
const PERSIST_RECOVERIES = 16;
const DUPTHRESH = 3;

const SACKED = 1;
const LOST = 2;
const RESENT = 4;
/** Was considered lost by mistake: its time of sending is not the real one. */
const REVIVED = 8;

/** The segments in flight of one flow. */
export class Scoreboard {
  /** Lowest unacknowledged segment, and the next new one. */
  una = 0;
  next = 0;
  /** Segments believed to be on the way. */
  pipe = 0;
  lost = 0;
  sacked = 0;
  /** Segments in the pipe that were sent more than once. */
  resentInFlight = 0;
  /** Segments that arrived with the acknowledgement being processed. */
  delivered = 0;
  /** The latest RTT sample of that acknowledgement in microseconds; 0 for none. */
  rttUs = 0;
  minRttUs = Infinity;
  srttUs = 0;
  /** Whether a segment that was never resent has arrived after a later one. */
  reordered = false;
  readonly #sentAtUs = new Float64Array(SCOREBOARD_SEGMENTS);
  readonly #flags = new Uint8Array(SCOREBOARD_SEGMENTS);
  /** For a selectively acknowledged segment: where to look next below it. */
  readonly #below = new Float64Array(SCOREBOARD_SEGMENTS);
  readonly #later = new Int32Array(SCOREBOARD_SEGMENTS);
  readonly #earlier = new Int32Array(SCOREBOARD_SEGMENTS);
  #first = -1;
  #last = -1;
  #highest = -1;
  #lowestLost = Infinity;
  #rackSentAt = 0;
  #rackSegment = -1;
  #rackRttUs = 0;
  #windowFactor = 1;
  #persist = 0;
  #widenAt = 0;

  /** @param onArrive is told of each segment that arrives, and when it was last sent */
  constructor(readonly onArrive?: (now: number, segment: number, sentAtUs: number) => void) {}

  /** Whether another new segment can be remembered. */
  get hasRoom(): boolean {
    return this.next - this.una < SCOREBOARD_SEGMENTS;
  }

  /** Notes that `segment` is sent: a new one, or again. */
  onSend(now: number, segment: number): void {
    const i = segment & MASK;
    if (segment === this.next) {
      this.next++;
      this.#flags[i] = 0;
    } else {
      if (this.#flags[i]! & LOST) this.lost--;
      else this.#unlink(i);
      this.#flags[i] = RESENT;
    }
    this.#sentAtUs[i] = now;
    this.#append(i);
  }

  /** Returns the lowest lost segment, or -1. */
  nextLost(): number {
    if (this.lost === 0) return -1;
    let segment = Math.max(this.#lowestLost, this.una);
    while (!(this.#flags[segment & MASK]! & LOST)) segment++;
    this.#lowestLost = segment;
    return segment;
  }

  /** Call before passing in the pieces of an acknowledgement. */
  beginAck(): void {
    this.delivered = 0;
    this.rttUs = 0;
  }

  /** Everything before `segment` has arrived. */
  onCumulative(now: number, segment: number): void {
    for (; this.una < segment; this.una++) {
      const i = this.una & MASK;
      if (this.#flags[i]! & SACKED) this.sacked--;
      else this.#arrive(now, this.una, i);
    }
  }

  /** The segments from `start` to before `end` have arrived. */
  onSelective(now: number, start: number, end: number): void {
    const floor = Math.max(start, this.una);
    for (let segment = Math.min(end, this.next) - 1; segment >= floor;) {
      const i = segment & MASK;
      if (this.#flags[i]! & SACKED) {
        segment = this.#skip(i, floor);
        continue;
      }
      this.#arrive(now, segment, i);
      this.#flags[i] = this.#flags[i]! | SACKED;
      this.#below[i] = segment - 1;
      this.sacked++;
      segment--;
    }
  }

  /** A duplicate was reported: the window for reordering was too small (RFC 8985 section 6.2). */
  onDuplicate(now: number): void {
    this.reordered = true;
    if (now < this.#widenAt) return;
    this.#widenAt = now + this.srttUs;
    this.#windowFactor++;
    this.#persist = PERSIST_RECOVERIES;
  }

  onRecoveryEnd(): void {
    if (--this.#persist <= 0) this.#windowFactor = 1;
  }

  /** Marks what is lost. Returns when to look again, Infinity when nothing is doubtful. */
  detectLosses(now: number, inRecovery: boolean): number {
    const windowUs = this.#reorderingWindow(inRecovery);
    let next = Infinity;
    for (let i = this.#first; i >= 0;) {
      const sentAtUs = this.#sentAtUs[i]!;
      if (sentAtUs > this.#rackSentAt) break;
      const later = this.#later[i]!;
      const due = sentAtUs + this.#rackRttUs + windowUs;
      if (sentAtUs < this.#rackSentAt || this.#segmentAt(i) < this.#rackSegment) {
        if (due > now) {
          next = due;
          break;
        }
        this.#markLost(i);
      }
      i = later;
    }
    return next;
  }

  /** After a timeout: everything that is not known to have arrived is lost. */
  markAllLost(): void {
    for (let i = this.#first; i >= 0;) {
      const later = this.#later[i]!;
      this.#markLost(i);
      i = later;
    }
  }

  /** After a false alarm: what was considered lost is on its way after all. */
  unmarkLost(now: number): void {
    for (let segment = this.nextLost(); segment >= 0; segment = this.nextLost()) {
      const i = segment & MASK;
      this.#flags[i] = (this.#flags[i]! & ~LOST) | REVIVED;
      this.lost--;
      this.#sentAtUs[i] = now;
      this.#append(i);
    }
  }

  #reorderingWindow(inRecovery: boolean): number {
    if (!this.reordered && (inRecovery || this.sacked >= DUPTHRESH)) return 0;
    return Math.min(this.#windowFactor * this.minRttUs / 4, this.srttUs);
  }

  #arrive(now: number, segment: number, i: number): void {
    const flags = this.#flags[i]!;
    if (flags & LOST) this.lost--;
    else this.#unlink(i);
    this.#flags[i] = flags & ~LOST;
    this.delivered++;
    this.onArrive?.(now, segment, this.#sentAtUs[i]!);
    if (!(flags & RESENT)) {
      if (segment < this.#highest) this.reordered = true;
      if (!(flags & REVIVED)) this.#sampleRtt(now - this.#sentAtUs[i]!);
    }
    if (segment > this.#highest) this.#highest = segment;
    this.#advanceRack(now, segment, this.#sentAtUs[i]!, (flags & (RESENT | REVIVED)) !== 0);
  }

  #advanceRack(now: number, segment: number, sentAtUs: number, resent: boolean): void {
    const rttUs = now - sentAtUs;
    if (resent && rttUs < this.minRttUs) return;
    if (sentAtUs < this.#rackSentAt) return;
    if (sentAtUs === this.#rackSentAt && segment < this.#rackSegment) return;
    this.#rackSentAt = sentAtUs;
    this.#rackSegment = segment;
    this.#rackRttUs = rttUs;
  }

  #sampleRtt(us: number): void {
    if (this.rttUs === 0 || us < this.rttUs) this.rttUs = us;
    if (us < this.minRttUs) this.minRttUs = us;
  }

  #skip(i: number, floor: number): number {
    let below = this.#below[i]!;
    while (below >= floor && this.#flags[below & MASK]! & SACKED) {
      below = this.#below[below & MASK]!;
    }
    this.#below[i] = below;
    return below;
  }

  #markLost(i: number): void {
    const segment = this.#segmentAt(i);
    this.#unlink(i);
    this.#flags[i] = this.#flags[i]! | LOST;
    this.lost++;
    if (segment < this.#lowestLost) this.#lowestLost = segment;
  }

  #segmentAt(i: number): number {
    return this.una + ((i - this.una) & MASK);
  }

  #append(i: number): void {
    this.pipe++;
    if (this.#flags[i]! & RESENT) this.resentInFlight++;
    this.#later[i] = -1;
    this.#earlier[i] = this.#last;
    if (this.#last >= 0) this.#later[this.#last] = i;
    else this.#first = i;
    this.#last = i;
  }

  #unlink(i: number): void {
    this.pipe--;
    if (this.#flags[i]! & RESENT) this.resentInFlight--;
    const earlier = this.#earlier[i]!;
    const later = this.#later[i]!;
    if (earlier >= 0) this.#later[earlier] = later;
    else this.#first = later;
    if (later >= 0) this.#earlier[later] = earlier;
    else this.#last = earlier;
  }
}
