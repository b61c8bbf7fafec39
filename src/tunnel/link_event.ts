/**
 * What is reported when a link comes or goes, with the cause and what became of its packets.
 *
 * @module
 */

import type { Path } from "../links/path.ts";
import type { EndpointEvent } from "./options.ts";

/** A link has come or gone. */
export type LinkEvent = EndpointEvent & { readonly type: "link" };

/** Whether it was last reported that a link is up, or may be. */
export function isInUse({ live }: Path): boolean {
  return live.state === "up" || live.state === "suspect";
}

/** What to report of a path that has just changed its state. */
export function linkEvent(
  peer: { readonly name: string; readonly paths: readonly Path[] },
  path: Path,
  state: LinkEvent["state"],
  reason: string,
  withSession = false,
): LinkEvent {
  const { live, resentPackets } = path;
  return {
    type: "link",
    peer: peer.name,
    link: path.name,
    id: path.options.id,
    state,
    before: live.before,
    beforeUs: Math.round(live.beforeUs),
    reason,
    resentPackets,
    others: peer.paths.filter((other) => other !== path && other.live.state === "up")
      .map(({ name }) => name),
    withSession,
  };
}
