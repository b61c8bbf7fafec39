/**
 * Events in words, for the log, `aggvpn monitor` and whoever else tells people.
 *
 * @module
 */

import type { LinkEvent } from "../tunnel/link_event.ts";
import type { EndpointEvent } from "../tunnel/options.ts";
import type { DaemonEvent } from "./event_hub.ts";

/** Why a link is not up, and what became of its packets; empty when there is nothing to say. */
export function causeOf({ reason, resentPackets, others }: LinkEvent): string {
  if (resentPackets === 0) return reason;
  const isOne = resentPackets === 1;
  const waiting = isOne ? "waits for another link" : "wait for another link";
  const where = others.length === 0 ? waiting : `re-sent on ${others.join(", ")}`;
  return `${reason}; ${resentPackets} ${isOne ? "packet" : "packets"} ${where}`;
}

/**
 * An event in one line, such as `link lte down: nothing heard for 148 ms; 37 packets re-sent on
 * fibre`; at a server links have their client's name too.
 */
export function eventWords(event: EndpointEvent | DaemonEvent, isServer: boolean): string {
  switch (event.type) {
    case "session":
      return sessionWords(event);
    case "server":
      return `server ${event.server} is used: ${event.reason}`;
    case "link":
      return linkWords(event, isServer);
    case "roamed":
      return `${linkName(event, isServer)} comes from ${event.remote}`;
    case "conflict":
      return `another host uses the key of ${event.peer}: ${event.hosts}`;
    case "rebind":
      return `link number ${event.link} gets a fresh socket`;
    case "mtu":
      return `links of ${event.peer} carry packets of ${event.mtu} bytes`;
    case "handshake-failed":
      return `handshake with ${event.remote} failed: ${event.reason}`;
    case "foreign-source":
      return `${event.peer} sends from ${event.source}, which is neither in the tunnel's network ` +
        "nor in its routes";
    case "quota":
      return `link ${event.link}: ${event.reason}`;
    case "changed":
      return event.message;
    case "missed":
      return `${event.count} events were left out here: too many at once`;
  }
}

function sessionWords(event: EndpointEvent & { type: "session" }): string {
  const { peer, state, remote, reason } = event;
  if (state === "rekeyed") return `session with ${peer} has new keys`;
  if (state === "down") return withReason(`session with ${peer} down`, reason ?? "");
  return `session with ${peer} up${remote === undefined ? "" : ` at ${remote}`}`;
}

function linkWords(event: LinkEvent, isServer: boolean): string {
  const { state, before, beforeUs } = event;
  const name = linkName(event, isServer);
  if (state !== "up") return withReason(`${name} ${state}`, causeOf(event));
  if (before === "suspect") return `${name} up again after ${shortly(beforeUs)}`;
  return before === "down" ? `${name} up after ${shortly(beforeUs)}` : `${name} up`;
}

function linkName(
  { link, peer }: { readonly link: string; readonly peer: string },
  isServer: boolean,
): string {
  return isServer ? `link ${link} of ${peer}` : `link ${link}`;
}

function withReason(what: string, reason: string): string {
  return reason === "" ? what : `${what}: ${reason}`;
}

function shortly(us: number): string {
  if (us < 10e6) return us < 1e6 ? `${Math.round(us / 1e3)} ms` : `${(us / 1e6).toFixed(1)} s`;
  return us < 120e6 ? `${Math.round(us / 1e6)} s` : `${Math.round(us / 60e6)} min`;
}
