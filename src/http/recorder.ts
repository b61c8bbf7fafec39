/**
 * Looks at the tunnel once a second, for the history and for everybody who watches.
 *
 * @module
 */

import type { StatusDocument } from "../control/protocol.ts";
import { History, type PeerHistory } from "./history.ts";

/** Time between two looks. */
const INTERVAL_MS = 1000;

/** The links of a client stay the same when it uses another server. */
const ANY_SERVER = "";

/** A look at the tunnel. */
export interface Look {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly status: StatusDocument;
}

/** Keeps the history, and tells of each look. */
export class Recorder {
  readonly #history: History = new History();
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

  /** What is kept of the links to a peer. */
  historyOf(peer: string): PeerHistory {
    const isClient = this.#last?.status.tunnel.role === "client";
    return this.#history.of(isClient ? ANY_SERVER : peer);
  }

  /** Looks now. */
  look(): Look | undefined {
    const status = this.#status();
    if (status === undefined) return undefined;
    this.#last = { atMs: this.#wallMs(), status };
    const { role, peers } = status.tunnel;
    this.#history.add(
      this.#last.atMs,
      role === "client" ? peers.map((peer) => ({ ...peer, name: ANY_SERVER })) : peers,
    );
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
