/**
 * Looks at the tunnel once a second, for the history and for everybody who watches.
 *
 * @module
 */

import type { StatusDocument } from "../control/protocol.ts";
import { History } from "./history.ts";

/** Time between two looks. */
const INTERVAL_MS = 1000;

/** A look at the tunnel. */
export interface Look {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly status: StatusDocument;
}

/** Keeps the history, and tells of each look. */
export class Recorder {
  readonly history: History = new History();
  readonly #status: () => StatusDocument | undefined;
  readonly #wallMs: () => number;
  readonly #watchers: Set<() => void> = new Set();
  readonly #timer: ReturnType<typeof setInterval>;
  #last: Look | undefined;

  /** @param status undefined while the tunnel is set up */
  constructor(
    status: () => StatusDocument | undefined,
    wallMs: () => number = Date.now,
    intervalMs: number = INTERVAL_MS,
  ) {
    this.#status = status;
    this.#wallMs = wallMs;
    this.#timer = setInterval(() => this.look(), intervalMs);
  }

  /** The last look; undefined while the tunnel is set up. */
  get last(): Look | undefined {
    return this.#last ?? this.look();
  }

  /** Looks now. */
  look(): Look | undefined {
    const status = this.#status();
    if (status === undefined) return undefined;
    this.#last = { atMs: this.#wallMs(), status };
    this.history.add(this.#last.atMs, status.tunnel.peers);
    for (const watcher of this.#watchers) watcher();
    return this.#last;
  }

  /** Has `watcher` called after each look, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Ends it. */
  close(): void {
    clearInterval(this.#timer);
  }
}
