/**
 * Queries a running tunnel.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import { LineReader } from "./lines.ts";
import { CONTROL_VERSION, MAX_ANSWER_BYTES } from "./protocol.ts";

/** A daemon that has not answered after this long is not well. */
const ANSWER_MS = 5_000;

/**
 * Sends `request` to the daemon that listens on `path` and returns what it
 * answers under that name, as parsed JSON. Throws AggvpnError when nobody listens
 * or the answer is an error.
 */
export async function ask(path: string, request: string): Promise<unknown> {
  const connection = await connect(path);
  const timer = setTimeout(() => connection.close(), ANSWER_MS);
  try {
    const line = JSON.stringify({ version: CONTROL_VERSION, request }) + "\n";
    await connection.write(new TextEncoder().encode(line));
    return unwrap(await new LineReader(connection, MAX_ANSWER_BYTES).read(), request);
  } catch (cause) {
    if (cause instanceof AggvpnError) throw cause;
    throw new AggvpnError(`The tunnel at ${path} does not answer`, { cause });
  } finally {
    clearTimeout(timer);
    try {
      connection.close();
    } catch {
      // Closed by the timer.
    }
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
    throw new AggvpnError(`The tunnel refused: ${answer.error}`);
  }
  return answer[request];
}
