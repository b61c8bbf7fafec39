/**
 * `aggvpn status --watch`: a tunnel as it is, every second, with what happens to it.
 *
 * @module
 */

import { follow } from "../control/client.ts";
import type { StatusDocument } from "../control/protocol.ts";
import type { TunnelEvent } from "../daemon/event_hub.ts";
import { eventWords } from "../daemon/event_words.ts";
import { AggvpnError, EXIT } from "../errors.ts";
import type { Shell } from "./command.ts";
import { askStatus } from "./commands/status.ts";
import { History } from "./live/history.ts";
import { listenForKeys } from "./live/keys.ts";
import { Screen } from "./live/screen.ts";
import { ASCII, BLOCKS } from "./live/sparkline.ts";
import { type Scene, viewLines } from "./live/view.ts";
import { statusText } from "./status_text.ts";
import { terminalSize } from "./terminal.ts";
import { COLUMNS } from "./wrap.ts";

const INTERVAL_MS = 1000;
/** Events that are kept: more than a terminal has rows. */
const EVENTS = 200;
/** Shows the tunnel with the control socket `path` until the user has enough. */
export async function watchStatus(shell: Shell, path: string): Promise<number> {
  const first = await askStatus(path);
  const ending = new AbortController();
  shell.gone?.addEventListener("abort", () => ending.abort());
  if (terminalSize()) await watchOnScreen(shell, path, first, ending);
  else await watchPlainly(shell, path, ending.signal);
  return EXIT.ok;
}

/** One status after the other: for files, pipes and terminals that know nothing. */
async function watchPlainly(shell: Shell, path: string, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    const status = await askStatus(path);
    shell.stdout(statusText(status, { color: shell.color, columns: COLUMNS }) + "\n");
    await pause(INTERVAL_MS, ending);
  }
}

async function watchOnScreen(
  shell: Shell,
  path: string,
  first: StatusDocument,
  ending: AbortController,
): Promise<void> {
  const view = new LiveView(shell, path, first);
  using screen = new Screen({
    write: shell.stdout,
    setRaw: (raw) => {
      if (Deno.stdin.isTerminal()) Deno.stdin.setRaw(raw);
    },
  });
  const redraw = (): void => view.draw(screen);
  const stopListening = listenForKeys({
    quit: () => ending.abort(),
    redraw,
    resume: () => {
      screen.leave();
      screen.enter();
      redraw();
    },
  });
  let failure: unknown;
  const following = view.follow(ending.signal, redraw).catch((error) => {
    failure = error;
    ending.abort();
  });
  try {
    while (!ending.signal.aborted) {
      redraw();
      await pause(INTERVAL_MS, ending.signal);
      if (!ending.signal.aborted) await view.update();
    }
  } finally {
    ending.abort();
    await following;
    stopListening();
  }
  if (failure) throw failure;
}

/** What is known of the tunnel, and how that looks. */
class LiveView {
  readonly #shell: Shell;
  readonly #path: string;
  readonly #history = new History();
  readonly #events: string[] = [];
  #lastEventMs = -Infinity;
  #status: StatusDocument;
  #trouble: string | undefined;

  constructor(shell: Shell, path: string, first: StatusDocument) {
    this.#shell = shell;
    this.#path = path;
    this.#status = first;
    this.#history.add(first.tunnel.peers);
  }

  /** Asks the tunnel again. One that does not answer may come back. */
  async update(): Promise<void> {
    try {
      this.#status = await askStatus(this.#path);
      this.#trouble = undefined;
      this.#history.add(this.#status.tunnel.peers);
    } catch (error) {
      if (!(error instanceof AggvpnError)) throw error;
      this.#trouble = `${error.message}; what follows was so before`;
      this.#history.add([]);
    }
  }

  /** Takes events, of the next tunnel too if this one ends, until `ending`. */
  async follow(ending: AbortSignal, onEvent: () => void): Promise<void> {
    while (!ending.aborted) {
      const seenAtMs = this.#lastEventMs;
      try {
        for await (const event of follow(this.#path, "events", { history: true }, ending)) {
          if ((event as TunnelEvent).atMs <= seenAtMs) continue;
          this.#add(event as TunnelEvent);
          onEvent();
        }
      } catch (error) {
        if (!(error instanceof AggvpnError)) throw error;
      }
      await pause(INTERVAL_MS, ending);
    }
  }

  draw(screen: Screen): void {
    const size = terminalSize();
    if (!size) return;
    const unicode = isUnicode();
    const scene: Scene = {
      status: this.#status,
      history: this.#history,
      events: this.#events,
      ...this.#trouble !== undefined && { trouble: this.#trouble },
    };
    const { color } = this.#shell;
    const style = { ...size, color, unicode, ramp: unicode ? BLOCKS : ASCII };
    screen.draw(viewLines(scene, style), size);
  }

  #add(event: TunnelEvent): void {
    this.#lastEventMs = event.atMs;
    const isServer = this.#status.tunnel.role === "server";
    const time = new Date(event.atMs).toTimeString().slice(0, "00:00:00".length);
    this.#events.push(`${time} ${eventWords(event, isServer)}`);
    if (this.#events.length > EVENTS) this.#events.shift();
  }
}

/** Whether the locale says that the terminal shows UTF-8. */
function isUnicode(): boolean {
  const { env } = Deno;
  const locale = env.get("LC_ALL") || env.get("LC_CTYPE") || env.get("LANG") || "";
  return /utf-?8/i.test(locale);
}

/** Resolves after `ms`, or when `ending` is aborted. */
function pause(ms: number, ending: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const onEnd = (): void => resolve();
  ending.addEventListener("abort", onEnd);
  return promise.finally(() => {
    clearTimeout(timer);
    ending.removeEventListener("abort", onEnd);
  });
}
