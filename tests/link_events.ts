/**
 * Events of links for tests.
 *
 * @module
 */

import type { LinkEvent } from "../src/tunnel/link_event.ts";

/** An event of link "dsl" of peer "home", except where `fields` says otherwise. */
export function linkEvent(fields: Partial<LinkEvent> = {}): LinkEvent {
  return {
    type: "link",
    peer: "home",
    link: "dsl",
    id: 0,
    state: "up",
    before: "connecting",
    beforeUs: 0,
    reason: "",
    resentPackets: 0,
    others: [],
    withSession: false,
    ...fields,
  };
}
