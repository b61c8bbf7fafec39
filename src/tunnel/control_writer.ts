/**
 * Control datagrams: probes, their answers, reports and the farewell.
 *
 * They bypass the queue: what measures a link must not wait behind what it
 * carries. Each path's report travels on that path, together with what there is to
 * report of the others, so that one dead direction hides nothing of another link. On
 * slow links, where twice the same would cost a few percent, they take turns. What
 * cannot wait, a hole in what has arrived, is told on the fastest path.
 *
 * @module
 */

import type { TransmitBatch } from "../batch.ts";
import type { Path } from "../links/path.ts";
import type { Receiver } from "../receiver/receiver.ts";
import type { Session } from "../session/session.ts";
import { type PacketPool, PLAIN_OFFSET } from "../slab.ts";
import { CLOSE_REASON, FRAME, writeClose, writeLinkUpdate, writeProbe } from "../wire/frame.ts";
import { MAX_REPORT_BYTES, Report, writeReport } from "../wire/report.ts";
import { wireTime } from "../wire/time.ts";

/** Bytes of frames that one control datagram holds at most. */
const MAX_FRAMES_BYTES = 1200;
/** Below this rate links take turns to carry the reports of all, in bits per second. */
const SLOW_BPS = 3_000_000;
/** So many reports surely fit into one datagram. */
const MAX_SHARED = 4;

/** Writes the control datagrams of one peer. */
export class ControlWriter {
  readonly #pool: PacketPool;
  readonly #slot: number;
  readonly #report = new Report();
  #probe: Uint8Array = new Uint8Array(0);
  /** Number and time of the newest probe of each link; -1: none to answer. */
  #ackNumber: Float64Array = new Float64Array(0);
  #ackTime: Float64Array = new Float64Array(0);
  /** Probes and answers that are to be sent. */
  #wanted = 0;
  /** Where the next round begins. */
  #first = 0;

  /** @param slot a slot of `pool` for the frames; nothing stays in it */
  constructor(pool: PacketPool, slot: number) {
    this.#pool = pool;
    this.#slot = slot;
  }

  configure(links: number): void {
    this.#probe = new Uint8Array(links);
    this.#ackNumber = new Float64Array(links).fill(-1);
    this.#ackTime = new Float64Array(links);
    this.#wanted = 0;
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
    if (this.#ackNumber[link]! < 0) this.#wanted++;
    this.#ackNumber[link] = number;
    this.#ackTime[link] = time;
  }

  /** Appends what is due to the batches. */
  write(
    now: number,
    session: Session,
    paths: readonly Path[],
    receiver: Receiver,
    batches: readonly TransmitBatch[],
  ): void {
    const first = this.#first;
    for (let i = 0; i < paths.length; i++) {
      const path = paths[(first + i) % paths.length]!;
      const link = path.options.id;
      const due = receiver.reportDue(now, link);
      const wanted = this.#probe[link] === 1 || this.#ackNumber[link]! >= 0;
      if (!due && !wanted) continue;
      if (!path.remote) {
        this.#forget(link);
        continue;
      }
      if (batches[path.socket]!.full) continue;
      if (!wanted && receiver.onlyHoleDue(now, link)) {
        const fastest = fastestOf(paths) ?? path;
        this.#writeAbout(now, session, path, fastest, paths, receiver, batches);
        receiver.noteHoleReported(now, link);
        continue;
      }
      this.#writeOn(now, session, path, paths, receiver, batches[path.socket]!);
      if (due && path.live.state !== "up") {
        const working = fastestOf(paths);
        if (working) this.#writeAbout(now, session, path, working, paths, receiver, batches);
      }
      receiver.noteReported(now, link);
      if (path.rate.rateBps < SLOW_BPS) this.#shareReport(now, path, paths, receiver);
    }
  }

  /** Appends a CLOSE for every path. */
  writeClose(
    now: number,
    session: Session,
    paths: readonly Path[],
    batches: readonly TransmitBatch[],
  ): void {
    for (const path of paths) {
      if (!path.remote || batches[path.socket]!.full) continue;
      const start = this.#start;
      const end = writeClose(this.#pool.bytes, start, CLOSE_REASON.shutdown);
      this.#seal(now, session, path, end - start, batches[path.socket]!);
    }
  }

  get #start(): number {
    return this.#pool.at(this.#slot) + PLAIN_OFFSET;
  }

  /** What a slow link has carried for other slow ones they need not carry themselves. */
  #shareReport(now: number, carrier: Path, paths: readonly Path[], receiver: Receiver): void {
    if (carrier.live.state !== "up" || paths.length > MAX_SHARED) return;
    this.#first = (paths.indexOf(carrier) + 1) % paths.length;
    for (const path of paths) {
      const slow = path.rate.rateBps < SLOW_BPS && path.live.state === "up";
      if (path !== carrier && slow) receiver.noteReported(now, path.options.id);
    }
  }

  #writeOn(
    now: number,
    session: Session,
    path: Path,
    paths: readonly Path[],
    receiver: Receiver,
    batch: TransmitBatch,
  ): void {
    const link = path.options.id;
    const bytes = this.#pool.bytes;
    let at = this.#start;
    if (this.#probe[link] === 1) {
      at = writeProbe(bytes, at, FRAME.probe, path.nextProbe(now), wireTime(now));
      if (path.news.telling) at = writeLinkUpdate(bytes, at, link, path.tier, path.live.metered);
    }
    if (this.#ackNumber[link]! >= 0) {
      at = writeProbe(bytes, at, FRAME.probeAck, this.#ackNumber[link]!, this.#ackTime[link]!);
    }
    this.#forget(link);
    at = this.#writeReports(now, at, link, paths, receiver);
    this.#seal(now, session, path, at - this.#start, batch);
  }

  /** Writes the report about one path on another: because that works, or because it is faster. */
  #writeAbout(
    now: number,
    session: Session,
    about: Path,
    carrier: Path,
    paths: readonly Path[],
    receiver: Receiver,
    batches: readonly TransmitBatch[],
  ): void {
    if (batches[carrier.socket]!.full) return;
    const at = this.#writeReports(now, this.#start, about.options.id, paths, receiver);
    this.#seal(now, session, carrier, at - this.#start, batches[carrier.socket]!);
  }

  /** Reports of `link`, and of every other link that has news. */
  #writeReports(
    now: number,
    from: number,
    link: number,
    paths: readonly Path[],
    receiver: Receiver,
  ): number {
    let at = from;
    for (const path of paths) {
      const id = path.options.id;
      if (id !== link && receiver.links[id]!.unreported === 0) continue;
      if (at - this.#start + MAX_REPORT_BYTES > MAX_FRAMES_BYTES) break;
      if (!receiver.fillReport(now, id, this.#report)) continue;
      at = writeReport(this.#pool.bytes, at, this.#report);
    }
    return at;
  }

  #seal(now: number, session: Session, path: Path, length: number, batch: TransmitBatch): void {
    if (length === 0) return;
    const datagramBytes = session.seal(path, this.#pool, this.#slot, length, batch);
    path.handleSent(now, -1, datagramBytes);
  }

  #forget(link: number): void {
    if (this.#probe[link] === 1) this.#wanted--;
    if (this.#ackNumber[link]! >= 0) this.#wanted--;
    this.#probe[link] = 0;
    this.#ackNumber[link] = -1;
  }
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
  const isBackup = path.tier === "backup";
  if (isBackup !== (other.tier === "backup")) return !isBackup;
  return path.rtt.srttUs < other.rtt.srttUs;
}
