/**
 * What arrives from a peer: is it new, in which order is it delivered, and what does the peer need
 * to be told about the links it came on?
 *
 * @module
 */

import { DelayTable } from "../links/delay.ts";
import { REPORT_DATAGRAMS, REPORT_INTERVAL_US } from "../links/liveness.ts";
import { Meter } from "../links/meter.ts";
import type { LinkReceipt, Session } from "../session/session.ts";
import { PACKET_OFFSET, type PacketPool } from "../slab.ts";
import {
  readBucket,
  readFlowSequence,
  readGlobalSequence,
  readKind,
  readSentAt,
} from "../wire/data.ts";
import { isTcp, KIND } from "../wire/ip.ts";
import { MAX_RANGES, MAX_REACH, QUEUE_UNKNOWN, type Report } from "../wire/report.ts";
import { timeDifference, wireTime } from "../wire/time.ts";
import { Duplicates } from "./duplicates.ts";
import { type Deliver, Resequencer } from "./resequencer.ts";

/** A hole is reported at once, but not more often than this, in microseconds. */
const HOLE_REPORT_US = 2_000;
/** Longest wait for a bulk packet, and for one that should not wait, in microseconds. */
const MAX_HOLD_US = 400_000;
const MAX_INTERACTIVE_HOLD_US = 20_000;
/** Time for a report, on top of a round trip, until a lost packet arrives again, in microseconds. */
const RESEND_MARGIN_US = 10_000;
const LOSS_WINDOW_US = 1_000_000;
/**
 * A link that delivered within this time, in microseconds, is still working through what it was
 * given before; and the longest wait for that: less than a sender's retransmission timeout.
 */
const AT_WORK_US = 400_000;
const MAX_POSTPONED_US = 600_000;
/** ... and how often that is checked again. */
const POSTPONE_US = 10_000;
/** In place of a packet's send time, which is never negative: it must not wait any longer. */
const NEVER_POSTPONED = -1;

/** Receiving state of one link. */
class LinkReceiver {
  received: Meter = new Meter();
  /** Session of the newest datagram; reports are about it. */
  session: Session | undefined;
  /** Its newest counter, and when that arrived. */
  newest = -1;
  receivedAtUs = 0;
  receivedDatagrams = 0;
  /** Data since the last report. */
  unreported = 0;
  unreportedSince = Infinity;
  reportedAtUs = -Infinity;
  /** When the newest datagram with a send time had left, in wire time, and when it came. */
  newestSentAtUs = 0;
  heardAt = -Infinity;
  hole = false;
  /** Fraction of the peer's datagrams that did not arrive, over the last whole second. */
  loss = 0;
  lossWindowEndsAtUs = 0;
  lossNewest = -1;
  lossDatagrams = 0;
}

/** The receiving side of one peer. */
export class Receiver {
  readonly links: LinkReceiver[];
  readonly delays: DelayTable;
  readonly resequencer: Resequencer;
  /** The shortest round trip of any link, from which follows how long a resent packet takes. */
  roundTripUs = 0;
  readonly #duplicates = new Duplicates();
  readonly #pool: PacketPool;
  readonly #deliver: Deliver;

  constructor(links: number, pool: PacketPool, deliver: Deliver) {
    this.links = Array.from({ length: links }, () => new LinkReceiver());
    this.delays = new DelayTable(links);
    const postpone = (now: number, sentAtUs: number, heldSince: number): number =>
      this.#postpone(now, sentAtUs, heldSince);
    const isPaced = (slot: number): boolean => !isTcp(pool.bytes, pool.at(slot) + PACKET_OFFSET);
    this.resequencer = new Resequencer(pool, pool.count >> 1, deliver, postpone, isPaced);
    this.#pool = pool;
    this.#deliver = deliver;
  }

  /** Makes room for `links` links; what is known of the first ones stays. */
  grow(links: number): void {
    while (this.links.length < links) this.links.push(new LinkReceiver());
    this.delays.grow(links);
  }

