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

/** Serves `respond` at `place` until closed; `what` it is, in a few words, is for the log. */
export function openServer(
  what: string,
  place: Place,
  respond: Respond,
  retryMs: number = RETRY_MS,
): { close(): void } {
  return new PatientServer(what, place, respond, retryMs);
}

class PatientServer {
  readonly #what: string;
  readonly #place: Place;
  readonly #respond: Respond;
  #server: HttpServer | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(what: string, place: Place, respond: Respond, retryMs: number) {
    this.#what = what;
    this.#place = place;
    this.#respond = respond;
    const reason = this.#open();
    if (reason === undefined) return;
    const at = place.host.withPort(place.port);
    log.warning("The {what} waits for {at}: {reason}", { what, at, reason });
    this.#timer = setInterval(() => this.#retry(), retryMs);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server?.close();
  }

  #retry(): void {
    if (this.#open() !== undefined) return;
    clearInterval(this.#timer);
    const { host, port } = this.#place;
    log.info("The {what} is at {at}", { what: this.#what, at: host.withPort(port) });
  }

  /** Returns why that failed. */
  #open(): string | undefined {
    const { host, port } = this.#place;
    try {
      const listener = Deno.listen({ transport: "tcp", hostname: `${host}`, port });
      this.#server = new HttpServer(listener, this.#respond);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
}
