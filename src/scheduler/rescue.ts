/**
 * What must not wait, and is under way on a link whose answer is overdue, leaves on another link too.
 *
 * It takes tens of milliseconds more until silence is worth giving up a link and all that is in
 * flight on it. For the few packets that somebody waits for, a copy costs next to nothing.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import { KIND } from "../wire/ip.ts";
import type { Classifier } from "./classifier.ts";
import type { Transmitter } from "./transmitter.ts";

/** Copies may run this far ahead of a link's pacer, in microseconds. */
const AHEAD_US = 4_000;

/** On which other link would the packet in `slot` arrive first? */
export type ElsewhereFinder = (slot: number, path: Path) => Path | undefined;

/** Rescues packets of one peer. */
export class Rescue {
  readonly #classifier: Classifier;
  readonly #out: Transmitter;
  readonly #elsewhere: ElsewhereFinder;
  /** Links that have come to be doubted. */
  readonly #doubted: Path[] = [];
  #from: Path | undefined;
  readonly #copy = (slot: number): void => this.#rescue(slot);

  constructor(classifier: Classifier, out: Transmitter, elsewhere: ElsewhereFinder) {
    this.#classifier = classifier;
    this.#out = out;
    this.#elsewhere = elsewhere;
  }

  /** A link has come to be doubted: {@linkcode send} has something to do. */
  handleDoubt(path: Path): void {
    this.#doubted.push(path);
  }

  /** Sends the copies that are due, in this poll. */
  send(): void {
    for (let path = this.#doubted.pop(); path !== undefined; path = this.#doubted.pop()) {
      this.#from = path;
      path.flight.forEach(this.#copy);
    }
  }

  #rescue(slot: number): void {
    if (this.#classifier.kind[slot] === KIND.bulk) return;
    const path = this.#elsewhere(slot, this.#from!);
    if (path === undefined || path.pacer.dueAtUs > this.#out.now + AHEAD_US) return;
    this.#out.sendRescue(path, slot);
  }
}
