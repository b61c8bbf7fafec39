/**
 * Follows a dashboard as its page does.
 *
 * @module
 */

import { type StreamEvent, streamEvents } from "../../web/event_stream.ts";
import { requestText } from "./talk.ts";

/** A page that follows. */
export class LiveReader implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #events: AsyncGenerator<StreamEvent>;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#events = streamEvents(bodyOf(connection));
  }

  /** Asks for what happens. */
  static async open(port: number, token: string, query = ""): Promise<LiveReader> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const text = requestText(`/api/live${query}`, { authorization: `Bearer ${token}` });
    // A body that is not in chunks, for the reader's sake.
    await connection.write(new TextEncoder().encode(text.replace("HTTP/1.1", "HTTP/1.0")));
    return new LiveReader(connection);
  }

  /** The next event, parsed; undefined at the end. */
  async next(): Promise<{ name: string; data: unknown } | undefined> {
    const { value, done } = await this.#events.next();
    return done ? undefined : { name: value.name, data: JSON.parse(value.data) };
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

async function* bodyOf(connection: Deno.TcpConn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let head: string | undefined = "";
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return;
    const text: string = decoder.decode(buffer.subarray(0, count), { stream: true });
    if (head === undefined) {
      yield text;
      continue;
    }
    head += text;
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) continue;
    yield head.slice(end + 4);
    head = undefined;
  }
}
