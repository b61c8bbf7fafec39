/**
 * The links of a running client: added, removed and changed while it runs.
 *
 * A link has a place, whose number it keeps: that of its socket, its name servers' answers, its path
 * in the core. The place of a link that was removed is free, and the next link that is added gets it.
 *
 * @module
 */

import { Address, type Family } from "../address.ts";
import { compact } from "../config/compact.ts";
import type { ClientModeConfig, LinkConfig } from "../config/config.ts";
import { AggvpnError } from "../errors.ts";
import { systemClock } from "../io/clock.ts";
import type { Driver } from "../io/driver.ts";
import type { LinkSockets } from "../io/link_sockets.ts";
import type { Platform, SocketOptions, WatchedLink } from "../platform/platform.ts";
import type { Endpoint } from "../tunnel/endpoint.ts";
import { NO_LINK } from "../tunnel/options.ts";
import { hasSameWay, type ListDifference } from "./difference.ts";
import { interfaceOf, type LinkInterfaces } from "./link_interfaces.ts";
import { clientLink, linkSocket } from "./plan.ts";
import { newTarget, type RemoteLink } from "./remote_targets.ts";
import type { Remotes } from "./remotes.ts";

/** The other end may still send by a link that was removed, so long, in milliseconds. */
const DRAIN_MS = 2000;
/** How many links the server can be told of. */
const MOST_LINKS = 88;

/** A place without a link: nothing can be opened for it. */
const NO_LINK_CONFIG: LinkConfig = {
  name: "",
  remotes: [],
  interface: "",
  options: { tier: "backup", metered: true, timeoutUs: 1e6 },
};

/** What links leave by and where they send, in tables by place. */
export interface LinkTables {
  readonly links: LinkConfig[];
  readonly remotes: Remotes;
  readonly interfaces: LinkInterfaces;
  /** What the platform is asked about; read when it is looked at. */
  readonly watched: WatchedLink[];
}

/** Tables for the links of a configuration. `watched` says what sockets are bound to. */
export function linkTables(
  config: ClientModeConfig,
  remotes: Remotes,
  interfaces: LinkInterfaces,
): LinkTables {
  const tables = { links: [...config.links], remotes, interfaces, watched: [] as WatchedLink[] };
  for (const id of tables.links.keys()) tables.watched.push(watchedLink(tables, id));
  return tables;
}

/** What the socket in a place is bound to, of the interface that its link has now. */
export function socketOf({ links, remotes, interfaces }: LinkTables, id: number): SocketOptions {
  const link = links[id]!;
  const name = interfaceOf(link, interfaces.nameOf(id));
  return compact({
    ...linkSocket(link, remotes.familyOf(id) ?? 4),
    interface: name,
    name: link.name || name!,
  });
}

/** Where a link sends. Of all spare links the first one tells. */
export function remoteLink(link: LinkConfig, isFirstSpare = false): RemoteLink {
  const { remotes: hosts, bind, rdomain } = link;
  const name = isFirstSpare ? "auto" : link.name;
  return compact({ name, hosts, family: bind?.family, rdomain });
}

function watchedLink(tables: LinkTables, id: number): WatchedLink {
  return {
    get socket(): SocketOptions {
      return socketOf(tables, id);
    },
    get remote(): Address | undefined {
      return tables.remotes.remoteOf(id)?.address;
    },
  };
}

/** The running parts that links are in. */
export interface LinkParts {
  readonly tables: LinkTables;
  readonly platform: Pick<Platform, "interfaceMtu">;
  readonly endpoint: Pick<Endpoint, "setLink">;
  readonly driver: Pick<Driver, "setSocket" | "closeSocket" | "wake">;
  readonly linkSockets: Pick<LinkSockets, "set">;
}

/** Changes the links of one client. */
export class ClientLinks {
  readonly #parts: LinkParts;
  /** Why links are off that are configured to be on, by place. */
  readonly #off = new Map<number, string>();
  /** Timers of sockets that are to be closed. */
  readonly #draining: Set<ReturnType<typeof setTimeout>> = new Set();

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  /** The links that there are, by place; undefined in a free one. */
  get current(): readonly (LinkConfig | undefined)[] {
    return this.#parts.tables.links.map((link) => link === NO_LINK_CONFIG ? undefined : link);
  }

  /** The family that the socket of each of `links` has or, if it is not there yet, would have. */
  familiesOf(links: readonly LinkConfig[]): Family[] {
    const { tables } = this.#parts;
    return links.map((link) => {
      const id = this.#placeOf(link.name);
      const known = id >= 0 && hasSameWay(tables.links[id]!, link)
        ? tables.remotes.familyOf(id)
        : undefined;
      return known ?? link.bind?.family ?? addressOf(link)?.family ?? 4;
    });
  }

