/**
 * A test of one link that lasts some seconds: probes that tell its round trip, as many as no
 * heartbeat would send, and a load, if it is to be full.
 *
 * It decides when something is to leave and keeps what was seen; what leaves is written by
 * `tunnel/line_tests.ts`. Times in microseconds.
 *
 * @module
 */

import type { Report } from "../wire/report.ts";
import { Arrivals } from "./arrivals.ts";
import { LoadRate } from "./load_rate.ts";
import type { Path } from "./path.ts";

/**
 * What is done with the link: nothing else than probing it; filling it in the direction of what this
 * end sends, or of what the other end does; leaving it alone and seeing whether the other end can
 * still send.
 */
export type TestWay = "idle" | "up" | "down" | "silence";

/** Time between probes: with no load they are to see small losses, ... */
const IDLE_PROBE_US = 10_000;
/** ... with load they make the other end report. */
const LOAD_PROBE_US = 20_000;
/** Probes of which the answer is awaited must not be more than a path remembers (64). */
const PROBES_IN_FLIGHT = 32;
/** With a load a report is needed for every so many datagrams: it covers 1024. */
const PROBE_EVERY = 512;
/** What was sent last may be answered this much later, and a load leaves a queue. */
const AFTER_US = 500_000;
const AFTER_LOAD_US = 1_500_000;
/** The other end is asked this often, and only at the beginning. */
const MOST_REQUESTS = 20;
const SILENCE_REQUESTS = 3;
/** A few come when the size that a link carries is looked for; more are what was asked for. */
const MUCH_PADDING = 8;
/** Round trips that are kept. */
const MOST_ANSWERS = 2048;

/** A test of one path. */
export class LineTest {
  /** Of each answer to a probe, in the order they came. */
  readonly roundTripsUs: number[] = [];
  /** What arrived at the other end, and at this one. */
  readonly there: Arrivals = new Arrivals();
  readonly here: Arrivals = new Arrivals();
  probes = 0;
  /** Numbers of those that were not answered yet. */
  readonly #unanswered = new Set<number>();
  /** Datagrams of padding that came. */
  #padding = 0;
  readonly #load: LoadRate | undefined;
  readonly #beginsAtUs: number;
  readonly #endsAtUs: number;
  #probeAtUs: number;
  #sinceProbe = 0;
  /** What had left on the path at the last look. */
  #sentBytes: number;
  #requests = 0;
  #reportWire = -1;
  #reportAtUs = 0;

  /**
   * @param number that the other end knows it by, if it is asked for something
   * @param waitUs time before it begins, in which nothing is to leave
   */
  constructor(
    now: number,
    readonly path: Path,
    readonly way: TestWay,
    readonly durationUs: number,
    readonly number = 0,
    waitUs = 0,
  ) {
    this.#beginsAtUs = this.#probeAtUs = now + waitUs;
    this.#endsAtUs = this.#beginsAtUs + durationUs;
    this.#sentBytes = path.sent.totalBytes;
    if (way !== "up") return;
    this.#load = new LoadRate(this.#beginsAtUs, path.rate.rateBps / 2, path.rtt.srttUs);
  }

  /** Whether nothing more will come of it. */
  isOver(now: number): boolean {
    const afterUs = this.way === "idle" ? AFTER_US : AFTER_LOAD_US;
    return now >= this.#endsAtUs + afterUs + this.path.rtt.srttUs;
  }

