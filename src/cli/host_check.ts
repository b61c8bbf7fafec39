/**
 * What a configuration needs that this host lacks.
 *
 * @module
 */

import { Address, type Prefix } from "../address.ts";
import type { Config } from "../config/config.ts";
import { osOf, WAY_KEYS } from "../config/ways.ts";
import { AggvpnError } from "../errors.ts";
import { linkSocket, openFiles } from "../daemon/plan.ts";
import { detectPlatform } from "../platform/detect.ts";
import type { HostFinding, HostNeeds, Platform } from "../platform/platform.ts";

/** Inspects this host; changes nothing. Never throws for what a user can act on. */
export function checkHost(config: Config): readonly HostFinding[] {
  try {
    const platform = detectPlatform();
    return [...foreignKeys(config, platform), ...platform.inspect(hostNeeds(config))];
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    return [{ severity: "error", message: error.message, ...error.hint && { hint: error.hint } }];
  }
}

/** Returns what a configuration needs of a host. */
export function hostNeeds(config: Config): HostNeeds {
  const links = config.mode === "client" ? config.links : [];
  return {
    tunName: config.tunnel.interface,
    // The family of a host name is known only once it is looked up.
    links: links.map((link) => {
      const { host } = link.remote;
      return linkSocket(link, host instanceof Address ? host.family : 4);
    }),
    listen: config.mode === "server" ? config.listen : [],
    nat: config.tunnel.nat,
    mssClamp: config.tunnel.mssClamp,
    forwarding: config.tunnel.nat || hasNetworks(config),
    openFiles: openFiles(config),
  };
}

/** Whether there are networks behind clients: packets from there are not this host's. */
function hasNetworks(config: Config): boolean {
  const isNetwork = (range: Prefix): boolean => !range.isSingle;
  return config.mode === "server" && config.clients.some(({ allowed }) => allowed.some(isNetwork));
}

/** Keys of links that only another operating system has. */
function foreignKeys(config: Config, platform: Platform): HostFinding[] {
  if (config.mode !== "client") return [];
  const foreign = WAY_KEYS.filter((key) => ![undefined, platform.os].includes(osOf(key)));
  return config.links.flatMap((link) =>
    foreign.filter((key) => link[key] !== undefined).map((key): HostFinding => ({
      severity: "warning",
      message: `link.${link.name}.${key} has no effect here: it is for ${osOf(key)}`,
    }))
  );
}
