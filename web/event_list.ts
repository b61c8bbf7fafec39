/**
 * The list of events, the latest first.
 *
 * @module
 */

import { byId, element } from "./dom.ts";
import { type Happening, wordsOf } from "./event_words.ts";
import { clock } from "./format.ts";

/** Lines that are kept. */
const MOST = 200;

/** Adds one; the same one, sent again after a pause, is not said twice. */
export class EventList {
  readonly #list = byId("events");
  readonly #seen: Set<string> = new Set();

  add(happening: Happening): void {
    const words = wordsOf(happening);
    const key = JSON.stringify(happening);
    if (words === undefined || this.#seen.has(key)) return;
    this.#seen.add(key);
    const date = new Date(happening.atMs);
    const time = element(
      "time",
      { datetime: date.toISOString(), title: date.toLocaleString("en-GB") },
      clock(happening.atMs),
    );
    this.#list.prepend(element("li", {}, time, words));
    if (this.#list.children.length <= MOST) return;
    this.#list.lastElementChild!.remove();
    this.#seen.delete(this.#seen.values().next().value!);
  }
}
