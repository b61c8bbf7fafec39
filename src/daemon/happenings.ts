/**
 * Events as the dashboard's page shows them.
 *
 * @module
 */

import type { Happening } from "../http/live.ts";
import type { EventHub, TunnelEvent } from "./event_hub.ts";
import { eventWords } from "./event_words.ts";

/** Gives the last events, then each from now on, until `signal` is aborted. */
export async function* happenings(
  events: EventHub,
  isServer: boolean,
  signal: AbortSignal,
): AsyncGenerator<Happening, void> {
  for await (const event of events.follow(signal, true)) {
    if (isOfInterest(event)) yield { atMs: event.atMs, words: eventWords(event, isServer) };
  }
}

/** Not what happens all the time, as it should. */
function isOfInterest(event: TunnelEvent): boolean {
  return event.type !== "rebind" && !(event.type === "session" && event.state === "rekeyed");
}
