/**
 * Events in words, for the log, `aggvpn monitor` and whoever else tells people.
 *
 * @module
 */

import type { LinkEvent } from "../tunnel/link_event.ts";

/** Why a link is not up, and what became of its packets; empty when there is nothing to say. */
export function causeOf({ reason, resentPackets, others }: LinkEvent): string {
  if (resentPackets === 0) return reason;
  const isOne = resentPackets === 1;
  const waiting = isOne ? "waits for another link" : "wait for another link";
  const where = others.length === 0 ? waiting : `re-sent on ${others.join(", ")}`;
  return `${reason}; ${resentPackets} ${isOne ? "packet" : "packets"} ${where}`;
}
