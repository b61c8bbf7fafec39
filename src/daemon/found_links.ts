/**
 * Which links a tunnel would have if it started now: for `aggvpn check`.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import type { HostFinding, HostInterface, Platform } from "../platform/platform.ts";
import {
  isOpenLink,
  isUplink,
  linkInterfacesOf,
  NO_AUTO_LINKS_HINT,
  noAutoLinks,
  presentLinks,
} from "./link_interfaces.ts";

/** What there is on this host for the links of a configuration. */
export interface FoundLinks {
  readonly findings: readonly HostFinding[];
  /** The configuration with the interfaces that links would have. */
  readonly settled: Config;
}

/** Looks for the interfaces of links that leave them open. Throws AggvpnError. */
export function findLinks(config: Config, platform: Pick<Platform, "os" | "uplinks">): FoundLinks {
  if (config.mode !== "client" || !config.links.some(isOpenLink)) {
    return { findings: [], settled: config };
  }
  const { os, uplinks } = platform;
  const isAuto = config.linksExclude !== undefined;
  if (!uplinks) {
    const links = config.links.filter(({ options }) => !options.spare);
    const message = noAutoLinks(os);
    const hint = NO_AUTO_LINKS_HINT;
    return {
      findings: isAuto ? [{ severity: "error", message, hint }] : [],
      settled: { ...config, links },
    };
  }
  const present = uplinks.list();
  const interfaces = linkInterfacesOf(config);
  interfaces.update(present);
  const links = presentLinks(config.links, interfaces);
  const settled = { ...config, links };
  return { findings: isAuto ? [finding(settled, present)] : [], settled };
}

function finding(
  { links }: Extract<Config, { mode: "client" }>,
  present: readonly HostInterface[],
): HostFinding {
  const words = links.map(({ name, interface: by, options }) => {
    const uplink = present.find((one) => one.name === by);
    const how = [
      by === undefined || by === name ? [] : [by],
      uplink && isUplink(uplink) ? [wayOf(uplink)] : ["not there"],
      options.metered ? ["metered"] : [],
    ].flat();
    return `${name} (${how.join(", ")})`;
  });
  if (words.length > 0) return { severity: "info", message: `Links now: ${words.join(", ")}` };
  return {
    severity: "warning",
    message: "No interface has a default route: the tunnel would wait for one",
    hint: '"ip route show default" lists those of this host.',
  };
}

function wayOf({ defaults: [route] }: HostInterface): string {
  return route?.gateway === undefined ? "point to point" : `via ${route.gateway}`;
}
