/**
 * What the emulator's process reads from stdin and answers on stdout: one JSON object per line. The
 * first line it reads is {@linkcode Plan}.
 *
 * @module
 */

import type { Counters, Shape } from "./shape.ts";

/** One end of a line: the interface that a namespace sees. */
export interface LineEnd {
  readonly namespace: string;
  readonly interface: string;
}

/** A line; `up` carries what `client` sends. */
export interface LinePlan {
  readonly name: string;
  readonly client: LineEnd;
  readonly server: LineEnd;
  readonly up: Partial<Shape>;
  readonly down: Partial<Shape>;
}

/** Everything the emulator needs to begin. */
export interface Plan {
  readonly lines: readonly LinePlan[];
  readonly seed: number;
}

/** Which way: `up` from the client, `down` to it. */
export type Way = "up" | "down";

/** An order; each is answered by one {@linkcode Answer} with the same id. */
export interface Order {
  readonly id: number;
  /** Changes the shape of a line. */
  readonly set?: {
    readonly line: number;
    readonly up?: Partial<Shape>;
    readonly down?: Partial<Shape>;
  };
  /** Keeps the next `count` packets that enter the line, for {@linkcode Answer.packets}. */
  readonly capture?: { readonly line: number; readonly way: Way; readonly count: number };
  /** Asks for the packets captured so far. */
  readonly captured?: true;
}

/** Counters of one line. */
export interface LineCounters {
  readonly name: string;
  readonly up: Counters;
  readonly down: Counters;
}

/** Answer to the order of the same id; id 0 says that the lines are ready. */
export interface Answer {
  readonly id: number;
  /** Microseconds of the host's monotonic clock. */
  readonly now: number;
  readonly lines: readonly LineCounters[];
  /** CPU time this process has used, in microseconds. */
  readonly cpuUs: number;
  /** Captured IP packets in base64, oldest first. */
  readonly packets?: readonly string[];
}
