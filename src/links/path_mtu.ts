/**
 * How large may a datagram be on this path? Found by probing (RFC 8899): nobody is believed who says
 * that a packet was too big, and what is not acknowledged is not used.
 *
 * A few sizes are asked for at once, those first that lines commonly have; what is answered is used
 * at once, and what is not, is taken to be too large for the moment. When no size between the two is
 * worth asking for the search rests, and what failed is tried again: soon at first, since a probe
 * may just have been lost, and rarely when it has failed often. A path that loses many large
 * datagrams in a row, and no small ones, has shrunk: the search begins again.
 *
 * All sizes are bytes of the IP packet on the link.
 *
 * @module
 */

/** Every path is taken to carry this (RFC 8899 section 5.1.2). */
export const BASE_MTU_BYTES = 1200;
/** What a path carries at most when nothing else is known. */
export const DEFAULT_MTU_BYTES = 1500;
/** Sizes that lines have: tunnels in tunnels, mobile, WireGuard, PPPoE with options, DS-Lite, 6in4, PPPoE. */
const COMMON = [1280, 1358, 1400, 1420, 1440, 1452, 1460, 1480, 1492];
/** Nothing is gained by finding out more exactly. */
const ENOUGH_BYTES = 8;
/** Sizes that are asked for at once. */
const FLIGHT = 3;
/** Time for an answer besides what is usual, in microseconds: the peer may have been busy. */
const LENIENCE_US = 30_000;
/** A size that failed is asked for again after this, each time later (PMTU_RAISE_TIMER at last). */
const RETRY_US = [100_000, 1_000_000, 10_000_000, 600_000_000];
/** The same where traffic costs money. */
const METERED_RETRY_US = [1_000_000, 3_600_000_000];
/** So many large datagrams lost in a row, and none that arrived, are no congestion. */
const BLACK_HOLE_PACKETS = 8;

/** A size that was not answered. */
interface Failure {
  readonly size: number;
  failures: number;
  triedAtUs: number;
}

/** The reason while nothing is known yet. */
export const MTU_SOUGHT = "what it carries is being found out";

/** Finds the largest datagram of one path in one direction. Instants in microseconds. */
export class PathMtu {
  /** The largest size that was acknowledged. */
  size = BASE_MTU_BYTES;
  /** Whether the first search is over: until then it is worth waiting with larger packets. */
  isKnown = false;
  /** How often the path has turned out to have shrunk. */
  blackHoles = 0;

  #bound: number;
  /** A size that was found before; 0: none. */
  #hint = 0;
  /** Sizes to ask for, ascending. */
  #planned: number[] = [];
  /** Sizes that were asked for and not answered yet, and when the first of them was. */
  #probes: number[] = [];
  #sentAtUs = 0;
  /** By size, ascending; all larger than {@linkcode size}. */
  #failures: Failure[] = [];
  #active = false;
  /** Whether a size is worth asking for that was not asked for. */
  #hasNext = false;

  /**
   * @param bound no larger size is asked for
   * @param metered whether probes are to be sparse, since traffic costs money; may change
   */
  constructor(bound: number, public metered: boolean) {
    this.#bound = bound;
    this.size = Math.min(BASE_MTU_BYTES, bound);
  }

