/**
 * Looks at addresses and routes of this host before a tunnel is started: what would be in the way of
 * the tunnel's. Changes nothing.
 *
 * @module
 */

import type { ReadCommand } from "../command_output.ts";
import type { HostFinding, HostNeeds } from "../platform.ts";
import { halvesOf } from "../routes.ts";
import { readRoutes } from "./host_state.ts";
import { parseInterfaces } from "./ifconfig.ts";

/** Returns everything found in the routing domain of the tunnel. */
export function inspectNetwork(read: ReadCommand, { plan }: HostNeeds): HostFinding[] {
  return [...inspectRoutes(read, plan), ...inspectAddresses(read, plan)];
}

/** The kernel refuses a second route to a destination; one by the same way may stay. */
function inspectRoutes(read: ReadCommand, plan: HostNeeds["plan"]): HostFinding[] {
  if (plan.routes.length === 0) return [];
  const hint = "Leave it out of the routes of the configuration, or remove that route.";
  const there = readRoutes(read, plan.rdomain ?? 0)
    .filter(({ interface: name }) => name !== plan.interface);
  return plan.routes.flatMap(({ destination, gateway }) =>
    halvesOf(destination).flatMap((part) =>
      there.filter((route) => route.destination.equals(part))
        .filter((route) => !gateway || !route.gateway.equals(gateway))
        .map(({ line }): HostFinding => {
          const message = `Cannot route ${part} into the tunnel: this host has "${line}"`;
          return { severity: "error", message, hint };
        })
    )
  );
}

/** Hosts of a network that is on two interfaces are looked for on one of them. */
function inspectAddresses(read: ReadCommand, plan: HostNeeds["plan"]): HostFinding[] {
  const hint = "Give the tunnel a network that is nowhere else, such as 10.44.43.0/30.";
  const { output } = read(["ifconfig"]);
  const others = parseInterfaces(output).filter(({ name, rdomain }) =>
    name !== plan.interface && rdomain === (plan.rdomain ?? 0)
  );
  return plan.addresses.flatMap((own) =>
    others.flatMap(({ name, addresses }) =>
      addresses.filter(({ address }) => address.overlaps(own)).map(({ address }): HostFinding => {
        const message = `The tunnel's network ${own.toNetwork()} overlaps ${address} of "${name}"`;
        return { severity: "warning", message, hint };
      })
    )
  );
}
