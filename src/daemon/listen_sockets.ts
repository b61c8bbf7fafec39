/**
 * The sockets of a running server: opened and closed while it runs.
 *
 * Each has a place, whose number is that of the socket; one that was closed is free for the next.
 *
 * @module
 */

import type { ListenConfig } from "../config/config.ts";
import { formatHostPort } from "../config/host_port.ts";
import type { Driver } from "../io/driver.ts";
import type { LinkSockets } from "../io/link_sockets.ts";
import type { LinkSocket, Platform, WatchedLink } from "../platform/platform.ts";
import type { ListDifference } from "./difference.ts";
import { listenSocket } from "./plan.ts";

/** The running parts that listen. */
export interface ListenParts {
  readonly platform: Pick<Platform, "openSocket">;
  readonly driver: Pick<Driver, "setSocket" | "closeSocket">;
  readonly linkSockets: Pick<LinkSockets, "set">;
  /** What the platform is asked about, by place. */
  readonly watched: WatchedLink[];
}

/** A socket that is open and not in use yet. */
export interface OpenListen {
  readonly listen: ListenConfig;
  readonly socket: LinkSocket;
}

/** The sockets of one server. */
export class ListenSockets {
  readonly #parts: ListenParts;
  /** By place. */
  readonly #listen: (ListenConfig | undefined)[];

  constructor(parts: ListenParts, listen: readonly ListenConfig[]) {
    this.#parts = parts;
    this.#listen = [...listen];
  }

  /** Opens what is to be added. Throws AggvpnError, with none of it open. */
  open(added: readonly ListenConfig[]): OpenListen[] {
    const opened: OpenListen[] = [];
    try {
      for (const listen of added) {
        opened.push({ listen, socket: this.#parts.platform.openSocket(listenSocket(listen)) });
      }
    } catch (error) {
      for (const { socket } of opened) socket.close();
      throw error;
    }
    return opened;
  }

  /** Makes a difference true, with what {@linkcode open} has opened for it. */
  apply(opened: readonly OpenListen[], { removed }: ListDifference<ListenConfig>): void {
    const { driver, linkSockets, watched } = this.#parts;
    for (const one of removed) {
      const place = this.#listen.findIndex((other) =>
        other !== undefined && formatHostPort(other) === formatHostPort(one)
      );
      this.#listen[place] = undefined;
      linkSockets.set(place, undefined);
      driver.closeSocket(place);
    }
    for (const { listen, socket } of opened) {
      const free = this.#listen.indexOf(undefined);
      const place = free < 0 ? this.#listen.length : free;
      this.#listen[place] = listen;
      watched[place] = { socket: listenSocket(listen) };
      linkSockets.set(place, listenSocket(listen));
      driver.setSocket(place, socket);
    }
  }
}
