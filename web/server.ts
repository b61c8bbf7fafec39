/**
 * The tunnel's side: what it tells, and what it is asked for. The token goes along with each request.
 *
 * @module
 */

import { type StreamEvent, streamEvents } from "./event_stream.ts";

/** The token is another one, or there is none. */
export class Refused extends Error {
  override readonly name = "Refused";
}

const KEY = "token";

/**
 * Returns the token of the address, which is taken out of it so that no bookmark and no picture of
 * the screen has it, or else the one that this tab had before.
 */
export function takeToken(): string {
  if (location.hash.length > 20) {
    keepToken(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

/** Keeps a token as long as this tab is open. */
export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

/** Gives what the tunnel tells of a peer, until it ends or `signal` is aborted. */
export async function* follow(
  token: string,
  peer: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const query = peer === undefined ? "" : `?${new URLSearchParams({ peer })}`;
  const response = await ask(token, `/api/live${query}`, { signal });
  yield* streamEvents(textOf(response.body!));
}

/** Switches a link; returns what the tunnel says to that. */
export async function switchLink(token: string, link: string, to: string): Promise<string> {
  const query = new URLSearchParams({ link, to });
  const response = await ask(token, `/api/link?${query}`, { method: "POST" });
  return (await response.json() as { message: string }).message;
}

async function ask(token: string, path: string, init: RequestInit): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...init, headers, cache: "no-store" });
  if (response.ok) return response;
  const { error, hint } = await response.json().catch(() => ({ error: response.statusText }));
  if (response.status === 401) throw new Refused(error);
  throw new Error(hint === undefined ? error : `${error}. ${hint}`);
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel();
  }
}
