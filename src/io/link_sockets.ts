/**
 * The sockets of a tunnel: opened at the start, and again when a link comes back.
 *
 * At the start a socket may wait for an address that does not exist yet (DHCP, PPPoE), as long as
 * another socket opens; any other error is the configuration's and ends the start. While the tunnel
 * runs, no error ends it.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import { AggvpnError } from "../errors.ts";
import type { LinkSocket, Platform, SocketOptions } from "../platform/platform.ts";

const log = getLogger(["aggvpn", "sockets"]);

/** Opens the sockets of `options`; positions are socket indexes. */
export class LinkSockets {
  readonly #platform: Pick<Platform, "openSocket">;
  readonly #options: readonly SocketOptions[];
  /** Why each socket is missing; a repeated reason is not logged again. */
  readonly #reasons: (string | undefined)[] = [];

  constructor(platform: Pick<Platform, "openSocket">, options: readonly SocketOptions[]) {
    this.#platform = platform;
    this.#options = options;
  }

  /**
   * Opens all of them. Returns undefined in place of those whose address is missing. Throws
   * AggvpnError, with nothing left open, when none opens or another error happens.
   */
  openAll(): (LinkSocket | undefined)[] {
    const sockets: (LinkSocket | undefined)[] = [];
    const missing: (AggvpnError | undefined)[] = [];
    try {
      for (const options of this.#options) {
        const opened = this.#openOrMiss(options);
        sockets.push(opened instanceof AggvpnError ? undefined : opened);
        missing.push(opened instanceof AggvpnError ? opened : undefined);
      }
      if (missing[0] && missing.every((error) => error !== undefined)) throw missing[0];
    } catch (error) {
      for (const socket of sockets) socket?.close();
      throw error;
    }
    for (const [index, error] of missing.entries()) if (error) this.#note(index, error);
    return sockets;
  }

  /** Returns the error instead of the socket when only the address is missing. */
  #openOrMiss(options: SocketOptions): LinkSocket | AggvpnError {
    try {
      return this.#platform.openSocket(options);
    } catch (error) {
      if (error instanceof AggvpnError && isAddressMissing(error)) return error;
      throw error;
    }
  }

  /** Opens socket `index` again; undefined when that is not possible right now. */
  reopen(index: number): LinkSocket | undefined {
    const options = this.#options[index]!;
    try {
      const socket = this.#platform.openSocket(options);
      if (this.#reasons[index] !== undefined) {
        log.info("Link {link} has its socket again", { link: options.name });
      }
      this.#reasons[index] = undefined;
      return socket;
    } catch (error) {
      if (!(error instanceof AggvpnError)) throw error;
      this.#note(index, error);
      return undefined;
    }
  }

  #note(index: number, error: AggvpnError): void {
    if (this.#reasons[index] === error.message) return;
    this.#reasons[index] = error.message;
    const link = this.#options[index]!.name;
    log.warning("Link {link} waits for its socket: {reason}", { link, reason: error.message });
  }
}

/** Tells whether the only problem is that this host lacks the address right now. */
function isAddressMissing(error: AggvpnError): boolean {
  return error.cause instanceof Error && error.cause.message === "EADDRNOTAVAIL";
}
