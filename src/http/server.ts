/**
 * A small HTTP server, for metrics and the dashboard: one request a connection, few connections.
 *
 * Deno.serve bounds neither connections nor the time that a client takes, so that a stranger could
 * fill the memory of the process that carries packets.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { LineTooLong } from "../control/lines.ts";
import { reportIfRefused } from "../refusals.ts";
import { Connection, type Patience, TOO_LONG } from "./connection.ts";
import type { HttpRequest } from "./request.ts";
import { type HttpResponse, plain } from "./response.ts";

const log = getLogger(["aggvpn", "http"]);

/** Connections at once of one server; more are hung up on. */
export const MAX_CONNECTIONS = 32;
const PATIENCE: Patience = { headMs: 5_000, pieceMs: 10_000 };
/** Pause between two connections: who asks all the time takes no time from the packets. */
const PAUSE_MS = 25;
/** Pause when there is no descriptor left for a connection. */
const LONG_PAUSE_MS = 100;

/** What answers requests. */
export type Respond = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

/** Serves a listener until {@linkcode close}. */
export class HttpServer {
  readonly #listener: Deno.TcpListener;
  readonly #respond: Respond;
  readonly #patience: Patience;
  readonly #connections: Set<Connection> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: Deno.TcpListener, respond: Respond, patience: Patience = PATIENCE) {
    this.#listener = listener;
    this.#respond = respond;
    this.#patience = patience;
    void this.#accept();
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Hangs up on all clients. */
  close(): void {
    clearTimeout(this.#timer);
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
  }

  async #accept(): Promise<void> {
    for (;;) {
      let client: Deno.TcpConn;
      try {
        client = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        reportIfRefused("a connection by HTTP", error);
        await this.#pause(LONG_PAUSE_MS);
        continue;
      }
      if (this.#connections.size >= MAX_CONNECTIONS) client.close();
      else void this.#serve(new Connection(client, this.#patience));
      await this.#pause(PAUSE_MS);
    }
  }

  /** Never ends once the server is closed. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#timer = setTimeout(resolve, ms));
  }

  /** Never rejects: a client that has hung up, or is hung up on, is no news. */
  async #serve(connection: Connection): Promise<void> {
    this.#connections.add(connection);
    try {
      const { request, status } = await connection.read();
      const response = request ? await this.#answerTo(request) : plain(status);
      await connection.answer(response, request);
      await connection.end();
    } catch (error) {
      reportIfRefused("an answer by HTTP", error);
      if (error instanceof LineTooLong) {
        await connection.answer(TOO_LONG).then(() => connection.end()).catch(() => {});
      }
    } finally {
      connection.close();
      this.#connections.delete(connection);
    }
  }

  async #answerTo(request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.#respond(request);
    } catch (error) {
      // The path has no secrets, which are in a header.
      const reason = error instanceof Error ? error.stack ?? error.message : String(error);
      log.error("{path} failed, which is a bug: {reason}", { path: request.path, reason });
      return plain(500);
    }
  }
}