  /** Why it is no more than it is, in words; undefined when nothing larger was wanted. */
  get reason(): string | undefined {
    if (!this.isKnown) return MTU_SOUGHT;
    if (this.size >= this.#bound) return undefined;
    return `carries ${this.size} bytes: ${this.#failures[0]?.size ?? this.#bound} were lost`;
  }

  /** What it carries as far as anything is known, also while the search begins again. */
  get knownBytes(): number | undefined {
    if (this.isKnown) return this.size;
    return this.#hint === 0 ? undefined : this.#hint;
  }

  /** Begins from scratch: the path is new, or another than before. */
  restart(): void {
    if (this.isKnown) this.#hint = this.size;
    this.size = Math.min(BASE_MTU_BYTES, this.#bound);
    this.isKnown = false;
    this.#planned = [];
    this.#probes = [];
    this.#failures = [];
    this.#active = true;
    this.#settle();
  }

  /** No larger size is asked for from now on. */
  setBound(bytes: number): void {
    if (bytes === this.#bound) return;
    this.#bound = bytes;
    this.#hint = 0;
    this.isKnown = false;
    if (this.#active) this.restart();
  }

  /** Asks nothing more: there is nobody to answer. */
  stop(): void {
    this.#active = false;
  }

  /**
   * When {@linkcode pollProbe} has something to do; Infinity: never. `patienceUs` is the longest
   * that an answer usually takes.
   */
  timeoutAtUs(patienceUs: number): number {
    if (!this.#active) return Infinity;
    if (this.#planned.length > 0) return 0;
    if (this.#probes.length > 0) return this.#sentAtUs + patienceUs + LENIENCE_US;
    if (this.#hasNext) return 0;
    const failure = this.#failures[0];
    return failure ? failure.triedAtUs + this.#retryUs(failure) : Infinity;
  }

  /**
   * The size of a probe that is to leave now; 0: none. To be called until it says so. Sizes ascend:
   * the answer to the last that arrives speaks for those before it.
   */
  pollProbe(now: number, patienceUs: number): number {
    if (now < this.timeoutAtUs(patienceUs)) return 0;
    if (this.#planned.length === 0) {
      if (this.#probes.length > 0) this.#expire(now);
      this.#plan(now);
    }
    const size = this.#planned.shift() ?? 0;
    if (size > 0) this.#probes.push(size);
    return size;
  }

  /** A probe of `size` bytes was answered. Returns whether that is news. */
  handleAck(size: number): boolean {
    this.#probes = this.#probes.filter((probe) => probe > size);
    this.#planned = this.#planned.filter((planned) => planned > size);
    if (!this.#active || size <= this.size) return false;
    this.#failures = this.#failures.filter((failure) => failure.size > size);
    this.size = size;
    this.#settle();
    return true;
  }

  /** The system refused a datagram of `size` bytes: larger than the interface takes. */
  handleRefused(now: number, size: number): void {
    if (!this.#active) return;
    if (size <= this.size) this.restart();
    this.#fail(now, size);
    this.#probes = this.#probes.filter((probe) => probe < size);
    this.#planned = this.#planned.filter((planned) => planned < size);
    this.#settle();
  }

  /**
   * The path is heard of while `lostInARow` datagrams larger than {@linkcode BASE_MTU_BYTES} were
   * lost one after the other. Returns whether the search has begun again for that.
   */
  handleLoss(lostInARow: number): boolean {
    if (!this.#active || lostInARow < BLACK_HOLE_PACKETS) return false;
    this.blackHoles++;
    this.restart();
    return true;
  }

  #plan(now: number): void {
    for (let size = this.#next([]); size !== undefined; size = this.#next(this.#planned)) {
      if (this.#planned.push(size) === FLIGHT) break;
    }
    const failure = this.#failures[0];
    if (this.#planned.length === 0 && failure) {
      const isDue = now >= failure.triedAtUs + this.#retryUs(failure);
      if (isDue) this.#planned.push(failure.size);
    }
    this.#planned.sort((a, b) => a - b);
    this.#sentAtUs = now;
  }

  #expire(now: number): void {
    for (const size of this.#probes) this.#fail(now, size);
    this.#probes = [];
    this.#settle();
  }

  /** When there is nothing left to ask for, what is known is all there is. */
  #settle(): void {
    const next = this.#next([]);
    this.#hasNext = next !== undefined;
    // What lines commonly carry is known: what is left to find out is little.
    const isRefining = next !== undefined && this.size > BASE_MTU_BYTES && !COMMON.includes(next);
    this.isKnown ||= this.#probes.length === 0 && (next === undefined || isRefining);
  }

  #fail(now: number, size: number): void {
    const known = this.#failures.find((failure) => failure.size === size);
    if (known) {
      known.failures++;
      known.triedAtUs = now;
      return;
    }
    this.#failures.push({ size, failures: 1, triedAtUs: now });
    this.#failures.sort((a, b) => a.size - b.size);
  }

  #retryUs({ failures }: Failure): number {
    const steps = this.metered ? METERED_RETRY_US : RETRY_US;
    return steps[Math.min(failures, steps.length) - 1]!;
  }

  /** The next size to ask for besides `planned`; undefined: none is worth it. */
  #next(planned: readonly number[]): number | undefined {
    const top = this.#failures[0]?.size ?? this.#bound + 1;
    const isOpen = (size: number): boolean =>
      size > this.size && size < top && !planned.includes(size);
    if (isOpen(this.#bound)) return this.#bound;
    if (isOpen(this.#hint)) return this.#hint;
    const sizes = COMMON.filter(isOpen);
    // The largest that is common, then the middle one, so that one flight halves what is left.
    if (sizes.length > 0) return planned.length < 2 ? sizes.at(-1) : sizes[sizes.length >> 1];
    if (planned.length > 0 || top - this.size <= ENOUGH_BYTES) return undefined;
    return this.size + top >> 1;
  }
}
