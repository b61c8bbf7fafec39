/**
 * What a host has already, before a tunnel is set up on it: ifconfig(8), netstat(1), route(8).
 *
 * @module
 */

import type { ReadCommand } from "../command_output.ts";
import type { HostSurvey, SurveyedUplink } from "../platform.ts";
import { readRoutes, readRoutingTables } from "./host_state.ts";
import { parseInterfaces } from "./ifconfig.ts";

/** Looks at every routing domain. */
export function survey(read: ReadCommand): HostSurvey {
  const { success, output } = read(["ifconfig"]);
  const interfaces = success ? parseInterfaces(output) : [];
  const domains = [...new Set(interfaces.map(({ rdomain }) => rdomain))];
  const tables = [...readRoutingTables(read)].filter(([table, { rdomain }]) => table === rdomain);
  const all = new Set([...domains, ...tables.map(([table]) => table)]);
  const routes = [...all].sort((a, b) => a - b).flatMap((rdomain) =>
    readRoutes(read, rdomain).map((route) => ({ ...route, rdomain }))
  );
  const uplinks = new Map<string, SurveyedUplink>();
  for (const { destination, gateway, interface: name, rdomain } of routes) {
    if (!destination.isDefault || uplinks.has(name)) continue;
    uplinks.set(name, { interface: name, gateway, ...rdomain !== 0 && { rdomain } });
  }
  return {
    interfaces: interfaces.map(({ name }) => name),
    addresses: interfaces.flatMap(({ name, addresses }) =>
      addresses.map(({ address }) => ({ interface: name, address }))
    ),
    routes: routes.map(({ destination }) => destination),
    uplinks: [...uplinks.values()],
  };
}
