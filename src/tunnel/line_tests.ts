/**
 * Tests of the links to one peer: what leaves for them, and what a server does when its client asks.
 *
 * Their datagrams bypass queue and pacer, as all that measures a link does. A load goes last: packets
 * that wait have filled the batches before it.
 *
 * @module
 */

import type { Arrived } from "../links/arrivals.ts";
import { LineTest, type TestWay } from "../links/line_test.ts";
import type { Path } from "../links/path.ts";
import type { Receiver } from "../receiver/receiver.ts";
import type { Transmitter } from "../scheduler/transmitter.ts";
import { type PacketPool, PLAIN_OFFSET } from "../slab.ts";
import { FRAME, FRAME_HEADER_BYTES, writePadding, writeProbe } from "../wire/frame.ts";
import { type Fill, writeAddressQuestion, writeFill } from "../wire/measure.ts";
import { FRAMES_OVERHEAD_BYTES } from "../wire/overhead.ts";
import { wireTime } from "../wire/time.ts";

export type { TestWay } from "../links/line_test.ts";

/** A responder fills a link for no longer than this at a time, in milliseconds. */
const MOST_FILL_MS = 10_000;
/** ... and after a wait, for which nobody else has to wait, for no longer than this. */
const MOST_WAITED_FILL_MS = 500;

/** Lets a server fill one link at a time, whichever client asks. */
export class FillTurn {
  #test: LineTest | undefined;

  /** Whether somebody else's link is being filled. */
  isTaken(now: number): boolean {
    return this.#test !== undefined && !this.#test.isOver(now);
  }

  take(test: LineTest): void {
    this.#test = test;
  }
}

/** What a test has found so far. Times in microseconds. */
export interface LineTestResult {
  readonly way: TestWay;
  readonly done: boolean;
  /** Whether the peer can do its part of the ways `down` and `silence`. */
  readonly isUnderstood: boolean;
  /** Whether it does. */
  readonly isServed: boolean;
  readonly probes: number;
  /** Fraction of them that was not answered. */
  readonly unanswered: number;
  /** Of each answer, in the order they came. */
  readonly roundTripsUs: readonly number[];
  /** What arrived at the peer, and here: in all the time for an idle link, else when it was full. */
  readonly there: Arrived;
  readonly here: Arrived;
  /** Address and port that the peer sees this end at; absent while it has not said. */
  readonly seenAs?: string;
}

/** Runs the tests of one peer's links. */
export class LineTests {
  readonly #pool: PacketPool;
  readonly #slot: number;
  readonly #turn: FillTurn;
  #receiver!: Receiver;
  #out!: Transmitter;
  /** Of the last request that left or, at a responder, came. */
  #number = 0;
  #running: LineTest[] = [];
  /** When {@linkcode write} has something to do, as its last call saw it. */
  timeoutAtUs = Infinity;

  /** @param slot a slot of `pool` for the frames; nothing stays in it */
  constructor(pool: PacketPool, slot: number, turn: FillTurn) {
    this.#pool = pool;
    this.#slot = slot;
    this.#turn = turn;
  }

  /** Sets what is received by and sent with. The peer has other links. */
  configure(receiver: Receiver, out: Transmitter): void {
    this.stop();
    this.#receiver = receiver;
    this.#out = out;
    this.#number = 0;
  }

  /** Begins a test, in place of an earlier one of this link. */
  start(now: number, path: Path, way: TestWay, durationUs: number): void {
    this.#number = this.#number % 255 + 1;
    this.#begin(new LineTest(now, path, way, durationUs, this.#number));
  }

