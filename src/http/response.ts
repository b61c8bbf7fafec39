/**
 * Answers to HTTP requests, and their heads as bytes.
 *
 * @module
 */

/** What a body that has no end is made of, until `signal` is aborted: the client has hung up. */
export type Follow = (signal: AbortSignal) => AsyncIterable<string>;

/** An answer. */
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** In pieces: the rest of the program has a turn between any two. */
  readonly body: string | Uint8Array | Iterable<string> | Follow;
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** An answer of plain text; without a `text` that of its status. */
export function plain(status: number, text?: string): HttpResponse {
  return {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      ...status === 405 && { allow: "GET, HEAD" },
    },
    body: `${text ?? REASONS[status] ?? status}\n`,
  };
}

/** An answer of JSON. */
export function json(status: number, value: unknown): HttpResponse {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value) + "\n",
  };
}

/** Writes the head; `headers` are those of the answer and of how its body travels. */
export function headText(status: number, headers: Readonly<Record<string, string>>): string {
  const all = {
    date: new Date().toUTCString(),
    connection: "close",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${REASONS[status] ?? ""}`, ...lines, "", ""].join("\r\n");
}
