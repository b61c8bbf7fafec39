/**
 * Makes a running tunnel be as another configuration says, without touching what is the same.
 *
 * Everything that may fail comes first: keys, sockets, commands. Then the rest follows in one go.
 *
 * @module
 */

import { Address } from "../address.ts";
import type { ClientConfig, Config, LinkConfig } from "../config/config.ts";
import { AggvpnError } from "../errors.ts";
import { systemClock } from "../io/clock.ts";
import type { Driver } from "../io/driver.ts";
import type { NetworkPlan } from "../platform/platform.ts";
import type { Endpoint } from "../tunnel/endpoint.ts";
import type { ClientLinks } from "./client_links.ts";
import { type Difference, differenceOf, isSame } from "./difference.ts";
import { clientSources, serverSources } from "./inner_sources.ts";
import type { InterfaceMtu } from "./interface_mtu.ts";
import type { LeakGuard } from "./leak_guard.ts";
import type { ListenSockets } from "./listen_sockets.ts";
import { HOOK_SHELL } from "./hooks.ts";
import { excludedBy } from "./link_interfaces.ts";
import { networkPlan, policyOptions } from "./plan.ts";
import type { QuotaKeeper } from "./quota_keeper.ts";
import { keyBeside } from "./stretch.ts";

/** The running parts that a configuration decides about. */
export interface ConfiguredParts {
  /** The configuration that is in force. */
  config: Config;
  readonly interface: string;
  readonly mtu: InterfaceMtu;
  /** The largest inner packet, in bytes. */
  readonly startMtu: number;
  readonly replan: (plan: NetworkPlan) => Promise<void>;
  readonly endpoint: Endpoint;
  readonly driver: Driver;
  /** Of a client. */
  readonly links: ClientLinks | undefined;
  /** Of a server. */
  readonly listen: ListenSockets | undefined;
  readonly quotas: QuotaKeeper;
  readonly guard: LeakGuard | undefined;
  /** There are or may be other links: names have to be looked up, interfaces to be looked at. */
  readonly onLinks: () => void;
  /** What may still be done after rights were given up; undefined: everything. */
  readonly rights: Rights | undefined;
}

/** What a tunnel may still do. */
export interface Rights {
  readonly programs: ReadonlySet<string>;
  /** Whether names can be looked up. */
  readonly lookups: boolean;
}

/** What was applied, in words, and what came before it. */
export interface Applied {
  readonly words: readonly string[];
  readonly before: Config;
}

/** Applies configurations, one after the other. */
export class Reconfigurer {
  readonly #parts: ConfiguredParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ConfiguredParts) {
    this.#parts = parts;
  }

  /**
   * Applies what `make` makes of the configuration in force. Rejects with AggvpnError, with nothing
   * applied, when some of it cannot be.
   */
  apply(make: (current: Config) => Config): Promise<Applied> {
    const applied = this.#last.then(() => this.#apply(make(this.#parts.config)));
    this.#last = applied.catch(() => {});
    return applied;
  }

  async #apply(next: Config): Promise<Applied> {
    const { config: before } = this.#parts;
    const difference = differenceOf(before, next);
    refuseRestart(this.#needRestart(difference, next));
    this.#parts.links?.check(difference.links);
    const { clients, listen, words } = difference;
    const renewed = clients.changed.filter(({ before, after }) =>
      !isSame(before.secret, after.secret)
    );
    const added = [...clients.added, ...renewed.map(({ after }) => after)];
    const keys = await Promise.all(added.map(({ secret }) => keyBeside(secret)));
    const opened = this.#parts.listen?.open(listen.added) ?? [];
    try {
      await this.#parts.replan(this.#planOf(next));
    } catch (error) {
      for (const { socket } of opened) socket.close();
      throw error;
    }
    this.#parts.config = next;
    this.#applyClients(difference, next, added, keys);
    this.#parts.listen?.apply(opened, listen);
    await this.#applyLinks(difference, next);
    if (difference.policy) this.#parts.endpoint.setPolicy(systemClock(), policyOptions(next));
    this.#parts.driver.wake();
    return { words, before };
  }

  /** Names what cannot be applied. */
  #needRestart({ restart, links }: Difference, next: Config): readonly string[] {
    const { rights } = this.#parts;
    if (!rights) return restart;
    const { programs, lookups } = rights;
    const { statusCommand = "", tunnel: { down } } = next;
    const more = [...links.added, ...links.changed.map(({ after }) => after)];
    const isForbidden = {
      status_command: statusCommand !== "" && !programs.has(statusCommand),
      "tunnel.down": down !== undefined && !programs.has(HOOK_SHELL),
      "a server's name": !lookups && more.some(hasName),
    };
    const keys = Object.entries(isForbidden).flatMap(([key, is]) => is ? [key] : []);
    return [...restart, ...keys.map((key) => `${key} (rights were given up)`)];
  }

  #planOf(config: Config): NetworkPlan {
    const { interface: device, links, startMtu } = this.#parts;
    const families = config.mode === "client"
      ? links!.familiesOf(config.links)
      : config.listen.map(({ host }) => host.family);
    return networkPlan(config, device, startMtu, families);
  }

  #applyClients(
    { clients: { removed, changed } }: Difference,
    next: Config,
    added: readonly ClientConfig[],
    keys: readonly Uint8Array[],
  ): void {
    const { endpoint, mtu } = this.#parts;
    const renewed = changed.filter(({ after }) => added.includes(after));
    for (const { name } of [...removed, ...renewed.map(({ before }) => before)]) {
      endpoint.removeClient(name);
      mtu.forget(name);
    }
    if (next.mode !== "server") return endpoint.setServerSources(serverSources(next));
    for (const [i, client] of added.entries()) {
      endpoint.addClient({ name: client.name, allowed: [], psk: keys[i]! });
    }
    // What an only client may use depends on whether it is the only one.
    for (const client of next.clients) {
      endpoint.setAllowed(client.name, clientSources(next, client));
    }
  }

  async #applyLinks({ links, exclude }: Difference, next: Config): Promise<void> {
    if (next.mode !== "client") return;
    if (exclude) this.#parts.links!.setExclude(excludedBy(next));
    const isOther = links.added.length + links.removed.length + links.changed.length > 0;
    if (isOther) this.#parts.links!.apply(links);
    if (isOther || exclude) this.#parts.onLinks();
    if (!isOther) return;
    await this.#parts.quotas.renew();
    await this.#parts.guard?.refresh();
  }
}

function refuseRestart(keys: readonly string[]): void {
  if (keys.length === 0) return;
  throw new AggvpnError(
    `A change of ${keys.join(", ")} needs a restart: nothing was applied`,
    { hint: "Restart the tunnel, or take that change back to apply the others" },
  );
}

function hasName({ remotes }: LinkConfig): boolean {
  return remotes.some(({ host }) => !(host instanceof Address));
}
