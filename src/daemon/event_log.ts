/**
 * Logs what the endpoint reports, no faster than people can read.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { EndpointEvent } from "../tunnel/options.ts";
import type { LinkEvent } from "../tunnel/link_event.ts";
import type { DaemonEvent } from "./event_hub.ts";
import { causeOf } from "./event_words.ts";

type LoggedEvent = EndpointEvent | DaemonEvent;

const log = getLogger(["aggvpn", "tunnel"]);

/** Log lines that may come in a burst, as from a flapping link; after it there is one a second. */
const BURST = 30;
const REFILL_US = 1_000_000;

/** Writes events to the log with a bound on lines per second. */
export class EventLog {
  #tokens = BURST;
  #refilledAtUs = 0;
  #suppressed = 0;
  /** Links under suspicion, which is over in a moment nearly always. */
  readonly #suspects = new Set<string>();

  /** Logs `event`, which happened at `now` microseconds. */
  handleEvent(now: number, event: LoggedEvent): void {
    if (!this.#take(now)) return;
    if (this.#suppressed > 0) {
      log.info("{count} events were not logged", { count: this.#suppressed });
    }
    this.#suppressed = 0;
    if (event.type === "link") this.#writeLink(event);
    else writeEvent(event);
  }

  #writeLink(event: LinkEvent): void {
    const { peer, link, state } = event;
    const reason = causeOf(event);
    const id = `${peer}/${link}`;
    const wasSuspect = this.#suspects.delete(id);
    if (state === "suspect") this.#suspects.add(id);
    const fields = { link, peer, state };
    // That the session has ended was said.
    if (state === "suspect" || event.withSession) {
      log.debug("Link {link} of {peer} is {state}: {reason}", { ...fields, reason });
    } else if (state === "down") {
      log.info("Link {link} of {peer} is {state}: {reason}", { ...fields, reason });
    } else if (wasSuspect) log.debug("Link {link} of {peer} is {state} again", fields);
    else log.info("Link {link} of {peer} is {state}", fields);
  }

  #take(now: number): boolean {
    const earned = Math.floor((now - this.#refilledAtUs) / REFILL_US);
    if (earned > 0) {
      this.#tokens = Math.min(BURST, this.#tokens + earned);
      this.#refilledAtUs = now;
    }
    if (this.#tokens > 0) {
      this.#tokens--;
      return true;
    }
    this.#suppressed++;
    return false;
  }
}

function writeEvent(event: Exclude<LoggedEvent, { type: "link" }>): void {
  // Only the fields in the message: the log appends any others.
  switch (event.type) {
    case "session":
      writeSession(event);
      break;
    case "server": {
      const { server, reason } = event;
      log.info("Server {reason}: using {server}", { reason, server });
      break;
    }
    case "roamed": {
      const { link, peer, remote } = event;
      log.info("Link {link} of {peer} comes from {remote}", { link, peer, remote });
      break;
    }
    case "conflict": {
      const { peer, hosts } = event;
      log.warning("Another host uses the key of {peer}: {hosts}", { peer, hosts });
      break;
    }
    case "foreign-source": {
      const { peer, source } = event;
      const text = "{peer} sends from {source}, which is neither in the tunnel's network nor in " +
        "routes: dropped; if it is right, add it there or to tunnel.sources";
      log.warning(text, { peer, source });
      break;
    }
    case "rebind":
      log.debug("Link {link} gets a fresh socket", { link: event.link });
      break;
    case "mtu": {
      const { peer, mtu } = event;
      log.debug("The links of {peer} carry packets of {mtu} bytes", { peer, mtu });
      break;
    }
    case "quota": {
      const { link, percent, reason } = event;
      if (percent > 0) log.warning("Link {link}: {reason}", { link, reason });
      else log.info("Link {link}: {reason}", { link, reason });
      break;
    }
    case "changed":
      log.info("{message}", { message: event.message });
      break;
    case "missed":
      break;
    case "handshake-failed": {
      const { remote, reason } = event;
      log.warning("Handshake with {remote} failed: {reason}", { remote, reason });
      break;
    }
  }
}

function writeSession(event: EndpointEvent & { type: "session" }): void {
  const { peer, state, remote, reason } = event;
  if (state === "rekeyed") log.debug("Session with {peer} has new keys", { peer });
  else if (reason) log.info("Session with {peer} is {state}: {reason}", { peer, state, reason });
  else if (remote) log.info("Session with {peer} is {state}, at {remote}", { peer, state, remote });
  else log.info("Session with {peer} is {state}", { peer, state });
}