  /** A client asks to have a link filled. */
  handleFill(now: number, path: Path, { number, waitMs, durationMs }: Fill): void {
    if (number === this.#number || this.#turn.isTaken(now)) return;
    this.#number = number;
    const mostMs = waitMs === 0 ? MOST_FILL_MS : MOST_WAITED_FILL_MS;
    const durationUs = Math.min(durationMs, mostMs) * 1000;
    const test = new LineTest(now, path, "up", durationUs, number, waitMs * 1000);
    if (waitMs === 0) this.#turn.take(test);
    this.#begin(test);
  }

  /** Ends them all, without a result. */
  stop(): void {
    for (const { path } of this.#running) path.test = undefined;
    this.#running = [];
  }

  /** Sends what is due. Returns whether a full batch kept something back. */
  write(): boolean {
    if (this.#running.length === 0) return false;
    let keptBack = false;
    for (const test of this.#running) keptBack = this.#writeOne(test) || keptBack;
    const { now } = this.#out;
    // A link may be removed meanwhile.
    this.#running = this.#running.filter((test) => test.path.remote && !test.isOver(now));
    this.timeoutAtUs = Math.min(...this.#running.map((test) => test.timeoutAtUs(now)));
    return keptBack;
  }

  /** What the last test of a link has found. */
  result(now: number, path: Path, isUnderstood: boolean): LineTestResult | undefined {
    const { test } = path;
    if (!test) return undefined;
    const headerBytes = path.wireBytes(0);
    const part = test.way === "idle" ? "whole" : "last";
    return {
      way: test.way,
      done: test.isOver(now),
      isUnderstood,
      isServed: test.isServed,
      probes: test.probes,
      unanswered: test.unanswered,
      roundTripsUs: test.roundTripsUs,
      there: test.there[part](headerBytes),
      here: test.here[part](headerBytes),
      ...path.seenAs !== undefined && { seenAs: path.seenAs },
    };
  }

  #begin(test: LineTest): void {
    this.#running = this.#running.filter(({ path }) => path !== test.path);
    this.#running.push(test);
    test.path.test = test;
    this.timeoutAtUs = -Infinity;
  }

  #writeOne(test: LineTest): boolean {
    const { path } = test;
    const { now } = this.#out;
    if (!path.remote) return false;
    this.#noteArrivals(test);
    test.chargeSent(now);
    while (!this.#out.isFull(path)) {
      if (test.isPaddingDue(now)) this.#writePadding(test);
      else if (test.pollProbe(now)) this.#writeProbe(test);
      else return false;
    }
    return true;
  }

  #noteArrivals(test: LineTest): void {
    const { path } = test;
    const { session, receivedAtUs } = this.#receiver.links[path.options.id]!;
    const receipt = session?.receipts[path.options.id];
    if (!receipt) return;
    test.handleReceipt(this.#out.now, receivedAtUs, receipt);
  }

  #writePadding(test: LineTest): void {
    const { path } = test;
    const { bytes } = this.#pool;
    const { now } = this.#out;
    const start = this.#start;
    let at = start;
    if (test.pollProbe(now)) {
      at = this.#writeNumbered(test, at);
    }
    const length = path.mtu.size - FRAMES_OVERHEAD_BYTES[path.remote!.family];
    const left = Math.max(start + length - at, FRAME_HEADER_BYTES);
    this.#out.sendLoad(path, this.#slot, writePadding(bytes, at, left) - start);
    test.chargeSent(now);
  }

  #writeProbe(test: LineTest): void {
    const { path } = test;
    const { bytes } = this.#pool;
    const { now } = this.#out;
    let at = this.#writeNumbered(test, this.#start);
    if (path.seenAs === undefined && test.way !== "up") at = writeAddressQuestion(bytes, at);
    if (test.pollRequest()) {
      const { waitUs, durationUs } = test.requestedUs(now);
      const times = {
        waitMs: Math.round(waitUs / 1000),
        durationMs: Math.round(durationUs / 1000),
      };
      at = writeFill(bytes, at, { number: test.number, ...times });
    }
    this.#out.sendControl(path, this.#slot, at - this.#start);
  }

  #writeNumbered(test: LineTest, at: number): number {
    const { now } = this.#out;
    const number = test.path.nextProbe(now);
    test.handleProbeSent(number);
    return writeProbe(this.#pool.bytes, at, FRAME.probe, number, wireTime(now));
  }

  get #start(): number {
    return this.#pool.at(this.#slot) + PLAIN_OFFSET;
  }
}
