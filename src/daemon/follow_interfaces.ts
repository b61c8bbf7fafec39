/**
 * Links that leave by whatever interface is there, while the tunnel runs.
 *
 * @module
 */

import { getLogger } from "@logtape/logtape";
import type { LinkConfig } from "../config/config.ts";
import { AggvpnError } from "../errors.ts";
import type { Clock } from "../io/clock.ts";
import type { Driver } from "../io/driver.ts";
import type { LinkSockets } from "../io/link_sockets.ts";
import type { HostInterface, UplinkSystem } from "../platform/platform.ts";
import type { Endpoint } from "../tunnel/endpoint.ts";
import {
  interfaceOf,
  isProbablyMetered,
  isUplink,
  type LinkInterfaces,
} from "./link_interfaces.ts";
import type { UplinkRoutes } from "./uplink_routes.ts";

const log = getLogger(["aggvpn", "network"]);

/** What {@linkcode InterfaceFollower} acts on. */
export interface FollowedTunnel {
  readonly links: readonly LinkConfig[];
  readonly interfaces: LinkInterfaces;
  readonly list: UplinkSystem["list"];
  readonly endpoint: Pick<Endpoint, "setArrival">;
  readonly linkSockets: Pick<LinkSockets, "setInterface">;
  readonly driver: Pick<Driver, "reopen">;
  /** Absent where no link is found by itself. */
  readonly routes: Pick<UplinkRoutes, "update"> | undefined;
  readonly clock: Clock;
}

/** Has links follow the interfaces of this host. */
export class InterfaceFollower {
  readonly #tunnel: FollowedTunnel;
  #left = "";
  #failure: string | undefined;

  constructor(tunnel: FollowedTunnel) {
    this.#tunnel = tunnel;
    for (const link of tunnel.links.keys()) this.#announce(link);
  }

  /** Looks at the interfaces that there are. Never throws. */
  update(): void {
    const { interfaces, linkSockets, driver, links } = this.#tunnel;
    if (!interfaces.isOpen) return;
    const present = this.#list();
    if (!present) return;
    for (const link of interfaces.update(present)) {
      const by = interfaceOf(links[link]!, interfaces.nameOf(link))!;
      linkSockets.setInterface(link, by, links[link]!.name || by);
      this.#announce(link);
      driver.reopen(link);
    }
    this.#tellLeft(present);
    this.#route(present);
  }

  #list(): readonly HostInterface[] | undefined {
    try {
      const present = this.#tunnel.list();
      this.#failure = undefined;
      return present;
    } catch (error) {
      if (!(error instanceof AggvpnError)) throw error;
      const { message: reason } = error;
      if (reason !== this.#failure) log.warning("Links stay where they are: {reason}", { reason });
      this.#failure = reason;
      return undefined;
    }
  }

  /** Tells the core what a spare link stands for, and the user what any link uses. */
  #announce(link: number): void {
    const { endpoint, interfaces, links, clock } = this.#tunnel;
    const { name: title, options: { spare } } = links[link]!;
    const name = interfaces.nameOf(link);
    if (!spare) {
      if (name !== undefined) log.debug("Link {link} uses {name}", { link: title, name });
      return;
    }
    endpoint.setArrival(clock(), link, undefined);
    if (name === undefined) return;
    const metered = isProbablyMetered(name);
    endpoint.setArrival(clock(), link, { name, metered });
    const cost = metered ? ", probably metered" : "";
    log.info("Link {name} is there: it has a default route{cost}", { name, cost });
  }

  #tellLeft(present: readonly HostInterface[]): void {
    const left = this.#tunnel.interfaces.left(present).join(", ");
    if (left === this.#left) return;
    this.#left = left;
    if (left !== "") {
      log.warning("There is no room for more links: {names} unused", { names: left });
    }
  }

  /** Those that are links by themselves get routes and rules. */
  #route(present: readonly HostInterface[]): void {
    const { interfaces, links, routes } = this.#tunnel;
    const uplinks = links.flatMap(({ auto }, link) => {
      const by = auto && present.find(({ name }) => name === interfaces.nameOf(link));
      return by && isUplink(by) ? [{ link, interface: by }] : [];
    });
    void routes?.update(uplinks);
  }
}
