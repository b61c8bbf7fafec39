/**
 * Looks at addresses and routes of this host before a tunnel is started: what would be in the way of
 * the tunnel's, and what its links lack. Changes nothing.
 *
 * @module
 */

import type { Address, Family } from "../../address.ts";
import type { ReadCommand } from "../command_output.ts";
import type { HostFinding, HostNeeds, LinkNeeds } from "../platform.ts";
import {
  type HostAddress,
  type HostRoute,
  readAddresses,
  readRoutes,
  routesInWay,
} from "./host_state.ts";
import { isFirst } from "./network.ts";

/** Returns everything found. */
export function inspectNetwork(read: ReadCommand, needs: HostNeeds): HostFinding[] {
  const addresses = readAddresses(read);
  const routes = readRoutes(read);
  return [
    ...inspectRoutes(needs, routes),
    ...inspectAddresses(needs, addresses),
    ...inspectLeak(needs, routes),
    ...needs.links.flatMap((link) => inspectWays(read, link, addresses)),
  ];
}

/** Says what keeps the tunnel from starting, and what waits while it runs. */
function inspectRoutes({ plan }: HostNeeds, routes: readonly HostRoute[]): HostFinding[] {
  const hint = "Leave it out of the routes of the configuration, or remove that route.";
  return plan.routes.flatMap(({ destination }) =>
    routesInWay(destination, plan.interface, routes).map((route): HostFinding => {
      const { line } = route;
      if (!isFirst(route)) {
        const message = `${destination} goes into the tunnel while it runs, not by "${line}"`;
        return { severity: "warning", message };
      }
      const message = `Cannot route ${destination} into the tunnel: this host has "${line}"`;
      return { severity: "error", message, hint };
    })
  );
}

/** Hosts of a network that is on two interfaces are looked for on one of them. */
function inspectAddresses({ plan }: HostNeeds, addresses: readonly HostAddress[]): HostFinding[] {
  const hint = "Give the tunnel a network that is nowhere else, such as 10.44.43.0/30.";
  return plan.addresses.flatMap((own) =>
    addresses.filter(({ interface: name, address }) =>
      name !== plan.interface && address.overlaps(own)
    ).map(({ interface: name, address }): HostFinding => {
      const message = `The tunnel's network ${own.toNetwork()} overlaps ${address} of "${name}"`;
      return { severity: "warning", message, hint };
    })
  );
}

/** A host that reaches the internet by IPv6 does so first, whatever the tunnel does with IPv4. */
function inspectLeak(
  { plan, leakGuard }: HostNeeds,
  routes: readonly HostRoute[],
): HostFinding[] {
  if (leakGuard) return [];
  const isAll = (family: Family): boolean =>
    plan.routes.some(({ destination }) => destination.isDefault && destination.family === family);
  if (!isAll(4) || isAll(6)) return [];
  const around = routes.find(({ destination, interface: name }) =>
    destination.family === 6 && destination.isDefault && name !== undefined
  );
  if (!around) return [];
  return [{
    severity: "warning",
    message: `IPv6 goes around the tunnel: this host has "${around.line}"`,
    hint: `With tunnel.address6 "default" means IPv6 too; else switch IPv6 off on that interface.`,
  }];
}

/** Asks the kernel for the way to each server that the link's datagrams will take. */
function inspectWays(
  read: ReadCommand,
  link: LinkNeeds,
  addresses: readonly HostAddress[],
): HostFinding[] {
  const findings = link.remotes.filter(({ zone }) => zone === undefined)
    .flatMap((remote) => inspectWay(read, link, remote, addresses));
  // An interface without addresses is in the way to all of them.
  return [...new Map(findings.map((finding) => [finding.message, finding])).values()];
}

function inspectWay(
  read: ReadCommand,
  link: LinkNeeds,
  remote: Address,
  addresses: readonly HostAddress[],
): HostFinding[] {
  const { name, table, interface: device } = link;
  const { family } = remote;
  const who = `Link "${name}"`;
  if (table !== undefined) {
    const ways = readRoutes(read, `${table}`);
    if (ways.some(({ destination }) => destination.covers(remote))) return [];
    const message = `${who}: table ${table} has no route to ${remote}`;
    const hint = `Add one, such as "ip route add default via GATEWAY table ${table}".`;
    return [{ severity: "warning", message, hint }];
  }
  const { success, output } = read(wayCommand(link, remote));
  // Of a VRF the interfaces below it have the addresses and routes.
  const isBelow = device !== undefined && / dev (\S+)/.exec(output)?.[1] !== device;
  if (success && (device === undefined || isBelow)) return [];
  // To an interface without a route the kernel says that the server is its neighbour.
  const hasRoute = output.includes(" via ") ||
    readRoutes(read, "all").some(({ destination, interface: of }) =>
      of === device && destination.covers(remote)
    );
  if (!success || !hasRoute) {
    const by = device === undefined ? "" : ` by "${device}"`;
    const message = `${who}: this host has no route to ${remote}${by}`;
    const hint = `The tunnel starts without it; "ip route" shows what there is.`;
    return [{ severity: "warning", message, hint }];
  }
  const hasAddress = addresses.some(({ interface: of, address }) =>
    of === device && address.family === family && !address.toAddress().isLinkLocal
  );
  if (hasAddress) return [];
  const message = `${who}: interface "${device}" has no IPv${family} address`;
  const hint = "The tunnel starts without it; look whether its DHCP client runs.";
  return [{ severity: "warning", message, hint }];
}

function wayCommand(
  { address, interface: device, mark }: LinkNeeds,
  remote: Address,
): string[] {
  const from = address === undefined || address.isUnspecified ? [] : ["from", `${address}`];
  const oif = device === undefined ? [] : ["oif", device];
  const marked = mark === undefined ? [] : ["mark", `${mark}`];
  return ["ip", "route", "get", `${remote}`, ...from, ...oif, ...marked];
}
