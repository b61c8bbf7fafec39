/**
 * One request and its answer on a connection, each within a time: who is slow is hung up on.
 *
 * @module
 */

import { LineReader } from "../control/lines.ts";
import { type HttpRequest, type ParsedHead, parseHead } from "./request.ts";
import { type Follow, headText, type HttpResponse, plain } from "./response.ts";

/** Longest line of a head, and most lines. */
const MAX_LINE_BYTES = 4096;
const MAX_LINES = 64;
/** Longest piece that is written at once. */
const PIECE_BYTES = 64 * 1024;
/** How long a client may take to read what it was sent, to hang up after the end. */
const END_MS = 1_000;
/** What a client may say that nobody has asked for. */
const IGNORED_BYTES = 64 * 1024;

/** How long things may take; tests have less time. */
export interface Patience {
  /** The head of a request to come, in milliseconds. */
  readonly headMs: number;
  /** A piece of the answer to be taken. */
  readonly pieceMs: number;
}

/** What is needed of Deno.TcpConn. */
export type Client = Pick<Deno.TcpConn, "read" | "write" | "close" | "closeWrite">;

/** A connection of a client. */
export class Connection {
  readonly #client: Client;
  readonly #patience: Patience;
  #isClosed = false;

  constructor(client: Client, patience: Patience) {
    this.#client = client;
    this.#patience = patience;
  }

  /**
   * Hangs up. What goes on fails, except that Deno 2.7 does not end a write: it goes on until the
   * client has hung up too, and until then the connection is one of the few that there may be.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#client.close();
  }

  /** Reads a request. Rejects when none comes in time, or the client hangs up. */
  async read(): Promise<ParsedHead> {
    return await this.#within(this.#patience.headMs, async () => {
      const reader = new LineReader(this.#client, MAX_LINE_BYTES);
      const lines: string[] = [];
      for (;;) {
        const line = (await reader.read())?.replace(/\r$/, "");
        if (line === undefined) throw new Error("The client has hung up");
        if (line === "") return parseHead(lines);
        lines.push(line);
        if (lines.length > MAX_LINES) return { status: 431 };
      }
    });
  }

  /** Sends an answer; `request` is absent when there was none that could be read. */
  async answer(response: HttpResponse, request?: HttpRequest): Promise<void> {
    const { body } = response;
    const isHead = request?.method === "HEAD";
    if (typeof body === "string" || body instanceof Uint8Array) {
      const bytes = typeof body === "string" ? encode(body) : body;
      await this.#head(response, { "content-length": `${bytes.length}` });
      if (!isHead) await this.#write(bytes);
      return;
    }
    const inChunks = request?.takesChunks === true;
    await this.#head(response, inChunks ? { "transfer-encoding": "chunked" } : {});
    if (isHead) return;
    const send = (text: string): Promise<void> =>
      this.#write(inChunks ? chunkOf(text) : encode(text));
    if (typeof body === "function") return await this.#follow(body, send);
    for (const text of body) if (text !== "") await send(text);
    if (inChunks) await this.#write(encode("0\r\n\r\n"));
  }

  /** Lets the client read to the end: what it has sent beyond a request would cut that short. */
  async end(): Promise<void> {
    if (this.#isClosed) return;
    await this.#client.closeWrite();
    await this.#within(END_MS, () => this.#ignore());
  }

  async #follow(body: Follow, send: (text: string) => Promise<void>): Promise<void> {
    const aborter = new AbortController();
    const hungUp = this.#ignore().catch(() => {}).then(() => aborter.abort());
    try {
      for await (const text of body(aborter.signal)) await send(text);
    } finally {
      this.close();
      await hungUp;
    }
  }

  /** Reads until the client hangs up or has said too much. */
  async #ignore(): Promise<void> {
    const ignored = new Uint8Array(1024);
    for (let left = IGNORED_BYTES; left > 0;) {
      const count = await this.#client.read(ignored);
      if (count === null) return;
      left -= count;
    }
  }

  async #head(
    { status, headers }: HttpResponse,
    framing: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#write(encode(headText(status, { ...headers, ...framing })));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      const piece = bytes.subarray(from, from + PIECE_BYTES);
      await this.#within(this.#patience.pieceMs, async () => {
        for (let sent = 0; sent < piece.length;) {
          sent += await this.#client.write(piece.subarray(sent));
        }
      });
    }
  }

  async #within<T>(ms: number, action: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.close(), ms);
    try {
      return await action();
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The answer to a head that is longer than agreed. */
export const TOO_LONG: HttpResponse = plain(431);

function chunkOf(text: string): Uint8Array {
  const bytes = encode(text);
  return encode(`${bytes.length.toString(16)}\r\n${text}\r\n`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
