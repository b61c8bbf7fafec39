/**
 * A running tunnel as the service manager sees it: a line of words, and signs of life.
 *
 * @module
 */

import type { EndpointStatus, PeerStatus } from "../tunnel/options.ts";
import type { TunnelEvent } from "./event_hub.ts";
import type { ServiceNotifier } from "./service_notifier.ts";

/** The words follow an event after this, so that a flapping link costs little; milliseconds. */
const WORDS_DELAY_MS = 300;
/** How often the event loop is looked at in the time that the manager waits for a sign of life. */
const LOOKS = 4;
/** Names that the words list. */
const MAX_NAMES = 8;

/** What is told of a tunnel. */
export interface ServiceSubject {
  readonly events: { subscribe(listener: (event: TunnelEvent) => void): () => void };
  /** The same as `status` shows. */
  status(): { readonly tunnel: EndpointStatus };
  /** Turns of its event loop so far. */
  readonly turns: number;
  /** Makes the loop turn soon. */
  wake(): void;
}

/** Tells the manager how the tunnel is, until the stack is disposed. */
export function startService(
  notifier: ServiceNotifier,
  subject: ServiceSubject,
  stack: AsyncDisposableStack,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = (): void => {
    timer = undefined;
    notifier.status(statusWords(subject.status().tunnel));
  };
  say();
  const unsubscribe = subject.events.subscribe(({ type }) => {
    if (type === "session" || type === "link") timer ??= setTimeout(say, WORDS_DELAY_MS);
  });
  stack.defer(() => {
    unsubscribe();
    clearTimeout(timer);
  });
  startWatchdog(notifier, subject, stack);
}

/**
 * Signs of life come from the event loop: it is woken, and unless it has then turned there is none. A
 * loop that hangs in a turn keeps this from running at all.
 */
function startWatchdog(
  notifier: ServiceNotifier,
  subject: ServiceSubject,
  stack: AsyncDisposableStack,
): void {
  const { watchdogUs } = notifier;
  if (watchdogUs === undefined) return;
  let seen = -1;
  const look = (): void => {
    const { turns } = subject;
    if (turns !== seen) notifier.alive();
    seen = turns;
    subject.wake();
  };
  look();
  const interval = setInterval(look, watchdogUs / 1000 / LOOKS);
  stack.defer(() => clearInterval(interval));
}

/** Says how a tunnel is: `2 of 3 links up: dsl, lte; down: sat`. */
export function statusWords({ role, peers }: EndpointStatus): string {
  if (role === "client") return clientWords(peers[0]);
  const up = peers.filter((peer) => peer.state === "up");
  if (up.length === 0) return "No client is connected";
  const clients = up.length === 1 ? "1 client is connected" : `${up.length} clients are connected`;
  return `${clients}: ${listOf(up.map((peer) => `${peer.name} (${linkCount(peer)})`))}`;
}

function clientWords(server: PeerStatus | undefined): string {
  const links = server?.links ?? [];
  const [up, down] = [true, false].map((is) =>
    links.filter((link) => (link.state === "up" || link.state === "suspect") === is)
      .map((link) => link.name)
  );
  const session = server?.state === "up" ? "" : "No session with a server; ";
  const count = `${up!.length} of ${links.length} links up`;
  const names = up!.length > 0 ? `: ${listOf(up!)}` : "";
  return session + count + names + (down!.length > 0 ? `; down: ${listOf(down!)}` : "");
}

function linkCount({ links }: PeerStatus): string {
  const up = links.filter((link) => link.state !== "down" && link.state !== "connecting").length;
  return `${up} ${up === 1 ? "link" : "links"}`;
}

function listOf(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return [...names.slice(0, MAX_NAMES), ...more > 0 ? [`${more} more`] : []].join(", ");
}
