/**
 * What a host has already, before a tunnel is set up on it: ip-address(8), ip-route(8).
 *
 * @module
 */

import type { ReadCommand } from "../command_output.ts";
import type { HostInterface, HostSurvey } from "../platform.ts";
import { readAddresses, readRoutes } from "./host_state.ts";

/** Looks at the host; `interfaces` are those that the kernel lists. */
export function survey(read: ReadCommand, interfaces: readonly HostInterface[]): HostSurvey {
  return {
    interfaces: interfaces.map(({ name }) => name),
    addresses: readAddresses(read),
    routes: readRoutes(read, "all").map(({ destination }) => destination),
    uplinks: interfaces.filter(({ isRunning, defaults }) => isRunning && defaults.length > 0)
      .map(({ name, defaults }) => {
        const gateway = defaults.find((route) => route.gateway)?.gateway;
        return { interface: name, ...gateway && { gateway } };
      }),
  };
}
