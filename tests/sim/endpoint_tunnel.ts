/**
 * The product's own `Endpoint` as the simulator drives it.
 *
 * @module
 */

import { Endpoint } from "../../src/tunnel/endpoint.ts";
import type { LinkOptions } from "../../src/tunnel/options.ts";
import type { LinkSpec } from "../pair/link.ts";
import { CLIENT } from "./packet.ts";
import { INNER_MTU, type Scenario } from "./scenario.ts";
import { SIM_AEAD } from "../pair/sim_aead.ts";
import type { Tunnel, TunnelContext, TunnelFactory } from "./tunnel.ts";

/** Visibly fake. */
const PSK = new Uint8Array(32).fill(0x5a);
/** What `timeout` is when the config says nothing. */
const TIMEOUT_US = 1_000_000;
/** Where the clocks of both ends stand at the beginning: 2026-01-01. */
const EPOCH_US = 1_767_225_600_000_000;

/** Builds both ends of the tunnel for a scenario. */
export function endpointTunnel(scenario: Scenario): TunnelFactory {
  return (context): Tunnel => {
    const common = {
      pool: context.pool,
      aead: SIM_AEAD,
      random: (out: Uint8Array): void => context.rng.fill(out),
      epochUs: EPOCH_US,
      mtu: INNER_MTU,
      rules: scenario.rules ?? [],
      duplicate: scenario.duplicate ?? "off",
    };
    if (context.side === CLIENT) {
      const links = scenario.links.map((link, i) => optionsOf(link, i, context, scenario));
      return new Endpoint({ ...common, role: "client", psk: PSK.slice(), links });
    }
    const clients = [{ name: "sim", psk: PSK.slice(), allowed: [] }];
    return new Endpoint({ ...common, role: "server", clients });
  };
}

function optionsOf(
  link: LinkSpec,
  i: number,
  context: TunnelContext,
  scenario: Scenario,
): LinkOptions {
  const known = scenario.configured ?? false;
  return {
    name: link.name,
    remote: context.remotes[i]!,
    tier: "primary",
    metered: false,
    uploadBps: known ? link.up.rate.meanBps(0, 1e6) : 0,
    downloadBps: known ? link.down.rate.meanBps(0, 1e6) : 0,
    timeoutUs: TIMEOUT_US,
  };
}
