/**
 * Queries a running tunnel.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { LineReader } from "./lines.ts";
import { CONTROL_VERSION, MAX_ANSWER_BYTES, type Parameters } from "./protocol.ts";

/** A daemon that has not answered after this long is not well. */
const ANSWER_MS = 5_000;

/**
 * Sends `request` to the daemon that listens on `path` and returns what it answers under that name,
 * as parsed JSON. Throws AggvpnError when nobody listens or the answer is an error. `answerMs`
 * bounds the wait.
 */
export async function ask(
  path: string,
  request: string,
  parameters: Parameters = {},
  answerMs = ANSWER_MS,
): Promise<unknown> {
  const connection = await connect(path);
  const timer = setTimeout(() => hangUp(connection), answerMs);
  try {
    await send(connection, request, parameters);
    return unwrap(await new LineReader(connection, MAX_ANSWER_BYTES).read(), request);
  } catch (cause) {
    if (cause instanceof AggvpnError) throw cause;
    throw new AggvpnError(`The tunnel at ${path} does not answer`, { cause });
  } finally {
    clearTimeout(timer);
    hangUp(connection);
  }
}

/**
 * Sends `request` and gives one answer after the other, until the daemon ends, `signal` is aborted
 * or the caller has had enough. Throws AggvpnError like {@linkcode ask}.
 */
export async function* follow(
  path: string,
  request: string,
  parameters: Parameters = {},
  signal?: AbortSignal,
): AsyncGenerator<unknown, void> {
  const connection = await connect(path);
  const onAbort = (): void => hangUp(connection);
  signal?.addEventListener("abort", onAbort);
  try {
    if (signal?.aborted) return;
    await send(connection, request, parameters);
    const lines = new LineReader(connection, MAX_ANSWER_BYTES);
    for (;;) {
      const line = await lines.read();
      if (line === undefined) return;
      yield unwrap(line, request);
    }
  } catch (cause) {
    if (signal?.aborted) return;
    if (cause instanceof AggvpnError) throw cause;
    throw new AggvpnError(`The tunnel at ${path} has hung up`, { cause });
  } finally {
    signal?.removeEventListener("abort", onAbort);
    hangUp(connection);
  }
}

async function send(
  connection: Deno.UnixConn,
  request: string,
  parameters: Parameters,
): Promise<void> {
  const line = JSON.stringify({ ...parameters, version: CONTROL_VERSION, request }) + "\n";
  const bytes = new TextEncoder().encode(line);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** Closes a connection that may be closed already. */
function hangUp(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

async function connect(path: string): Promise<Deno.UnixConn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new AggvpnError(`Cannot open ${path}: Permission denied`, {
        hint: "Run as root, or as the user who runs the tunnel",
      });
    }
    throw new AggvpnError(`No tunnel is running at ${path}`, {
      hint: "Start one with `aggvpn up FILE`",
    });
  }
}

function unwrap(line: string | undefined, request: string): unknown {
  if (line === undefined) throw new AggvpnError("The tunnel hung up without an answer");
  const answer = JSON.parse(line) as Record<string, unknown>;
  if (typeof answer.error === "string") {
    throw new AggvpnError(
      `The tunnel refused: ${answer.error}`,
      typeof answer.hint === "string" ? { hint: answer.hint } : {},
    );
  }
  return answer[request];
}
