/**
 * The control socket of a running tunnel.
 *
 * Only its owner may connect (mode 0600), and even so nothing sent to it can do harm: lines are
 * bounded, silent clients are hung up on, and their number is limited.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { AggvpnError } from "../errors.ts";
import { reportIfRefused } from "../refusals.ts";
import { LineReader, LineTooLong } from "./lines.ts";
import { CONTROL_VERSION, MAX_REQUEST_BYTES, type Parameters, parseRequest } from "./protocol.ts";

const log = getLogger(["aggvpn", "control"]);

/** A client that neither asks nor reads for this long is hung up on. */
const IDLE_MS = 10_000;
/** Clients served at once; more are hung up on. */
export const MAX_CLIENTS = 64;
/** Longest socket path in bytes that every system accepts (`sun_path`: OpenBSD 104 with NUL). */
const MAX_PATH_BYTES = 103;

/**
 * What answers a request. The value, or what it resolves to, is put under the request's name in the
 * answer; an AggvpnError becomes an error with its hint.
 */
export type Handler = (parameters: Parameters) => unknown;

/** Handlers by request name. */
export type Requests = Readonly<Record<string, Handler>>;

/**
 * What answers a request with one line after the other until `signal` is aborted: the client has
 * hung up, or the server ends. Nothing is asked for while a client does not read.
 */
export type Stream = (parameters: Parameters, signal: AbortSignal) => AsyncIterable<unknown>;

/** Streams by request name. */
export type Streams = Readonly<Record<string, Stream>>;

/** Listens until {@linkcode close}. */
export class ControlServer {
  readonly #listener: Deno.UnixListener;
  readonly #requests: Requests;
  readonly #streams: Streams;
  readonly #clients: Set<Deno.UnixConn> = new Set();

  constructor(listener: Deno.UnixListener, requests: Requests, streams: Streams) {
    this.#listener = listener;
    this.#requests = requests;
    this.#streams = streams;
    void this.#accept();
  }

  /** Hangs up on all clients and removes the socket. */
  close(): void {
    this.#listener.close();
    for (const client of this.#clients) hangUp(client);
    removeSocket((this.#listener.addr as Deno.UnixAddr).path);
  }

  async #accept(): Promise<void> {
    for (;;) {
      let client: Deno.UnixConn;
      try {
        client = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        reportIfRefused("a connection to the control socket", error);
        await new Promise((resolve) => setTimeout(resolve, 100)); // out of descriptors
        continue;
      }
      if (this.#clients.size >= MAX_CLIENTS) hangUp(client);
      else void this.#serve(client);
    }
  }

  async #serve(client: Deno.UnixConn): Promise<void> {
    this.#clients.add(client);
    const lines = new LineReader(client, MAX_REQUEST_BYTES);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      for (;;) {
        timer = setTimeout(() => hangUp(client), IDLE_MS);
        const line = await lines.read();
        if (line === undefined) return;
        const { request, parameters, error } = parseRequest(line);
        if (request !== undefined && Object.hasOwn(this.#streams, request)) {
          clearTimeout(timer);
          return await this.#stream(client, request, parameters);
        }
        await send(
          client,
          error === undefined ? await this.#answer(request, parameters) : { error },
        );
        clearTimeout(timer);
      }
    } catch (error) {
      reportIfRefused("an answer on the control socket", error);
      if (error instanceof LineTooLong) {
        const message = `The request is longer than ${MAX_REQUEST_BYTES} bytes`;
        await send(client, { error: message }).catch(() => {});
      }
    } finally {
      clearTimeout(timer);
      hangUp(client);
      this.#clients.delete(client);
    }
  }

  async #answer(
    request: string,
    parameters: Parameters,
  ): Promise<Readonly<Record<string, unknown>>> {
    if (!Object.hasOwn(this.#requests, request)) {
      return { error: `Unknown request ${JSON.stringify(request)}` };
    }
    try {
      return { [request]: await this.#requests[request]!(parameters) };
    } catch (error) {
      return describe(request, error);
    }
  }

  /** Sends what the stream gives until the client hangs up; whatever else it says is ignored. */
  async #stream(client: Deno.UnixConn, request: string, parameters: Parameters): Promise<void> {
    const aborter = new AbortController();
    const ignored = new Uint8Array(1024);
    const hungUp = (async (): Promise<void> => {
      while (await client.read(ignored).catch(() => null) !== null) { /* ignored */ }
      aborter.abort();
    })();
    try {
      for await (const item of this.#streams[request]!(parameters, aborter.signal)) {
        await send(client, { [request]: item });
      }
    } catch (error) {
      if (aborter.signal.aborted) return;
      await send(client, describe(request, error)).catch(() => {});
    } finally {
      hangUp(client);
      await hungUp;
    }
  }
}

/** What a client is told of an error. */
function describe(request: string, error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof AggvpnError) {
    return { error: error.message, ...error.hint !== undefined && { hint: error.hint } };
  }
  const reason = error instanceof Error ? error.stack ?? error.message : String(error);
  log.error("The request {request} failed, which is a bug: {reason}", { request, reason });
  return { error: "The request failed, which is a bug: see the log of the tunnel" };
}

/**
 * Listens on `path`, replacing the socket of a dead daemon. Creates missing directories. Throws
 * AggvpnError when a daemon is alive there.
 */
export async function openControl(
  path: string,
  requests: Requests,
  streams: Streams = {},
): Promise<ControlServer> {
  if (new TextEncoder().encode(path).length > MAX_PATH_BYTES) {
    throw new AggvpnError(`The path of the control socket is too long: ${path}`, {
      hint: `Set \`control\` to a path of at most ${MAX_PATH_BYTES} bytes`,
    });
  }
  await replaceStale(path);
  try {
    return new ControlServer(listen(path), requests, streams);
  } catch (cause) {
    throw new AggvpnError(`Cannot listen on ${path}: ${(cause as Error).message}`, {
      cause,
      hint: "Run as root, or set `control` to a path you may write to",
    });
  }
}

function listen(path: string): Deno.UnixListener {
  const directory = path.slice(0, path.lastIndexOf("/"));
  if (directory !== "") Deno.mkdirSync(directory, { recursive: true, mode: 0o755 });
  const umask = Deno.umask(0o177);
  try {
    return Deno.listen({ transport: "unix", path });
  } finally {
    Deno.umask(umask);
  }
}

async function replaceStale(path: string): Promise<void> {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch {
    return; // nothing there, or `listen` will say what is wrong
  }
  if (!info.isSocket) {
    throw new AggvpnError(`${path} exists and is not a socket`, {
      hint: "Remove it, or set `control` to another path",
    });
  }
  if (await isAlive(path)) {
    throw new AggvpnError(`A tunnel is already running with the control socket ${path}`, {
      hint: "Stop it first, or give this one another `name`",
    });
  }
  removeSocket(path);
}

/** Tells whether a daemon listens on the socket `path`. */
export async function isAlive(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied;
  }
}

/** Sends one line with the fields of `answer`. */
async function send(
  client: Deno.UnixConn,
  answer: Readonly<Record<string, unknown>>,
): Promise<void> {
  const line = JSON.stringify({ version: CONTROL_VERSION, ...answer }) + "\n";
  const bytes = new TextEncoder().encode(line);
  for (let sent = 0; sent < bytes.length;) sent += await client.write(bytes.subarray(sent));
}

function hangUp(client: Deno.UnixConn): void {
  try {
    client.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    // If it stays, the next start replaces it.
    if (!reportIfRefused("the removal of the control socket", error)) throw error;
  }
}