  /** The link with this number is another one from now on. */
  renew(link: number): void {
    const state = this.links[link]!;
    state.received = new Meter();
    state.receivedDatagrams = 0;
    this.delays.forget(link);
  }

  /** The peer has restarted: its sequences begin at zero and its clock is a different one. */
  reset(now: number): void {
    this.resequencer.reset(now);
    this.#duplicates.reset();
    this.delays.reset();
    for (const link of this.links) {
      link.session = undefined;
      link.unreported = 0;
    }
  }

  /** Datagram `counter` of `session`, `length` bytes on the wire, was accepted. */
  handleDatagram(
    now: number,
    link: number,
    session: Session,
    counter: number,
    length: number,
  ): void {
    const state = this.links[link]!;
    state.received.add(now, length);
    state.receivedDatagrams++;
    if (counter !== session.receipts[link]!.window.newest) return;
    if (session === state.session) state.hole ||= counter > state.newest + 1;
    else if (state.session && session.createdAtUs < state.session.createdAtUs) return;
    const isNew = state.session !== session;
    state.session = session;
    state.newest = counter;
    state.receivedAtUs = now;
    if (isNew || now >= state.lossWindowEndsAtUs) {
      countLoss(now, state, session.receipts[link]!, isNew);
    }
  }

  /** Fraction of the datagrams of `link` that were lost on the way here, recently. */
  loss(link: number): number {
    return this.links[link]!.loss;
  }

  /** Data arrived, about which the peer expects a report. */
  noteData(now: number, link: number): void {
    const state = this.links[link]!;
    if (state.unreported++ === 0) state.unreportedSince = now;
  }

  /**
   * Accepts the DATA frame whose header is at `at` and whose packet is in `slot`. Returns false for
   * a duplicate: the slot remains the caller's.
   */
  handleData(now: number, link: number, at: number, slot: number): boolean {
    const bytes = this.#pool.bytes;
    const sentAtUs = readSentAt(bytes, at);
    // Even a link that carries only copies, all of them late, has delays and a queue.
    const owdUs = this.delays.sample(now, link, sentAtUs, wireTime(now));
    this.#noteHeard(now, link, sentAtUs);
    if (!this.#duplicates.accept(readGlobalSequence(bytes, at))) return false;
    const kind = readKind(bytes, at);
    if (kind === KIND.unordered) {
      this.#deliver(slot);
      return true;
    }
    const flow = readBucket(bytes, at);
    const sequence = readFlowSequence(bytes, at);
    if (this.resequencer.pass(now, flow, sequence, slot)) return true;
    const lateUs = this.delays.latestUs(now) - owdUs + 2 * this.roundTripUs + RESEND_MARGIN_US;
    const most = kind === KIND.interactive ? MAX_INTERACTIVE_HOLD_US : MAX_HOLD_US;
    const holdUs = Math.trunc(Math.min(Math.max(lateUs, 0), most));
    const patient = kind === KIND.interactive ? NEVER_POSTPONED : sentAtUs;
    this.resequencer.hold(now, flow, sequence, slot, holdUs, patient);
    return true;
  }

  /** A datagram of `link` said when it left, modulo 2^24 microseconds. */
  noteSentAt(now: number, link: number, sentAtUs: number): void {
    this.delays.sample(now, link, sentAtUs, wireTime(now));
    this.#noteHeard(now, link, sentAtUs);
  }

  #noteHeard(now: number, link: number, sentAtUs: number): void {
    const state = this.links[link]!;
    state.newestSentAtUs = sentAtUs;
    state.heardAt = now;
  }

