/**
 * What happens to a tunnel, for all who want to know: the log, scripts, `aggvpn monitor`, the
 * dashboard.
 *
 * @module
 */

import type { EndpointEvent } from "../tunnel/options.ts";

/** Events that are kept for who comes later. */
const HISTORY = 200;
/** Events that wait for one slow follower; more are counted and left out. */
const MAX_WAITING = 1000;

/** A link has used much of what it may carry, or may carry much again. */
export interface QuotaEvent {
  readonly type: "quota";
  readonly link: string;
  /** The mark that it has reached: 75, 95, 100; 0 when it is below all of them again. */
  readonly percent: number;
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** That in words, and what follows from it. */
  readonly reason: string;
}

/** What the shell around the core reports. */
export type DaemonEvent =
  | QuotaEvent
  | {
    /** The log and people get `message`, which says what was changed and by what. */
    readonly type: "changed";
    readonly message: string;
  }
  | {
    /** Of {@linkcode EventHub.follow} only: so many events were left out here. */
    readonly type: "missed";
    readonly count: number;
  };

/** Something that happened to a tunnel. */
export type TunnelEvent = (EndpointEvent | DaemonEvent) & {
  /** Milliseconds since 1970, by the system's clock. */
  readonly atMs: number;
};

/** Passes events on to whoever has subscribed. */
export class EventHub {
  readonly #wallMs: () => number;
  readonly #listeners: Set<(event: TunnelEvent) => void> = new Set();
  readonly #history: TunnelEvent[] = [];

  constructor(wallMs: () => number = Date.now) {
    this.#wallMs = wallMs;
  }

  /** Tells everybody of `event`, which happens now. */
  publish(event: EndpointEvent | DaemonEvent): void {
    const dated = { ...event, atMs: this.#wallMs() };
    this.#history.push(dated);
    if (this.#history.length > HISTORY) this.#history.shift();
    for (const listener of this.#listeners) listener(dated);
  }

  /** Has `listener` called with each event from now on, until the returned function is called. */
  subscribe(listener: (event: TunnelEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Gives the last events if `history`, then each from now on, until `signal` is aborted. */
  async *follow(signal: AbortSignal, history = false): AsyncGenerator<TunnelEvent, void> {
    const waiting: TunnelEvent[] = history ? [...this.#history] : [];
    let missed = 0;
    let wake = (): void => {};
    const unsubscribe = this.subscribe((event) => {
      if (waiting.length < MAX_WAITING) waiting.push(event);
      else missed++;
      wake();
    });
    const onAbort = (): void => wake();
    signal.addEventListener("abort", onAbort);
    try {
      while (!signal.aborted) {
        const event = waiting.shift();
        if (event) {
          yield event;
        } else if (missed > 0) {
          const count = missed;
          missed = 0;
          yield { type: "missed", count, atMs: this.#wallMs() };
        } else {
          await new Promise<void>((resolve) => wake = resolve);
        }
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      unsubscribe();
    }
  }
}
