/**
 * What one path has sent and not yet heard about: a ring indexed by datagram number.
 *
 * Each entry remembers the slot of its packet, so that a lost one can be sent
 * again, and what was delivered when it left, so that an acknowledgement is a sample of the path's
 * rate. A datagram overtaken by more than the reordering window is lost (RACK, RFC 8985 section
 * 6.2, with counters for segments).
 *
 * @module
 */

/** Entries of the ring: at most, a power of two; and at first, since most links are idle. */
export const RING_ENTRIES = 16_384;
const FIRST_ENTRIES = 256;
/** The ring grows rather than forget what left less than this long ago, in microseconds. */
const REMEMBERED_US = 60_000_000;

const SENT = 1;
const ACKED = 2;
/** Declared lost; a late acknowledgement shows that it was not. */
const LOST = 3;

/** Reordering that is expected before any was seen, in microseconds. */
const INITIAL_REORDER_US = 1_000;
const MAX_REORDER_US = 100_000;
/** A link may lose what is larger, and only that: it may have become too narrow. */
const LARGE_BYTES = 1200;

/** A datagram without a packet. */
export const CONTROL = -1;
/** A datagram whose loss says nothing of the link: nothing is kept of it. */
export const UNTRACKED = -2;

/** A packet whose datagram was acknowledged (release it) or lost (send it again). */
export type SlotHandler = (slot: number) => void;

/** Datagrams of one path, by number. */
export class InFlight {
  /** Number of the next datagram. */
  next = 0;
  /** Oldest number whose fate is unknown. */
  #tail = 0;
  /** Highest number acknowledged, and when that datagram left. */
  newestAcked = -1;
  newestAckedSentAtUs = 0;
  /** Packets whose fate is unknown, and the bytes of their datagrams. Control does not count. */
  packets = 0;
  bytes = 0;
  /** No packet whose fate is unknown has a lower number. */
  #packetTail = 0;
  /** Of those above all that are acknowledged, none below this number is a packet in flight. */
  #unreported = 0;
  /** Totals, for the loss rate. */
  ackedDatagrams = 0;
  lostDatagrams = 0;
  /** Packets in datagrams larger than {@linkcode LARGE_BYTES} that were lost in a row. */
  largeLost = 0;
  /** The smallest of them. */
  #leastLostBytes = 0;

  #mask = FIRST_ENTRIES - 1;
  #state = new Uint8Array(FIRST_ENTRIES);
  #slot = new Int32Array(FIRST_ENTRIES);
  #size = new Uint16Array(FIRST_ENTRIES);
  #sentAtUs = new Float64Array(FIRST_ENTRIES);
  #idleCount = new Uint32Array(FIRST_ENTRIES);
  #reorderUs = INITIAL_REORDER_US;
  /** Packets that control datagrams have pushed out of the ring. */
  readonly #pushedOut: number[] = [];

  /** Of how many datagrams, up to the last one, anything may be known. */
  get remembered(): number {
    return this.#mask + 1;
  }

  /** Whether another datagram would overwrite one whose fate is unknown. */
  get full(): boolean {
    return this.next - this.#tail >= RING_ENTRIES;
  }

