/**
 * Virtual time: a binary heap of instants in microseconds. Events of equal
 * time run in the order in which they were added, so a run replays exactly.
 * An event is a handler and a number; nothing is allocated per event.
 *
 * @module
 */

/** Something that is called at an instant that it asked for. */
export interface Handler {
  /** @param arg the number given to {@linkcode EventQueue.add} */
  onEvent(now: number, arg: number): void;
}

/** The clock and all pending events. */
export class EventQueue {
  /** Microseconds since the simulation began. */
  now = 0;
  /** Events that have run. */
  processed = 0;
  #times = new Float64Array(1024);
  #orders = new Float64Array(1024);
  #args = new Int32Array(1024);
  #handlers: Handler[] = [];
  #length = 0;
  #order = 0;

  /** Calls `handler.onEvent(at, arg)` at `at`, or at once if that has passed. */
  add(at: number, handler: Handler, arg = 0): void {
    if (this.#length === this.#times.length) this.#grow();
    const time = Math.max(at, this.now);
    const order = this.#order++;
    let i = this.#length++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.#times[parent]! <= time) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#put(i, time, order, arg, handler);
  }

  /** Runs every event up to and including `end`; the clock then stands at `end`. */
  runUntil(end: number): void {
    while (this.step(end));
  }

  /** Runs the first event if it is not after `end`; otherwise sets the clock to `end`. */
  step(end: number): boolean {
    if (this.#length === 0 || this.#times[0]! > end) {
      this.now = end;
      return false;
    }
    this.now = this.#times[0]!;
    const handler = this.#handlers[0]!;
    const arg = this.#args[0]!;
    this.#removeFirst();
    this.processed++;
    handler.onEvent(this.now, arg);
    return true;
  }

  #removeFirst(): void {
    const last = --this.#length;
    const time = this.#times[last]!;
    const order = this.#orders[last]!;
    const handler = this.#handlers.pop()!;
    if (last === 0) return;
    const arg = this.#args[last]!;
    let i = 0;
    for (let child = 1; child < last; child = 2 * i + 1) {
      if (child + 1 < last && this.#before(child + 1, child)) child++;
      const childTime = this.#times[child]!;
      if (time < childTime || (time === childTime && order < this.#orders[child]!)) break;
      this.#move(child, i);
      i = child;
    }
    this.#put(i, time, order, arg, handler);
  }

  #before(a: number, b: number): boolean {
    const difference = this.#times[a]! - this.#times[b]!;
    return difference < 0 || (difference === 0 && this.#orders[a]! < this.#orders[b]!);
  }

  #move(from: number, to: number): void {
    this.#put(
      to,
      this.#times[from]!,
      this.#orders[from]!,
      this.#args[from]!,
      this.#handlers[from]!,
    );
  }

  #put(i: number, time: number, order: number, arg: number, handler: Handler): void {
    this.#times[i] = time;
    this.#orders[i] = order;
    this.#args[i] = arg;
    this.#handlers[i] = handler;
  }

  #grow(): void {
    const count = 2 * this.#times.length;
    const widen = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#times = widen(this.#times, new Float64Array(count));
    this.#orders = widen(this.#orders, new Float64Array(count));
    this.#args = widen(this.#args, new Int32Array(count));
  }
}
