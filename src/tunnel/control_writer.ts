/**
 * Control datagrams: probes, their answers, reports and the farewell.
 *
 * They bypass the queue: what measures a link must not wait behind what it carries. Each path's
 * report travels on that path, together with what there is to report about the others, so that one
 * dead direction seldom hides anything about another link: only if both fall due together. Slow
 * links, where duplicate reports would cost a few percent, take turns. What cannot wait, a hole in
 * what has arrived, is reported on the fastest path.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import type { Receiver } from "../receiver/receiver.ts";
import { isBackup, rank } from "../scheduler/tiers.ts";
import type { Transmitter } from "../scheduler/transmitter.ts";
import { type PacketPool, PLAIN_OFFSET } from "../slab.ts";
import {
  CLOSE_REASON,
  FRAME,
  LinkUpdate,
  MAX_LINK_BYTES,
  writeClose,
  writeLinkUpdate,
  writeMtu,
  writePadding,
  writeProbe,
} from "../wire/frame.ts";
import { writeAddress } from "../wire/measure.ts";
import type { Tokens } from "../crypto/tokens.ts";
import { OUTER_HEADER_BYTES, TAG_BYTES } from "../wire/datagram.ts";
import { FRAMES_OVERHEAD_BYTES } from "../wire/overhead.ts";
import { MAX_REPORT_BYTES, Report, writeReport } from "../wire/report.ts";
import { wireTime } from "../wire/time.ts";

/** Bytes of frames that one control datagram holds at most. */
const MAX_FRAMES_BYTES = 1200;
/** Below this rate links take turns to carry the reports of all, in bits per second. */
const SLOW_BPS = 3_000_000;
/**
 * Probes of a link that are answered together: sizes are asked for three at a time, and a test sends
 * a hundred in a second, of which none is to seem lost because this end was late.
 */
const MAX_ACKS = 16;
/** This many reports always fit into one datagram. */
const MAX_SHARED = 4;

/**
 * What is sent back is at most this many times what came: a report may repeat what an earlier one
 * said, which whoever asks again and again would get more of than it costs.
 */
const MOST_TIMES = 3;
const MOST_CREDIT_BYTES = 16_384;

/** Writes the control datagrams of one peer. */
export class ControlWriter {
  readonly #pool: PacketPool;
  readonly #slot: number;
  readonly #report = new Report();
  readonly #settings = new LinkUpdate();
  #paths: readonly Path[] = [];
  #receiver!: Receiver;
  #out!: Transmitter;
  #probe: Uint8Array = new Uint8Array(0);
  /** Numbers and times of the probes of each link that are to be answered, and how many. */
  #ackNumbers: Float64Array = new Float64Array(0);
  #ackTimes: Float64Array = new Float64Array(0);
  #ackCount: Uint8Array = new Uint8Array(0);
  /** Links on which the peer asked where it is seen. */
  #addressAsked: Uint8Array = new Uint8Array(0);
  /** Probes and answers that are to be sent. */
  #wanted = 0;
  /** Bytes that may still be sent back. */
  #credit = MAX_FRAMES_BYTES;
  #tokens: Tokens | undefined;
  /** Where the next round begins. */
  #first = 0;

  /** @param slot a slot of `pool` for the frames; nothing stays in it */
  constructor(pool: PacketPool, slot: number) {
    this.#pool = pool;
    this.#slot = slot;
  }

  /** Sets the links to write about and on, and what to send with. */
  configure(paths: readonly Path[], receiver: Receiver, out: Transmitter): void {
    const links = paths.length;
    this.#paths = paths;
    this.#receiver = receiver;
    this.#out = out;
    this.#probe = new Uint8Array(links);
    this.#ackNumbers = new Float64Array(links * MAX_ACKS);
    this.#ackTimes = new Float64Array(links * MAX_ACKS);
    this.#ackCount = new Uint8Array(links);
    this.#addressAsked = new Uint8Array(links);
    this.#wanted = 0;
  }

  /** A new session begins, with what its probes are known by. */
  handleSession(tokens: Tokens): void {
    this.#tokens = tokens;
  }

  /** A datagram of `length` bytes came from the peer. */
  handleReceived(length: number): void {
    this.#credit = Math.min(this.#credit + MOST_TIMES * length, MOST_CREDIT_BYTES);
  }