  /** Whether nothing at all must leave on the link. */
  isQuiet(now: number): boolean {
    if (now < this.#beginsAtUs) return true;
    if (this.way !== "silence" || this.#requests < SILENCE_REQUESTS) return false;
    // What leaves too early would open a way for what is awaited.
    return now < this.#endsAtUs + AFTER_US + this.path.rtt.srttUs;
  }

  /** Whether the other end does what it was asked for. */
  get isServed(): boolean {
    return this.#padding >= MUCH_PADDING;
  }

  /** When something is to leave; may be past. */
  timeoutAtUs(now: number): number {
    if (now < this.#beginsAtUs) return this.#beginsAtUs;
    if (now >= this.#endsAtUs) return Infinity;
    if (this.isQuiet(now)) return this.#endsAtUs;
    return Math.min(this.#probeAtUs, this.#load?.dueAtUs(now) ?? Infinity);
  }

  /** Whether a probe is to leave now. */
  pollProbe(now: number): boolean {
    if (now >= this.#endsAtUs || this.isQuiet(now)) return false;
    if (now < this.#probeAtUs && this.#sinceProbe < PROBE_EVERY) return false;
    const leastUs = this.way === "idle" ? IDLE_PROBE_US : LOAD_PROBE_US;
    this.#probeAtUs = now + Math.max(leastUs, this.path.rtt.srttUs / PROBES_IN_FLIGHT);
    this.#sinceProbe = 0;
    return true;
  }

  /** It left with this number. */
  handleProbeSent(number: number): void {
    this.probes++;
    this.#unanswered.add(number);
  }

  /** Fraction of the probes that were not answered, for whatever reason. */
  get unanswered(): number {
    return this.probes === 0 ? 0 : this.#unanswered.size / this.probes;
  }

  /** Whether a datagram of padding is to leave now. */
  isPaddingDue(now: number): boolean {
    return now >= this.#beginsAtUs && now < this.#endsAtUs &&
      now >= (this.#load?.dueAtUs(now) ?? Infinity);
  }

  /** What has left since the last call counts, packets of the tunnel too: the load gives way. */
  chargeSent(now: number): void {
    const { totalBytes } = this.path.sent;
    const bytes = totalBytes - this.#sentBytes;
    this.#sentBytes = totalBytes;
    if (bytes === 0) return;
    this.#load?.charge(now, bytes);
    this.#sinceProbe++;
  }

  /**
   * Whether what is reported is due to the load, or to the queue that it has left: it says nothing
   * of what the tunnel may send.
   */
  isDisturbing(now: number): boolean {
    return this.#load !== undefined && now >= this.#beginsAtUs && now < this.#endsAtUs + AFTER_US;
  }

  /** Whether to ask the other end for what it is to do, with the probe that leaves now. */
  pollRequest(): boolean {
    const most = this.way === "down"
      ? MOST_REQUESTS
      : this.way === "silence"
      ? SILENCE_REQUESTS
      : 0;
    if (this.#requests >= most || this.isServed) return false;
    this.#requests++;
    return true;
  }

  /** How long that is to last, and when it is to begin, from `now`. */
  requestedUs(now: number): { readonly waitUs: number; readonly durationUs: number } {
    return this.way === "silence"
      ? { waitUs: this.durationUs - (now - this.#beginsAtUs), durationUs: AFTER_US }
      : { waitUs: 0, durationUs: Math.max(0, this.#endsAtUs - now) };
  }

  /** A datagram of padding came. */
  handlePadding(now: number): void {
    if (this.way !== "silence" || this.isQuiet(now)) this.#padding++;
  }

  /** The answer to probe `number` took `us`. */
  handleAnswer(number: number, us: number): void {
    // Others find out what the link carries, or are heartbeats.
    if (!this.#unanswered.delete(number)) return;
    if (this.roundTripsUs.length < MOST_ANSWERS) this.roundTripsUs.push(us);
    this.#load?.handleRoundTrip(us, this.path.rtt.minUs);
  }

  /** The newest report on the link. */
  handleReport(now: number, report: Report): void {
    if (!this.#isNoted(now)) return;
    const { receivedAtUs, datagrams, bytes, highest } = report;
    this.#reportAtUs += this.#reportWire < 0 ? 0 : receivedAtUs - this.#reportWire | 0;
    this.#reportWire = receivedAtUs;
    this.there.note(this.#reportAtUs, datagrams, bytes, highest);
    const packetBytes = bytes + datagrams * this.path.wireBytes(0);
    this.#load?.handleArrival(now, this.#reportAtUs, packetBytes, datagrams, highest);
  }

  /** What has been received on the link so far, the newest at `atUs`. */
  handleReceipt(
    now: number,
    atUs: number,
    { datagrams, bytes, window }: {
      readonly datagrams: number;
      readonly bytes: number;
      readonly window: { readonly newest: number };
    },
  ): void {
    if (this.#isNoted(now)) this.here.note(atUs, datagrams, bytes, window.newest);
  }

  /** What comes after a load would make it seem less. */
  #isNoted(now: number): boolean {
    return now >= this.#beginsAtUs && (now < this.#endsAtUs || this.way === "idle");
  }
}
