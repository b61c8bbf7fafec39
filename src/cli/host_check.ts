/**
 * What this host lacks for a configuration.
 *
 * @module
 */

import type { Config, LinkConfig } from "../config/config.ts";
import { AggvpnError } from "../errors.ts";
import { familyOfAddress, linkSocket, openFiles } from "../daemon/plan.ts";
import { detectPlatform } from "../platform/detect.ts";
import type { HostFinding, HostNeeds, Platform } from "../platform/platform.ts";

/** Keys of a link that only one system knows. */
const KEYS_OF: Readonly<Record<string, readonly (keyof LinkConfig)[]>> = {
  linux: ["interface", "table", "vrf", "mark"],
  openbsd: ["rdomain"],
};

/** Looks at this host; changes nothing. Never throws for what a user can act on. */
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
    // The family of a host name is known only when it is looked up.
    links: links.map((link) => linkSocket(link, familyOfAddress(link.remote.host) ?? 4)),
    listen: config.mode === "server" ? config.listen : [],
    nat: config.tunnel.nat,
    mssClamp: config.tunnel.mssClamp,
    forwarding: config.tunnel.nat || hasNetworks(config),
    openFiles: openFiles(config),
  };
}

/** Whether there are networks behind clients: what comes from there is not of this host. */
function hasNetworks(config: Config): boolean {
  const isNetwork = (range: string): boolean => /\/(?!32$|128$)/.test(range);
  return config.mode === "server" && config.clients.some(({ allowed }) => allowed.some(isNetwork));
}

function foreignKeys(config: Config, platform: Platform): HostFinding[] {
  if (config.mode !== "client") return [];
  const findings: HostFinding[] = [];
  for (const [os, keys] of Object.entries(KEYS_OF)) {
    if (os === platform.os) continue;
    for (const link of config.links) {
      for (const key of keys.filter((key) => link[key] !== undefined)) {
        const message = `link.${link.name}.${key} has no effect here: it is for ${os}`;
        findings.push({ severity: "warning", message });
      }
    }
  }
  return findings;
}