  /** When the oldest packet whose fate is unknown left; Infinity when there is none. */
  get oldestSentAtUs(): number {
    if (this.packets === 0) return Infinity;
    let number = Math.max(this.#packetTail, this.#tail);
    while (this.#state[number & this.#mask] !== SENT || this.#slot[number & this.#mask]! < 0) {
      number++;
    }
    this.#packetTail = number;
    return this.#sentAtUs[number & this.#mask]!;
  }

  /**
   * By when the peer had what it reports if it gets the oldest packet after all that it has reported:
   * `intervalUs` after that left, or when `count` datagrams more had. Infinity: no such packet.
   */
  reportableAtUs(intervalUs: number, count: number): number {
    if (this.packets === 0) return Infinity;
    let number = Math.max(this.#unreported, this.newestAcked + 1, this.#tail);
    while (number < this.next && this.#slot[number & this.#mask]! < 0) number++;
    this.#unreported = number;
    if (number >= this.next) return Infinity;
    const latestUs = this.#sentAtUs[number & this.#mask]! + intervalUs;
    const last = number + count;
    return last < this.next ? Math.min(latestUs, this.#sentAtUs[last & this.#mask]!) : latestUs;
  }

  /** Calls `handle` with each packet whose fate is unknown, oldest first; they stay. */
  forEach(handle: SlotHandler): void {
    for (let number = this.#tail; number < this.next; number++) {
      const at = number & this.#mask;
      if (this.#state[at] === SENT && this.#slot[at]! >= 0) handle(this.#slot[at]!);
    }
  }

  /** When datagram `number` left. Only for a number that is still in the ring. */
  sentAtUs(number: number): number {
    return this.#sentAtUs[number & this.#mask]!;
  }

  /** How often the path had run out of data before datagram `number` left. */
  idleCount(number: number): number {
    return this.#idleCount[number & this.#mask]!;
  }

  /**
   * Records that the next datagram leaves; `slot` is its packet's, or {@linkcode CONTROL}, or
   * {@linkcode UNTRACKED}. For a packet
   * the ring must not be {@linkcode full}; control pushes out the oldest, and if that is a packet,
   * {@linkcode detectLoss} or {@linkcode abandon} will hand it over.
   */
  push(now: number, slot: number, sizeBytes: number, idleCount: number): void {
    if (this.next > this.#mask) this.#makeRoom(now);
    const at = this.next++ & this.#mask;
    this.#state[at] = slot === UNTRACKED ? ACKED : SENT;
    this.#slot[at] = slot;
    this.#size[at] = sizeBytes;
    this.#sentAtUs[at] = now;
    this.#idleCount[at] = idleCount;
    if (slot < 0) return;
    this.bytes += sizeBytes;
    this.packets++;
  }

  /**
   * Marks the numbers from `low` to `high` as acknowledged. Returns how many of them were not
   * before, some perhaps taken for lost; `release` gets the packets of the others.
   */
  acknowledge(low: number, high: number, release: SlotHandler): number {
    let news = 0;
    const last = Math.min(high, this.next - 1);
    for (let number = Math.max(low, this.next - this.remembered, 0); number <= last; number++) {
      const at = number & this.#mask;
      const state = this.#state[at];
      if (state === SENT) {
        news++;
        this.ackedDatagrams++;
        this.#resolve(at, ACKED, release);
      } else if (state === LOST) {
        news++;
        this.#onSpurious(at);
      }
    }
    if (news > 0 && last > this.newestAcked) {
      this.newestAcked = last;
      this.newestAckedSentAtUs = this.#sentAtUs[last & this.#mask]!;
    }
    this.#advance();
    return news;
  }

  /** Declares lost what was overtaken by more than the reordering window. Returns how many. */
  detectLoss(lost: SlotHandler): number {
    const before = this.newestAckedSentAtUs - this.#reorderUs;
    let count = this.#handOverPushedOut(lost);
    for (let number = this.#tail; number < this.newestAcked; number++) {
      const at = number & this.#mask;
      if (this.#state[at] !== SENT) continue;
      if (this.#sentAtUs[at]! > before) break;
      count++;
      this.lostDatagrams++;
      this.#resolve(at, LOST, lost);
    }
    this.#advance();
    return count;
  }

  /** Gives up everything in flight: the path is suspected, or the session is gone. */
  abandon(lost: SlotHandler): void {
    this.#handOverPushedOut(lost);
    for (let number = this.#tail; number < this.next; number++) {
      const at = number & this.#mask;
      if (this.#state[at] !== SENT) continue;
      this.lostDatagrams++;
      this.#resolve(at, LOST, lost);
    }
    this.#advance();
  }

  /** The place of the next datagram is that of an earlier one. */
  #makeRoom(now: number): void {
    const at = this.next & this.#mask;
    if (this.#mask + 1 < RING_ENTRIES) {
      const isPacket = this.#state[at] === SENT && this.#slot[at]! >= 0;
      if (isPacket || now - this.#sentAtUs[at]! < REMEMBERED_US) return this.#grow();
    }
    if (this.next - this.#tail > this.#mask) this.#forgetOldest();
  }

  /** Doubles the ring: what is known stays. */
  #grow(): void {
    const before = this.#mask + 1;
    const from = { mask: this.#mask, arrays: this.#arrays };
    this.#mask = 2 * before - 1;
    this.#state = new Uint8Array(2 * before);
    this.#slot = new Int32Array(2 * before);
    this.#size = new Uint16Array(2 * before);
    this.#sentAtUs = new Float64Array(2 * before);
    this.#idleCount = new Uint32Array(2 * before);
    for (const [i, array] of this.#arrays.entries()) {
      for (let number = this.next - before; number < this.next; number++) {
        array[number & this.#mask] = from.arrays[i]![number & from.mask]!;
      }
    }
  }

  get #arrays(): (Uint8Array | Int32Array | Uint16Array | Float64Array | Uint32Array)[] {
    return [this.#state, this.#slot, this.#size, this.#sentAtUs, this.#idleCount];
  }

  /** What leaves the ring can no longer be tracked: control is forgotten, a packet is lost. */
  #forgetOldest(): void {
    const at = this.#tail & this.#mask;
    if (this.#slot[at]! >= 0) this.lostDatagrams++;
    this.#resolve(at, LOST, (slot) => this.#pushedOut.push(slot));
    this.#advance();
  }

  #handOverPushedOut(lost: SlotHandler): number {
    if (this.#pushedOut.length === 0) return 0;
    const slots = this.#pushedOut.splice(0);
    for (const slot of slots) lost(slot);
    return slots.length;
  }

  #resolve(at: number, state: number, handle: SlotHandler): void {
    this.#state[at] = state;
    const slot = this.#slot[at]!;
    if (slot < 0) return;
    const bytes = this.#size[at]!;
    this.bytes -= bytes;
    this.packets--;
    if (bytes > LARGE_BYTES) this.#noteLarge(bytes, state === LOST);
    this.#slot[at] = -1;
    handle(slot);
  }

  /** A datagram declared lost did arrive: the path reorders more than was assumed. */
  #onSpurious(at: number): void {
    this.#state[at] = ACKED;
    this.lostDatagrams--;
    this.ackedDatagrams++;
    if (this.#size[at]! > LARGE_BYTES) this.#noteLarge(this.#size[at]!, false);
    const extentUs = this.newestAckedSentAtUs - this.#sentAtUs[at]!;
    if (extentUs <= 0) return;
    this.#reorderUs = Math.min(MAX_REORDER_US, Math.max(this.#reorderUs, 1.25 * extentUs));
  }

  /** A smaller one that arrives shows nothing: a line may have become a little too narrow. */
  #noteLarge(bytes: number, isLost: boolean): void {
    if (!isLost) {
      if (bytes >= this.#leastLostBytes) this.largeLost = 0;
      return;
    }
    this.#leastLostBytes = this.largeLost === 0 ? bytes : Math.min(this.#leastLostBytes, bytes);
    this.largeLost++;
  }

  #advance(): void {
    while (this.#tail < this.next && this.#state[this.#tail & this.#mask] !== SENT) this.#tail++;
  }
}
