/**
 * Control frames from the other end: what each means for the links.
 *
 * Their layouts are in `wire/`; what is written back is up to the {@linkcode ControlWriter}.
 *
 * @module
 */

import type { Drops } from "../drops.ts";
import type { Path } from "../links/path.ts";
import type { Receiver } from "../receiver/receiver.ts";
import type { Session } from "../session/session.ts";
import type { PacketPool } from "../slab.ts";
import {
  FRAME,
  isTooShort,
  LinkUpdate,
  parseLinkUpdate,
  readMtu,
  readProbeNumber,
  readProbeSentAt,
} from "../wire/frame.ts";
import { type Fill, parseAddressAnswer, readFill } from "../wire/measure.ts";
import { limitReach, parseReport, Report } from "../wire/report.ts";
import type { ControlWriter } from "./control_writer.ts";

/** What a control frame may cause, besides changing a path. */
export interface ControlEffects {
  /** A path has come up. */
  readonly onUp: (path: Path) => void;
  /** A spare path stands for a link no more. */
  readonly onGone: (now: number, path: Path) => void;
  /** The other end has ended the session. */
  readonly onClose: (now: number) => void;
  /** The other end asks to have a link filled. */
  readonly onFill: (now: number, path: Path, fill: Fill) => void;
  /** A packet has arrived; its slot is free. */
  readonly onAcked: (slot: number) => void;
  /** A packet was lost. */
  readonly onLost: (slot: number) => void;
  /** How many packets were lost for good so far. */
  readonly lostForGood: () => number;
}

/** Sessions that reports may be about. */
export interface KnownSessions {
  readonly current: Session | undefined;
  readonly previous: Session | undefined;
}

/** Reads the control frames of one peer. */
export class ControlReader {
  readonly #pool: PacketPool;
  readonly #drops: Drops;
  readonly #writer: ControlWriter;
  readonly #effects: ControlEffects;
  readonly #follows: boolean;
  readonly #report = new Report();
  readonly #update = new LinkUpdate();
  readonly #known: KnownSessions;
  #paths: readonly Path[] = [];
  #receiver!: Receiver;
  /** The datagram whose frames are read. */
  #session!: Session;
  #path!: Path;
  #counter = 0;

  /** @param follows whether the other end decides about the links: for a server its client does */
  constructor(
    { pool, drops }: { readonly pool: PacketPool; readonly drops: Drops },
    known: KnownSessions,
    writer: ControlWriter,
    effects: ControlEffects,
    follows: boolean,
  ) {
    this.#pool = pool;
    this.#drops = drops;
    this.#known = known;
    this.#writer = writer;
    this.#effects = effects;
    this.#follows = follows;
  }

  /** Sets the links that frames are about. */
  configure(paths: readonly Path[], receiver: Receiver): void {
    this.#paths = paths;
    this.#receiver = receiver;
  }

  /** The next frames came in datagram `counter` of a path, under a session. */
  begin(session: Session, path: Path, counter: number): void {
    this.#session = session;
    this.#path = path;
    this.#counter = counter;
  }

  /** Takes the frame of `type` whose payload of `size` bytes begins at `at` of the pool. */
  handle(now: number, type: number, at: number, size: number): void {
    if (type === FRAME.link) return this.#handleLink(now, at, size);
    if (isTooShort(type, size)) return this.#drops.count("frame");
    if (type === FRAME.probe) this.#handleProbe(now, at);
    else if (type === FRAME.probeAck) this.#handleProbeAck(now, at);
    else if (type === FRAME.report) this.#handleReport(now, at, size);
    else if (type === FRAME.mtu) this.#path.handleRemoteMtu(readMtu(this.#pool.bytes, at));
    else if (type === FRAME.close) this.#effects.onClose(now);
    else if (type === FRAME.padding) this.#path.test?.handlePadding(now);
    else if (type === FRAME.fill) this.#handleFill(now, at);
    else if (type === FRAME.address) this.#handleAddress(at, size);
  }

  #handleFill(now: number, at: number): void {
    if (!this.#follows || this.#session !== this.#known.current) return;
    this.#effects.onFill(now, this.#path, readFill(this.#pool.bytes, at));
  }

  /** The other end asks where this one sees it, or has been asked. */
  #handleAddress(at: number, size: number): void {
    if (this.#follows) {
      if (size === 0) this.#writer.requestAddress(this.#path.options.id);
      return;
    }
    const seen = parseAddressAnswer(this.#pool.bytes, at, size);
    if (seen) this.#path.seenAs = seen.address.withPort(seen.port);
  }

  #handleProbe(now: number, at: number): void {
    const { bytes } = this.#pool;
    const path = this.#path;
    const { id } = path.options;
    const sentAtUs = readProbeSentAt(bytes, at);
    this.#receiver.noteSentAt(now, id, sentAtUs);
    this.#writer.requestAck(id, readProbeNumber(bytes, at), sentAtUs);
    if (path.joinProbe(now)) this.#writer.requestProbe(id);
  }

  #handleProbeAck(now: number, at: number): void {
    const path = this.#path;
    const { bytes } = this.#pool;
    const isUp = path.handleProbeAck(now, readProbeNumber(bytes, at), readProbeSentAt(bytes, at));
    if (isUp) this.#effects.onUp(path);
  }

  /** The other end has decided about a link. */
  #handleLink(now: number, at: number, size: number): void {
    if (!this.#follows) return;
    const update = this.#update;
    const isGood = parseLinkUpdate(this.#pool.bytes, at, size, update);
    const path = isGood ? this.#paths[update.linkId] : undefined;
    if (!path) return this.#drops.count("frame");
    if (this.#session !== this.#known.current) return;
    if (path === this.#path && !path.news.accept(this.#counter)) return;
    path.tier = update.tier;
    path.live.metered = update.metered;
    if (path.options.spare) this.#handleSpare(now, path, update);
  }

  /** A datagram of a link that has gone may still have been on its way. */
  #handleSpare(now: number, path: Path, { gone, name }: LinkUpdate): void {
    if (gone && path !== this.#path) this.#effects.onGone(now, path);
    else if (name !== "" && !this.#isTaken(path, name)) path.name = name;
  }

  #isTaken(path: Path, name: string): boolean {
    for (const other of this.#paths) {
      if (other !== path && (other.name === name || other.options.name === name)) return true;
    }
    return false;
  }

  #handleReport(now: number, at: number, size: number): void {
    const { current, previous } = this.#known;
    const report = this.#report;
    if (!parseReport(this.#pool.bytes, at, size, report)) return this.#drops.count("frame");
    limitReach(report);
    const path = this.#paths[report.linkId];
    const session = report.sessionId === current?.remoteId ? current : previous;
    if (!path || report.sessionId !== session?.remoteId) return;
    const { onAcked, onLost, onUp, lostForGood } = this.#effects;
    const base = session.base[report.linkId];
    if (base === undefined) return;
    const lostBefore = lostForGood();
    if (path.handleReport(now, report, base, session === current, onAcked, onLost)) onUp(path);
    path.lostForGood += lostForGood() - lostBefore;
  }
}