  /** Has room for links that were added to the list; what is to be sent on others stays. */
  grow(): void {
    const links = this.#paths.length;
    this.#probe = grown(this.#probe, new Uint8Array(links));
    this.#ackCount = grown(this.#ackCount, new Uint8Array(links));
    this.#ackNumbers = grown(this.#ackNumbers, new Float64Array(links * MAX_ACKS));
    this.#ackTimes = grown(this.#ackTimes, new Float64Array(links * MAX_ACKS));
    this.#addressAsked = grown(this.#addressAsked, new Uint8Array(links));
  }

  /** Whether a probe or an answer waits. */
  get pending(): boolean {
    return this.#wanted > 0;
  }

  /** A probe is to leave on `link`. */
  requestProbe(link: number): void {
    if (this.#probe[link] === 0) this.#wanted++;
    this.#probe[link] = 1;
  }

  /** Probe `number` came on `link`, with the time it was sent at. */
  requestAck(link: number, number: number, time: number): void {
    const count = this.#ackCount[link]!;
    if (count === 0) this.#wanted++;
    if (count < MAX_ACKS) this.#ackCount[link] = count + 1;
    const place = link * MAX_ACKS + Math.min(count, MAX_ACKS - 1);
    this.#ackNumbers[place] = number;
    this.#ackTimes[place] = time;
  }

  /** The peer asks on `link` where it is seen, which is answered with its probe. */
  requestAddress(link: number): void {
    this.#addressAsked[link] = 1;
  }

  /** Sends what is due. */
  write(): void {
    const { now } = this.#out;
    const paths = this.#paths;
    const receiver = this.#receiver;
    const first = this.#first;
    for (let i = 0; i < paths.length; i++) {
      const path = paths[(first + i) % paths.length]!;
      const link = path.options.id;
      if (!path.remote || path.isQuiet(now)) {
        this.#forget(link);
        continue;
      }
      const due = receiver.reportDue(now, link);
      if (path.pollProof(now)) this.requestProbe(link);
      if (!this.#out.isFull(path)) this.#writeSizeProbes(path);
      if (path.pollMtuNews(now)) this.requestProbe(link);
      const wanted = this.#probe[link] === 1 || this.#ackCount[link]! > 0;
      if (!due && !wanted) continue;
      if (this.#out.isFull(path)) continue;
      if (!wanted && receiver.onlyHoleDue(now, link)) {
        this.#writeAbout(path, fastestOf(paths) ?? path);
        receiver.noteHoleReported(now, link);
        continue;
      }
      this.#writeOn(path);
      if (due && path.live.state !== "up") {
        const working = fastestOf(paths);
        if (working) this.#writeAbout(path, working);
      }
      receiver.noteReported(now, link);
      if (path.rate.rateBps < SLOW_BPS) this.#shareReport(path);
    }
  }

  /** Sends a CLOSE on every path. */
  writeClose(): void {
    for (const path of this.#paths) {
      if (!path.remote || this.#out.isFull(path)) continue;
      this.#send(path, writeClose(this.#pool.bytes, this.#start, CLOSE_REASON.shutdown));
    }
  }

  get #start(): number {
    return this.#pool.at(this.#slot) + PLAIN_OFFSET;
  }

  /** Other slow links need not repeat what a slow link has already carried for them. */
  #shareReport(carrier: Path): void {
    const paths = this.#paths;
    if (carrier.live.state !== "up" || paths.length > MAX_SHARED) return;
    this.#first = (paths.indexOf(carrier) + 1) % paths.length;
    for (const path of paths) {
      const slow = path.rate.rateBps < SLOW_BPS && path.live.state === "up";
      if (path !== carrier && slow) {
        this.#receiver.noteReported(this.#out.now, path.options.id);
      }
    }
  }

  #writeOn(path: Path): void {
    const link = path.options.id;
    const bytes = this.#pool.bytes;
    const { now } = this.#out;
    let at = this.#start;
    if (this.#probe[link] === 1) {
      const token = path.nextProbe(now, 0, this.#tokens?.next());
      at = writeProbe(bytes, at, FRAME.probe, token, wireTime(now));
      if (path.mtuNews.pending) at = writeMtu(bytes, at, path.mtu.size);
      at = this.#writeNews(at, path);
    }
    for (let i = 0; i < this.#ackCount[link]!; i++) {
      const place = link * MAX_ACKS + i;
      at = writeProbe(bytes, at, FRAME.probeAck, this.#ackNumbers[place]!, this.#ackTimes[place]!);
    }
    if (this.#addressAsked[link] === 1) {
      const { address, port } = path.remote!;
      at = writeAddress(bytes, at, address, port);
    }
    this.#forget(link);
    this.#send(path, this.#writeReports(at, link));
  }

  /** What the peer may not know of the link, and of links that have gone: they cannot say it. */
  #writeNews(from: number, path: Path): number {
    let at = from;
    for (const about of this.#paths) {
      if (about === path ? !path.news.telling : !about.hasLeft) continue;
      if (at - this.#start + MAX_LINK_BYTES > MAX_FRAMES_BYTES / 2) break;
      at = writeLinkUpdate(this.#pool.bytes, at, this.#settingsOf(about));
    }
    return at;
  }

  #settingsOf(path: Path): LinkUpdate {
    const settings = this.#settings;
    settings.linkId = path.options.id;
    settings.tier = path.tier;
    settings.metered = path.live.metered;
    settings.gone = path.hasLeft;
    settings.name = path.options.spare ? path.name : "";
    return settings;
  }

  /** Sends probes of the sizes that a path may carry. */
  #writeSizeProbes(path: Path): void {
    const { now } = this.#out;
    const { bytes } = this.#pool;
    while (!this.#out.isFull(path)) {
      const size = path.pollSizeProbe(now);
      if (size === 0) return;
      const length = size - FRAMES_OVERHEAD_BYTES[path.remote!.family];
      const token = path.nextProbe(now, size, this.#tokens?.next());
      const at = writeProbe(bytes, this.#start, FRAME.probe, token, wireTime(now));
      writePadding(bytes, at, this.#start + length - at);
      this.#out.sendSizeProbe(path, this.#slot, length);
    }
  }

  /** Writes the report about one path on another: because that works, or because it is faster. */
  #writeAbout(about: Path, carrier: Path): void {
    if (this.#out.isFull(carrier)) return;
    this.#send(carrier, this.#writeReports(this.#start, about.options.id));
  }

  /** Reports of `link`, and of every other link that has news. */
  #writeReports(from: number, link: number): number {
    const receiver = this.#receiver;
    let at = from;
    const room = Math.min(MAX_FRAMES_BYTES, this.#credit - OUTER_HEADER_BYTES - TAG_BYTES);
    for (const path of this.#paths) {
      const id = path.options.id;
      if (id !== link && receiver.links[id]!.unreported === 0) continue;
      if (at - this.#start + MAX_REPORT_BYTES > room) break;
      if (!receiver.fillReport(this.#out.now, id, this.#report)) continue;
      at = writeReport(this.#pool.bytes, at, this.#report);
    }
    return at;
  }

  /** Sends the frames that end at `end`. */
  #send(path: Path, end: number): void {
    const length = end - this.#start;
    const datagramBytes = OUTER_HEADER_BYTES + length + TAG_BYTES;
    if (length === 0 || !path.allows(this.#out.now, datagramBytes)) return;
    this.#out.sendControl(path, this.#slot, length);
    this.#credit = Math.max(0, this.#credit - datagramBytes);
  }

  #forget(link: number): void {
    if (this.#probe[link] === 1) this.#wanted--;
    if (this.#ackCount[link]! > 0) this.#wanted--;
    this.#probe[link] = 0;
    this.#ackCount[link] = 0;
    this.#addressAsked[link] = 0;
  }
}

function grown<T extends Uint8Array | Float64Array>(table: T, larger: T): T {
  larger.set(table);
  return larger;
}

/** The path that is up and has the shortest round trip; a backup only when there is no other. */
function fastestOf(paths: readonly Path[]): Path | undefined {
  let best: Path | undefined;
  for (const path of paths) {
    if (path.live.state !== "up" || !path.remote) continue;
    if (!best || isFaster(path, best)) best = path;
  }
  return best;
}

function isFaster(path: Path, other: Path): boolean {
  const ranks = rank(path) - rank(other);
  if (ranks !== 0 && (isBackup(path) || isBackup(other))) return ranks < 0;
  return path.rtt.srttUs < other.rtt.srttUs;
}
