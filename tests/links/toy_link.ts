/**
 * A link with a rate, a delay and a drop-tail queue, and a receiver that reports as the product's
 * does, around one {@linkcode Path}: what the rate estimator is tested with. Times in microseconds.
 *
 * @module
 */

import { Path } from "../../src/links/path.ts";
import { remoteOf } from "../../src/remote.ts";
import { Report } from "../../src/wire/report.ts";

const DATAGRAM_BYTES = 1372;
const WIRE_BYTES = DATAGRAM_BYTES + 28;
const REPORT_DATAGRAMS = 32;
const REPORT_US = 20_000;
const HOLE_US = 2_000;

export interface ToyOptions {
  /** Bits per second at an instant. */
  readonly capacityBps: (now: number) => number;
  /** Bits per second to be sent at an instant; by default more than fits. */
  readonly demandBps?: (now: number) => number;
  /** Known capacity of the path's configuration. */
  readonly uploadBps?: number;
  readonly oneWayUs?: number;
  /** The queue of the link, as time at its rate. */
  readonly queueUs?: number;
  /** Whether datagram `number` is lost at random. */
  readonly isLost?: (number: number) => boolean;
}

interface Arrival {
  readonly at: number;
  readonly sentAtUs: number;
  readonly number: number;
}

/** Sends over one path until an instant, and looks at what the path believes. */
export class ToyLink {
  readonly path: Path;
  now = 0;
  /** What arrived since the start. */
  deliveredBytes = 0;
  sentBytes = 0;
  /** Greatest time in the link's queue since {@linkcode takeWorstQueueUs}. */
  #worstQueueUs = 0;

  readonly #options: Required<ToyOptions>;
  readonly #arrivals: Arrival[] = [];
  readonly #reports: { at: number; report: Report }[] = [];
  readonly #received = new Set<number>();
  #freeAt = 0;
  #availableAt = 0;
  #newest = -1;
  #receivedAtUs = 0;
  #unreported = 0;
  #unreportedSince = 0;
  #reportedAtUs = 0;
  #hole = false;
  #leastUs = Infinity;
  #intervalUs = Infinity;

  constructor(options: ToyOptions) {
    this.#options = {
      demandBps: () => 1e12,
      uploadBps: 0,
      oneWayUs: 10_000,
      queueUs: 100_000,
      isLost: () => false,
      ...options,
    };
    const fixed = {
      id: 0,
      name: "toy",
      tier: "primary",
      metered: false,
      timeoutUs: 750_000,
    } as const;
    const remote = remoteOf(Uint8Array.of(192, 0, 2, 1), 5080);
    this.path = new Path({ ...fixed, uploadBps: this.#options.uploadBps }, 0, 0, remote);
    this.now = 2 * this.#options.oneWayUs;
    this.path.handleProbeAck(this.now, this.path.nextProbe(0));
  }

  /** Runs to `seconds`; returns what arrived since the call, in bits per second. */
  runTo(seconds: number): number {
    const from = this.now;
    const before = this.deliveredBytes;
    while (this.#step(seconds * 1e6));
    this.now = seconds * 1e6;
    return (this.deliveredBytes - before) * 8e6 / (this.now - from);
  }

  takeWorstQueueUs(): number {
    const worst = this.#worstQueueUs;
    this.#worstQueueUs = 0;
    return worst;
  }

  #step(until: number): boolean {
    const arrivalAtUs = this.#arrivals[0]?.at ?? Infinity;
    const reportedAtUs = this.#reports[0]?.at ?? Infinity;
    const sendAt = this.#sendAt();
    const writeAt = this.#writeAt();
    const next = Math.max(this.now, Math.min(arrivalAtUs, reportedAtUs, sendAt, writeAt));
    if (next > until) return false;
    this.now = next;
    if (arrivalAtUs <= next) this.#arrive(this.#arrivals.shift()!);
    else if (writeAt <= next) this.#writeReport();
    else if (reportedAtUs <= next) this.#handleReport(this.#reports.shift()!.report);
    else this.#send();
    return true;
  }

  #sendAt(): number {
    if (!this.path.open) return Infinity;
    const dueAtUs = this.path.pacer.dueAtUs;
    if (this.#availableAt > this.now && dueAtUs <= this.now) this.path.handleIdle();
    return Math.max(dueAtUs, this.#availableAt);
  }

  #send(): void {
    const { capacityBps, demandBps, isLost, oneWayUs, queueUs } = this.#options;
    const number = this.path.flight.next;
    this.path.handleSent(this.now, number, DATAGRAM_BYTES);
    this.sentBytes += WIRE_BYTES;
    const backlog = Math.max(this.#availableAt, this.now - 20_000); // a little may have accumulated
    this.#availableAt = backlog + WIRE_BYTES * 8e6 / demandBps(this.now);
    const waitUs = Math.max(this.#freeAt - this.now, 0);
    if (waitUs > queueUs || isLost(number)) return;
    this.#worstQueueUs = Math.max(this.#worstQueueUs, waitUs);
    this.#freeAt = this.now + waitUs + WIRE_BYTES * 8e6 / capacityBps(this.now);
    this.#arrivals.push({ at: this.#freeAt + oneWayUs, sentAtUs: this.now, number });
  }

  #arrive({ at, sentAtUs, number }: Arrival): void {
    this.deliveredBytes += WIRE_BYTES;
    this.#received.add(number);
    this.#hole ||= number > this.#newest + 1;
    this.#newest = number;
    this.#receivedAtUs = at;
    this.#leastUs = Math.min(this.#leastUs, at - sentAtUs);
    this.#intervalUs = Math.min(this.#intervalUs, at - sentAtUs);
    if (this.#unreported++ === 0) this.#unreportedSince = at;
  }

  #writeAt(): number {
    if (this.#unreported === 0) return Infinity;
    if (this.#hole) return this.#reportedAtUs + HOLE_US;
    return this.#unreported >= REPORT_DATAGRAMS ? 0 : this.#unreportedSince + REPORT_US;
  }

  #writeReport(): void {
    const report = new Report();
    report.highest = this.#newest;
    report.receivedAtUs = Math.floor(this.#receivedAtUs) % 2 ** 32;
    report.heldUs = Math.floor(this.now - this.#receivedAtUs);
    report.datagrams = this.#received.size;
    report.bytes = this.#received.size * DATAGRAM_BYTES;
    report.owdUs = Math.round(this.#intervalUs);
    report.queueDelayUs = Math.round(this.#intervalUs - this.#leastUs);
    this.#fillRanges(report);
    this.#reports.push({ at: this.now + this.#options.oneWayUs, report });
    this.#unreported = 0;
    this.#hole = false;
    this.#reportedAtUs = this.now;
    this.#intervalUs = Infinity;
  }

  #fillRanges(report: Report): void {
    let number = this.#newest;
    while (number >= 0 && report.rangeCount < 16 && number > this.#newest - 1024) {
      let gap = 0;
      for (; number >= 0 && !this.#received.has(number); number--) gap++;
      const top = number;
      while (number >= 0 && this.#received.has(number) && top - number < 1024) number--;
      report.gaps[report.rangeCount] = gap;
      report.runs[report.rangeCount++] = top - number;
    }
  }

  #handleReport(report: Report): void {
    this.path.handleReport(this.now, report, 0, true, () => {}, () => {});
  }
}
