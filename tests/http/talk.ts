/**
 * Speaks HTTP byte by byte: what a browser would not send, and what it would hide.
 *
 * @module
 */

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly raw: string;
}

/** Sends `text` and reads until the server hangs up. */
export async function talk(port: number, text: string): Promise<Reply> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  let raw = "";
  const decoder = new TextDecoder();
  for await (const chunk of connection.readable) raw += decoder.decode(chunk, { stream: true });
  return parseReply(raw);
}

/** The request line and headers of a usual request. */
export function requestText(
  target: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): string {
  const all = { host: "127.0.0.1", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

function parseReply(raw: string): Reply {
  const [head = "", ...rest] = raw.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Map(lines.map((line) => line.split(": ", 2) as [string, string]));
  const framed = rest.join("\r\n\r\n");
  const inChunks = headers.get("transfer-encoding") === "chunked" && framed !== ""; // of HEAD
  const body = inChunks ? unchunked(framed) : framed;
  return { status: Number(first.split(" ")[1]), headers, body, raw };
}

/** The chunks of an ASCII body; throws when they do not end as they should. */
function unchunked(text: string): string {
  let body = "";
  for (let rest = text;;) {
    const end = rest.indexOf("\r\n");
    const length = parseInt(rest.slice(0, end), 16);
    if (!(length >= 0)) throw new Error(`No chunk: ${rest}`);
    if (length === 0) return body;
    body += rest.slice(end + 2, end + 2 + length);
    rest = rest.slice(end + 2 + length + 2);
  }
}
