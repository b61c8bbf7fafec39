/**
 * Opens a server now, or as soon as that is possible: a port that another program has, or an address
 * that is not there yet, is no reason for a host to be without its tunnel.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Address } from "../address.ts";
import { HttpServer, type Respond } from "./server.ts";

const log = getLogger(["aggvpn", "http"]);

/** Pause between attempts. */
const RETRY_MS = 5_000;

/** Where a server listens. */
export interface Place {
  readonly host: Address;
  readonly port: number;
}

/** A server that is open, or will be. */
export interface OpenedServer {
  /** Why it is not open yet; undefined when it is. */
  readonly reason: string | undefined;
  close(): void;
}

/** Serves `respond` at `place` until closed; `what` it is, such as "metrics", is for the log. */
export function openServer(
  what: string,
  place: Place,
  respond: Respond,
  retryMs: number = RETRY_MS,
): OpenedServer {
  return new PatientServer(what, place, respond, retryMs);
}

class PatientServer implements OpenedServer {
  reason: string | undefined;
  readonly #place: Place;
  readonly #respond: Respond;
  #server: HttpServer | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(what: string, place: Place, respond: Respond, retryMs: number) {
    this.#place = place;
    this.#respond = respond;
    this.#open();
    if (this.reason === undefined) return;
    const at = place.host.withPort(place.port);
    log.warning("Cannot serve {what} at {at} yet: {reason}", { what, at, reason: this.reason });
    this.#timer = setInterval(() => {
      this.#open();
      if (this.reason !== undefined) return;
      clearInterval(this.#timer);
      log.info("Serving {what} at {at}", { what, at });
    }, retryMs);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server?.close();
  }

  #open(): void {
    const { host, port } = this.#place;
    try {
      const listener = Deno.listen({ transport: "tcp", hostname: `${host}`, port });
      this.#server = new HttpServer(listener, this.#respond);
      this.reason = undefined;
    } catch (error) {
      this.reason = (error as Error).message;
    }
  }
}
