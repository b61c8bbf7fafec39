/**
 * The MTU of the tunnel interface: what the links carry, as the core finds out.
 *
 * It is never larger than at the start. With several peers the widest counts: the core tells
 * senders of longer packets what the way to a narrower one carries. Where IPv6 is used it is never
 * smaller than IPv6 allows, since Linux takes IPv6 with all addresses away from an interface below
 * that, and OpenBSD gives it none.
 *
 * One command runs at a time, and the newest value wins. A command that fails is no reason to end
 * the tunnel: what is too long is still answered.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { NetworkPlan, SystemCommand } from "../platform/platform.ts";
import { changeLine, commandLine, type StartCommand } from "../platform/run_changes.ts";
import { IPV6_MIN_MTU } from "../wire/ip_layout.ts";

const log = getLogger(["aggvpn", "daemon"]);

/** Smallest MTU of IPv4: RFC 791 section 3.2. */
const IPV4_MIN_MTU = 68;

/** What {@linkcode InterfaceMtu} works with. */
export interface InterfaceMtuOptions {
  /** In bytes, and never exceeded. */
  readonly start: number;
  /** In bytes. */
  readonly least: number;
  /** Returns the commands that set another MTU: that of the interface, then what depends on it. */
  readonly commandsFor: (mtu: number) => readonly SystemCommand[];
  /** Gets each command as it is run: `+ ip link set ...`. */
  readonly onChange: (line: string) => void;
  readonly run: StartCommand;
}

/** Returns the least MTU that the interface of `plan` may get while the tunnel runs. */
export function leastMtu({ mtu, addresses, routes, kept }: NetworkPlan): number {
  const networks = [
    ...addresses,
    ...routes.map(({ destination }) => destination),
    ...kept?.addresses.map(({ address }) => address) ?? [],
  ];
  const least = networks.some(({ family }) => family === 6) ? IPV6_MIN_MTU : IPV4_MIN_MTU;
  return Math.min(mtu, least);
}

/** The MTU of one tunnel's interface, from when it is set up until {@linkcode close}. */
export class InterfaceMtu {
  readonly #options: InterfaceMtuOptions;
  /** By the names of peers, as far as known. */
  readonly #carried: Map<string, number> = new Map();
  #current: number;
  #wanted: number;
  #running: Promise<void> | undefined;
  #isClosed = false;
  #toldLeast = false;
  #complained = false;

  constructor(options: InterfaceMtuOptions) {
    this.#options = options;
    this.#current = this.#wanted = options.start;
  }

  /** What the interface has, in bytes. */
  get current(): number {
    return this.#current;
  }

  /** Takes note that the links of `peer` carry packets of `mtu` bytes, and lets the interface follow. */
  handleMtu(peer: string, mtu: number): void {
    const { start, least } = this.#options;
    this.#carried.set(peer, mtu);
    const widest = Math.max(...this.#carried.values());
    if (widest < least) this.#tellLeast(widest);
    this.#wanted = Math.max(least, Math.min(start, widest));
    if (this.#wanted === this.#current || this.#isClosed) return;
    this.#running ??= this.#follow().finally(() => this.#running = undefined);
  }

  /** A peer is gone: what its links carry means nothing any more. */
  forget(peer: string): void {
    this.#carried.delete(peer);
  }

  /** Resolves when no command runs any more; none is started after that. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #follow(): Promise<void> {
    let tried: number;
    do {
      tried = this.#wanted;
      await this.#set(tried);
    } while (![tried, this.#current].includes(this.#wanted) && !this.#isClosed);
  }

  async #set(mtu: number): Promise<void> {
    const [ofInterface, ...others] = this.#options.commandsFor(mtu);
    if (ofInterface && !await this.#run(ofInterface, mtu)) return;
    this.#current = mtu;
    log.info("Tunnel MTU is now {mtu} bytes", { mtu });
    let isDone = true;
    for (const command of others) isDone = await this.#run(command, mtu) && isDone;
    if (isDone) this.#complained = false;
  }

  /** Returns whether the command did what it should. */
  async #run(command: SystemCommand, mtu: number): Promise<boolean> {
    this.#options.onChange(`+ ${changeLine(command)}`);
    const { success, message } = await this.#options.run(command.run, command.input);
    if (!success && !this.#complained) {
      const fields = { mtu, command: commandLine(command.run), reason: message };
      log.warning(
        "Cannot follow to a tunnel MTU of {mtu} bytes: {command} failed: {reason}",
        fields,
      );
      this.#complained = true;
    }
    return success;
  }

  #tellLeast(mtu: number): void {
    if (this.#toldLeast) return;
    this.#toldLeast = true;
    const { least } = this.#options;
    const fields = { mtu, least };
    log.warning(
      "The links carry packets of {mtu} bytes, but IPv6 needs a tunnel MTU of at least {least}",
      fields,
    );
  }
}
