/**
 * The product's own `Endpoint` as the simulator drives it.
 *
 * @module
 */

import { Endpoint } from "../../src/tunnel/endpoint.ts";
import type { ClientLink } from "../../src/tunnel/options.ts";
import { clientEnd, knownClient, linkTo, serverEnd, sharedOptions } from "../pair/endpoints.ts";
import type { LinkSpec } from "../pair/link.ts";
import { CLIENT } from "./packet.ts";
import { INNER_MTU, type Scenario } from "./scenario.ts";
import type { Tunnel, TunnelContext, TunnelFactory } from "./tunnel.ts";

/** What `timeout` is when the config says nothing. */
const TIMEOUT_US = 1_000_000;

/** Builds both ends of the tunnel for a scenario. */
export function endpointTunnel(scenario: Scenario): TunnelFactory {
  return (context): Tunnel => {
    const { rules = [], duplicate = "needed", schedule = "fast", mtu = INNER_MTU } = scenario;
    const shared = sharedOptions(context.rng, { mtu, rules, duplicate, schedule });
    if (context.side === CLIENT) {
      const links = scenario.links.map((link, i) => optionsOf(link, i, context, scenario));
      return new Endpoint(clientEnd(shared, context.pool, links));
    }
    return new Endpoint(serverEnd(shared, context.pool, [knownClient("sim")]));
  };
}

function optionsOf(
  link: LinkSpec,
  i: number,
  context: TunnelContext,
  scenario: Scenario,
): ClientLink {
  const known = scenario.configured ?? false;
  return linkTo(link.name, context.remotes[i]!, {
    uploadBps: known ? link.up.rate.meanBps(0, 1e6) : 0,
    downloadBps: known ? link.down.rate.meanBps(0, 1e6) : 0,
    timeoutUs: TIMEOUT_US,
  });
}