  /**
   * What is missing may be on a link that has become slow: one that delivers, but so far nothing
   * that left as late as the held packet.
   */
  #postpone(now: number, sentAtUs: number, heldSince: number): number {
    if (sentAtUs === NEVER_POSTPONED) return -Infinity;
    for (const link of this.links) {
      if (now - link.heardAt > AT_WORK_US) continue;
      if (timeDifference(link.newestSentAtUs, sentAtUs) >= 0) continue;
      return Math.min(now + POSTPONE_US, heldSince + MAX_POSTPONED_US);
    }
    return -Infinity;
  }

  /** Whether a report on `link` is due; {@linkcode reportAtUs} tells when it will be. */
  reportDue(now: number, link: number): boolean {
    const state = this.links[link]!;
    return state.unreported > 0 && now >= this.reportAtUs(link);
  }

  /** Whether a report on `link` is due only because of a hole. */
  onlyHoleDue(now: number, link: number): boolean {
    const state = this.links[link]!;
    return state.hole && state.unreported < REPORT_DATAGRAMS &&
      now < state.unreportedSince + REPORT_INTERVAL_US;
  }

  /** When the next report on `link` is due; Infinity when there is nothing to report. */
  reportAtUs(link: number): number {
    const state = this.links[link]!;
    if (state.unreported === 0) return Infinity;
    if (state.hole) return state.reportedAtUs + HOLE_REPORT_US;
    if (state.unreported >= REPORT_DATAGRAMS) return 0;
    return state.unreportedSince + REPORT_INTERVAL_US;
  }

  /** Fills `report` with the state of `link`. False when nothing has arrived there. */
  fillReport(now: number, link: number, report: Report): boolean {
    const state = this.links[link]!;
    const session = state.session;
    if (!session) return false;
    const receipt = session.receipts[link]!;
    report.linkId = link;
    report.sessionId = session.localId;
    report.highest = receipt.window.newest >>> 0;
    report.receivedAtUs = state.receivedAtUs % 0x1_0000_0000 >>> 0;
    report.heldUs = Math.floor(now - state.receivedAtUs);
    report.datagrams = receipt.datagrams >>> 0;
    report.bytes = receipt.bytes;
    const owdUs = this.delays.intervalUs(link);
    const known = owdUs !== Infinity;
    report.owdUs = this.delays.toWire(known ? owdUs : this.delays.owdUs[link]!);
    report.queueDelayUs = known
      ? Math.max(0, Math.round(owdUs - this.delays.leastUs(link)))
      : QUEUE_UNKNOWN;
    fillRanges(session, link, report);
    return true;
  }

  /** A hole on `link` has been reported; when the regular report is due does not change. */
  noteHoleReported(now: number, link: number): void {
    const state = this.links[link]!;
    state.hole = false;
    state.reportedAtUs = now;
  }

  /** The report on `link` has left. */
  noteReported(now: number, link: number): void {
    const state = this.links[link]!;
    state.unreported = 0;
    state.hole = false;
    state.reportedAtUs = now;
    this.delays.endInterval(link);
  }
}

function countLoss(now: number, state: LinkReceiver, receipt: LinkReceipt, isNew: boolean): void {
  const expected = state.newest - state.lossNewest;
  const arrived = receipt.datagrams - state.lossDatagrams;
  if (!isNew && expected > 0) state.loss = Math.max(0, 1 - arrived / expected);
  state.lossNewest = state.newest;
  state.lossDatagrams = receipt.datagrams;
  state.lossWindowEndsAtUs = now + LOSS_WINDOW_US;
}

/** Runs of received counters from the newest downward. */
function fillRanges(session: Session, link: number, report: Report): void {
  const window = session.receipts[link]!.window;
  const end = Math.max(window.newest - MAX_REACH, -1);
  let counter = window.newest;
  report.rangeCount = 0;
  while (counter > end && report.rangeCount < MAX_RANGES) {
    const top = counter;
    while (counter > end && !window.received(counter)) counter--;
    if (counter === end) break;
    const gap = top - counter;
    const first = counter;
    while (counter > end && window.received(counter)) counter--;
    report.gaps[report.rangeCount] = gap;
    report.runs[report.rangeCount++] = first - counter;
  }
}
