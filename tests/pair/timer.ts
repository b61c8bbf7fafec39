/**
 * A deadline that moves often and fires seldom. Moving it later is free:
 * the event in the heap stays and checks again when it runs.
 *
 * @module
 */

import type { EventQueue, Handler } from "./event_queue.ts";

/** Calls `fire` once at {@linkcode at}. */
export class Timer implements Handler {
  /** When it is due; Infinity when it is not armed. */
  at = Infinity;
  #pending = Infinity;

  constructor(readonly queue: EventQueue, readonly fire: (now: number) => void) {}

  /** Moves the deadline; Infinity disarms it. */
  set(at: number): void {
    this.at = at;
    if (at >= this.#pending) return;
    this.#pending = at;
    this.queue.add(at, this);
  }

  onEvent(now: number): void {
    if (now >= this.#pending) this.#pending = Infinity;
    if (this.at <= now) {
      this.at = Infinity;
      this.fire(now);
    } else if (this.at < this.#pending) this.set(this.at);
  }
}
