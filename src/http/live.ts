/**
 * What the dashboard is sent as it happens: server-sent events, of one peer's links.
 *
 * Who reads slowly gets fewer samples, never a queue of them: each is made when the one before has
 * been taken. The page itself (`web/`) imports these types.
 *
 * @module
 */

import type { LinkStatus, PeerStatus } from "../tunnel/options.ts";
import type { Look, Recorder } from "./recorder.ts";

/** Events that wait for one reader; more are counted and left out. */
const MAX_WAITING = 250;

/** Something that happened. */
export interface Happening {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** In one line. */
  readonly words: string;
}

/** What there is to follow. */
export interface LiveSource {
  readonly recorder: Recorder;
  /** The last events, then each from now on, until the signal is aborted. */
  readonly happenings: (signal: AbortSignal) => AsyncIterable<Happening>;
  /** Whether links may be switched. */
  readonly mayControl: boolean;
}

/** One line of the table of peers. */
export interface PeerSummary extends Pick<PeerStatus, "name" | "state" | "sessionAgeUs"> {
  readonly reason: string;
  readonly linksUp: number;
  readonly links: number;
  readonly sendBps: number;
  readonly receiveBps: number;
}

/** Sent once a second. */
export interface LiveSample {
  readonly atMs: number;
  readonly name: string;
  readonly role: "client" | "server";
  readonly interface: string;
  readonly mtu: number;
  readonly uptimeUs: number;
  readonly mayControl: boolean;
  readonly peers: readonly PeerSummary[];
  /** The peer whose links these are; the name is empty when there is none. */
  readonly peer: string;
  readonly links: readonly LinkStatus[];
}

/**
 * Follows `wanted`, or the first peer that is up while there is no such peer; begins with its
 * history.
 */
export async function* live(
  { recorder, happenings, mayControl }: LiveSource,
  wanted: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const waiting = new Waiting(signal);
  const unwatch = recorder.watch(() => waiting.note());
  void pump(happenings(signal), waiting);
  waiting.note();
  let shown: string | undefined;
  try {
    while (!signal.aborted) {
      await waiting.next();
      if (waiting.takeNote()) {
        const look = recorder.last!;
        const before = shown;
        shown = choosePeer(look, shown ?? wanted);
        if (shown !== before) yield message("history", recorder.historyOf(shown));
        yield message("sample", sampleOf(look, shown, mayControl));
      }
      for (const happening of waiting.takeHappenings()) yield message("happening", happening);
    }
  } finally {
    unwatch();
  }
}

/** One server-sent event (HTML standard, section 9.2.5). JSON has no line ends. */
function message(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function choosePeer({ status: { tunnel: { peers } } }: Look, wanted: string | undefined): string {
  const chosen = peers.find(({ name }) => name === wanted) ??
    peers.find(({ state }) => state === "up") ?? peers[0];
  return chosen?.name ?? "";
}

function sampleOf({ atMs, status }: Look, peer: string, mayControl: boolean): LiveSample {
  const { daemon, tunnel } = status;
  return {
    atMs,
    name: daemon.name,
    role: tunnel.role,
    interface: daemon.interface,
    mtu: tunnel.mtu,
    uptimeUs: daemon.uptimeUs,
    mayControl,
    peers: tunnel.peers.map(summaryOf),
    peer,
    links: tunnel.peers.find(({ name }) => name === peer)?.links ?? [],
  };
}

function summaryOf(peer: PeerStatus): PeerSummary {
  const { name, state, sessionAgeUs, links, serverReason, conflict } = peer;
  return {
    name,
    state,
    sessionAgeUs,
    reason: conflict === undefined ? serverReason ?? "" : `another host uses its key: ${conflict}`,
    linksUp: links.filter((link) => link.state === "up").length,
    links: links.length,
    sendBps: links.reduce((sum, link) => sum + link.sendBps, 0),
    receiveBps: links.reduce((sum, link) => sum + link.receiveBps, 0),
  };
}

async function pump(happenings: AsyncIterable<Happening>, waiting: Waiting): Promise<void> {
  for await (const happening of happenings) waiting.add(happening);
}

/** What waits for a reader to have taken what came before. */
class Waiting {
  readonly #signal: AbortSignal;
  #happenings: Happening[] = [];
  #missed = 0;
  #isNoted = false;
  #wake: () => void = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake());
  }

  add(happening: Happening): void {
    if (this.#happenings.length < MAX_WAITING) this.#happenings.push(happening);
    else this.#missed++;
    this.#wake();
  }

  /** There is another sample. */
  note(): void {
    this.#isNoted = true;
    this.#wake();
  }

  /** Resolves when there is something, or the reader has gone. */
  async next(): Promise<void> {
    if (this.#isNoted || this.#happenings.length > 0 || this.#signal.aborted) return;
    await new Promise<void>((resolve) => this.#wake = resolve);
  }

  takeNote(): boolean {
    const was = this.#isNoted;
    this.#isNoted = false;
    return was;
  }

  takeHappenings(): readonly Happening[] {
    const taken = this.#happenings;
    const { length } = taken;
    const missed = this.#missed > 0
      ? [{ atMs: taken[length - 1]!.atMs, words: `${this.#missed} events are not shown` }]
      : [];
    this.#happenings = [];
    this.#missed = 0;
    return [...taken, ...missed];
  }
}