  /** A link carries nothing while it is off for `reason`, whatever else is configured. */
  setOff(id: number, reason: string | undefined): void {
    if (this.#off.get(id) === reason) return;
    if (reason === undefined) this.#off.delete(id);
    else this.#off.set(id, reason);
    const link = this.#parts.tables.links[id]!;
    if (link !== NO_LINK_CONFIG) this.#change(id, link);
  }

  /** Throws AggvpnError when a difference cannot be made true. */
  check({ added, removed, changed }: ListDifference<LinkConfig>): void {
    const count = this.current.filter((link) => link).length + added.length - removed.length;
    if (count > MOST_LINKS) {
      throw new AggvpnError(`A tunnel has room for ${MOST_LINKS} links, not for ${count}`);
    }
    for (const link of [...added, ...changed.map(({ after }) => after)]) {
      const remote = remoteLink(link);
      for (const [server, host] of remote.hosts.entries()) newTarget(0, 0, server, remote, host);
    }
  }

  /** Makes a difference true. What was removed may still receive for a moment. */
  apply({ added, removed, changed }: ListDifference<LinkConfig>): void {
    for (const { name } of removed) this.#remove(this.#placeOf(name));
    for (const { before, after } of changed) {
      const id = this.#placeOf(before.name);
      if (hasSameWay(before, after)) this.#change(id, after);
      else this.#replace(id, after);
    }
    for (const link of added) this.#add(link);
    this.#parts.driver.wake();
  }

  /** Other interfaces are no links by themselves from the next look on. */
  setExclude(exclude: readonly string[]): void {
    this.#parts.tables.interfaces.setExclude(exclude);
  }

  /** Nothing is done later any more. */
  close(): void {
    for (const timer of this.#draining) clearTimeout(timer);
  }

  #placeOf(name: string): number {
    return this.#parts.tables.links.findIndex((link) => link.name === name);
  }

  #add(link: LinkConfig): void {
    const { links } = this.#parts.tables;
    const free = links.indexOf(NO_LINK_CONFIG);
    this.#put(free < 0 ? links.length : free, link);
  }

  #replace(id: number, link: LinkConfig): void {
    this.#parts.endpoint.setLink(systemClock(), id, NO_LINK);
    this.#put(id, link);
  }

  #change(id: number, link: LinkConfig): void {
    const { tables: { links }, endpoint } = this.#parts;
    links[id] = link;
    endpoint.setLink(systemClock(), id, this.#linkOfCore(id));
  }

  /** A link gets a place, with everything that belongs to it. */
  #put(id: number, link: LinkConfig): void {
    const { tables, linkSockets, driver, endpoint } = this.#parts;
    tables.links[id] = link;
    tables.remotes.setLink(id, remoteLink(link));
    tables.interfaces.setLink(id, link);
    if (link.table !== undefined) tables.remotes.fixFamily(id, tables.remotes.familyOf(id) ?? 4);
    tables.watched[id] = watchedLink(tables, id);
    linkSockets.set(id, socketOf(tables, id));
    driver.setSocket(id);
    endpoint.setLink(systemClock(), id, this.#linkOfCore(id));
  }

  #remove(id: number): void {
    const { tables, linkSockets, driver, endpoint } = this.#parts;
    endpoint.setLink(systemClock(), id, NO_LINK);
    this.#off.delete(id);
    tables.links[id] = NO_LINK_CONFIG;
    tables.remotes.setLink(id, undefined);
    tables.interfaces.setLink(id, NO_LINK_CONFIG);
    linkSockets.set(id, undefined);
    const timer = setTimeout(() => {
      this.#draining.delete(timer);
      if (tables.links[id] === NO_LINK_CONFIG) driver.closeSocket(id);
    }, DRAIN_MS);
    this.#draining.add(timer);
  }

  #linkOfCore(id: number): ReturnType<typeof clientLink> {
    const { tables, platform } = this.#parts;
    const mtu = platform.interfaceMtu(socketOf(tables, id));
    const link = clientLink(tables.links[id]!, tables.remotes.current[id]!, mtu);
    return compact({ ...link, off: link.off ?? this.#off.get(id) });
  }
}

function addressOf({ remotes }: LinkConfig): Address | undefined {
  return remotes.map(({ host }) => host).find((host) => host instanceof Address);
}
