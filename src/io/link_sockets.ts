/**
 * The sockets of a tunnel: opened at the start, and again when a link comes back.
 *
 * A socket waits for what is not there: an interface, a routing domain, an address (a modem that is
 * plugged in later, DHCP, PPPoE). At the start any other error is the configuration's and ends it.
 * While the tunnel runs, no error ends it.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { Family } from "../address.ts";
import { AbsentError, AggvpnError } from "../errors.ts";
import type { LinkSocket, Platform, SocketOptions } from "../platform/platform.ts";

const log = getLogger(["aggvpn", "sockets"]);

/** What can never be opened, and belongs to no link. */
const NO_SOCKET: SocketOptions = { name: "", family: 4, interface: "" };

/** Opens the sockets of `options`; positions are socket indexes. */
export class LinkSockets {
  readonly #platform: Pick<Platform, "openSocket">;
  readonly #options: SocketOptions[];
  /** Why each socket is missing; a repeated reason is not logged again. */
  readonly #reasons: (string | undefined)[] = [];

  constructor(platform: Pick<Platform, "openSocket">, options: readonly SocketOptions[]) {
    this.#platform = platform;
    this.#options = [...options];
  }

  /**
   * Opens all of them. Returns undefined in place of those that wait. Throws AggvpnError, with
   * nothing left open, when waiting would not help.
   */
  openAll(): (LinkSocket | undefined)[] {
    const sockets: (LinkSocket | undefined)[] = [];
    try {
      for (const index of this.#options.keys()) sockets.push(this.#openOrWait(index));
    } catch (error) {
      for (const socket of sockets) socket?.close();
      throw error;
    }
    return sockets;
  }

  /** Opens socket `index` again; undefined when that is not possible right now. */
  reopen(index: number): LinkSocket | undefined {
    const options = this.#options[index]!;
    if (options.interface === "") return undefined;
    try {
      const socket = this.#platform.openSocket(options);
      if (this.#reasons[index] !== undefined) {
        log.info("Link {link} has its socket", { link: options.name });
      }
      this.#reasons[index] = undefined;
      return socket;
    } catch (error) {
      if (!(error instanceof AggvpnError)) throw error;
      this.#note(index, error);
      return undefined;
    }
  }

  /** The interface that socket `index` is bound to; undefined: it is bound to none. */
  interfaceOf(index: number): string | undefined {
    return this.#options[index]!.interface || undefined;
  }

  /** Why socket `index` is missing; undefined while it is not. */
  reasonOf(index: number): string | undefined {
    return this.#reasons[index];
  }

  /** Socket `index` is to be as `options` say when it is next opened; undefined: there is none. */
  set(index: number, options: SocketOptions | undefined): void {
    this.#options[index] = options ?? NO_SOCKET;
    this.#reasons[index] = undefined;
  }

  /**
   * Makes socket `index` one of `family` when it is next opened. Returns whether it was of the
   * other one.
   */
  setFamily(index: number, family: Family): boolean {
    const options = this.#options[index]!;
    if (options.family === family) return false;
    this.#options[index] = { ...options, family };
    return true;
  }

  /**
   * Makes socket `index` one of an interface when it is next opened; empty: of none. `name` is that
   * of its link, which may be another one too.
   */
  setInterface(index: number, by: string, name: string): void {
    this.#options[index] = { ...this.#options[index]!, interface: by, name };
    this.#reasons[index] = undefined;
  }

  /** Names of the links or listen addresses; empty for a link that is not there. */
  get names(): readonly string[] {
    return this.#options.map(({ name }) => name);
  }

  #openOrWait(index: number): LinkSocket | undefined {
    if (this.#options[index]!.interface === "") return undefined;
    try {
      return this.#platform.openSocket(this.#options[index]!);
    } catch (error) {
      if (!(error instanceof AbsentError)) throw error;
      this.#note(index, error);
      return undefined;
    }
  }

  #note(index: number, error: AggvpnError): void {
    if (this.#reasons[index] === error.message) return;
    this.#reasons[index] = error.message;
    const { name: link } = this.#options[index]!;
    const { message: reason, hint } = error;
    if (hint === undefined) {
      log.warning("Link {link} waits for its socket: {reason}", { link, reason });
    } else {log.warning("Link {link} waits for its socket: {reason}. {hint}", {
        link,
        reason,
        hint,
      });}
  }
}
