/**
 * Tells the service manager what this process does: sd_notify(3).
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { MessageSink, Platform } from "../platform/platform.ts";

const log = getLogger(["aggvpn", "service"]);

/** What of the system and of the environment is needed. */
export interface NotifierOptions {
  readonly platform: Pick<Platform, "serviceManager">;
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read. */
  readonly env: (name: string) => string | undefined;
}

/** Speaks to the manager; to nobody where there is none. */
export class ServiceNotifier {
  /**
   * Microseconds in which the manager wants a sign of life; undefined: it wants none.
   */
  readonly watchdogUs: number | undefined;
  readonly #sink: MessageSink | undefined;
  readonly #monotonicUs: () => number;
  #status = "";

  constructor(sink?: MessageSink, monotonicUs: () => number = () => 0, watchdogUs?: number) {
    this.#sink = sink;
    this.#monotonicUs = monotonicUs;
    this.watchdogUs = sink && watchdogUs;
  }

  /** Opens the way to the manager that the environment names, if it names one. Never throws. */
  static open({ platform, env }: NotifierOptions): ServiceNotifier {
    const path = env("NOTIFY_SOCKET");
    const { serviceManager } = platform;
    if (path === undefined || path === "" || !serviceManager) return new ServiceNotifier();
    try {
      const sink = serviceManager.open(path);
      return new ServiceNotifier(sink, () => serviceManager.monotonicUs(), watchdogOf(env));
    } catch (error) {
      log.warning("Cannot tell the service manager: {reason}", {
        reason: (error as Error).message,
      });
      return new ServiceNotifier();
    }
  }

  /** The service does what it is for, at first or again after {@linkcode reloading}. */
  ready(): void {
    this.#send("READY=1");
  }

  /** Says in words how the service is, when that is something else than before. */
  status(words: string): void {
    const line = words.replaceAll("\n", " ");
    if (line === this.#status) return;
    // Not taken: said again with the next change.
    if (this.#send(`STATUS=${line}`)) this.#status = line;
  }

  /** The configuration is being read again; {@linkcode ready} ends that. */
  reloading(): void {
    this.#send(`RELOADING=1\nMONOTONIC_USEC=${this.#monotonicUs()}`);
  }

  /** The service is ending. */
  stopping(): void {
    this.#send("STOPPING=1");
  }

  /** The service is alive: {@linkcode watchdogUs}. */
  alive(): void {
    this.#send("WATCHDOG=1");
  }

  close(): void {
    this.#sink?.close();
  }

  #send(message: string): boolean {
    return this.#sink?.send(new TextEncoder().encode(message)) ?? false;
  }
}

/** As sd_watchdog_enabled(3): only the process that is meant has a watchdog. */
function watchdogOf(env: NotifierOptions["env"]): number | undefined {
  const pid = env("WATCHDOG_PID");
  if (pid !== undefined && pid !== `${Deno.pid}`) return undefined;
  const us = Number(env("WATCHDOG_USEC"));
  return Number.isSafeInteger(us) && us > 0 ? us : undefined;
}
