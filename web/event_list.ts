/**
 * The list of events, the latest first.
 *
 * @module
 */

import { byId, element } from "./dom.ts";
import { clock } from "./format.ts";

/** Something that happened. */
export interface Happening {
  readonly atMs: number;
  readonly words: string;
}

/** Lines that are kept. */
const MOST = 200;

/** Adds one; the same one, sent again after a pause, is not said twice. */
export class EventList {
  readonly #list = byId("events");
  readonly #seen: Set<string> = new Set();

  add(happening: Happening): void {
    const { atMs, words } = happening;
    const key = `${atMs} ${words}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const date = new Date(atMs);
    const time = element(
      "time",
      { datetime: date.toISOString(), title: date.toLocaleString("en-GB") },
      clock(atMs),
    );
    this.#list.prepend(element("li", {}, time, words));
    if (this.#list.children.length <= MOST) return;
    this.#list.lastElementChild!.remove();
    this.#seen.delete(this.#seen.values().next().value!);
  }
}
