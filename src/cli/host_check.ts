/**
 * What a configuration needs that this host lacks.
 *
 * @module
 */

import { Address, type Family, type Prefix } from "../address.ts";
import { compact } from "../config/compact.ts";
import type { Config, LinkConfig } from "../config/config.ts";
import { formatHostPort } from "../config/host_port.ts";
import { osOf, WAY_KEYS, wayOf } from "../config/ways.ts";
import { isAlive } from "../control/server.ts";
import { linkSocket, networkPlan, openFiles, packetRoom } from "../daemon/plan.ts";
import { findLinks } from "../daemon/found_links.ts";
import { AggvpnError } from "../errors.ts";
import { detectPlatform } from "../platform/detect.ts";
import type { HostFinding, HostNeeds, LinkNeeds, Platform } from "../platform/platform.ts";
import { askStatus } from "./commands/status.ts";

/** A tunnel of the same file that runs. */
export interface RunningTunnel {
  readonly interface: string;
  /** Addresses with ports that its sockets have. */
  readonly locals: readonly string[];
}

/**
 * Inspects this host; changes nothing. What a running tunnel of the same file has is not in the way.
 * Never throws for what a user can act on.
 */
export async function checkHost(config: Config): Promise<readonly HostFinding[]> {
  try {
    const platform = detectPlatform();
    const running = await findRunning(config.control);
    const { findings, settled } = findLinks(config, platform);
    return [
      ...foreignKeys(config, platform),
      ...findings,
      ...platform.inspect(hostNeeds(settled, running)),
      ...largeMtu(settled, platform),
      ...leakingNames(config),
    ];
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    return [{ severity: "error", message: error.message, ...error.hint && { hint: error.hint } }];
  }
}

async function findRunning(control: string): Promise<RunningTunnel | undefined> {
  if (!await isAlive(control)) return undefined;
  try {
    const { daemon } = await askStatus(control);
    return { interface: daemon.interface, locals: daemon.sockets.map(({ local }) => local) };
  } catch (error) {
    if (error instanceof AggvpnError) return undefined;
    throw error;
  }
}

/** Returns what a configuration needs of a host, besides what its `running` tunnel has. */
export function hostNeeds(config: Config, running?: RunningTunnel): HostNeeds {
  const { tunnel } = config;
  const links = config.mode === "client" ? config.links : [];
  const families = links.map(familyOfLink);
  const device = tunnel.interface ?? running?.interface ?? "";
  const isFree = (local: string): boolean => !running?.locals.includes(local);
  return {
    tunName: running?.interface === tunnel.interface ? undefined : tunnel.interface,
    plan: networkPlan(config, device, tunnel.mtu ?? 0, families),
    links: links.map((link, i) => linkNeeds(link, families[i]!, isFree)),
    listen: config.mode === "server"
      ? config.listen.filter((listen) => isFree(formatHostPort(listen)))
      : [],
    leakGuard: tunnel.leakGuard,
    nat: tunnel.nat,
    mssClamp: tunnel.mssClamp,
    forwarding: tunnel.nat || hasNetworks(config),
    openFiles: openFiles(config),
  };
}

/** The family of a host name is known only once it is looked up. */
function familyOfLink({ bind, remotes }: LinkConfig): Family {
  const addresses = remotes.map(({ host }) => host).filter((host) => host instanceof Address);
  return bind?.family ?? addresses[0]?.family ?? 4;
}

function linkNeeds(
  link: LinkConfig,
  family: Family,
  isFree: (local: string) => boolean,
): LinkNeeds {
  const { port, ...socket } = linkSocket(link, family);
  const hosts = link.remotes.map(({ host }) => host);
  const wildcard = family === 4 ? "0.0.0.0" : "[::]";
  const isOurs = port !== undefined &&
    !isFree(socket.address?.withPort(port) ?? `${wildcard}:${port}`);
  return compact({
    ...socket,
    port: isOurs ? undefined : port,
    remotes: hosts.filter((host) => host instanceof Address),
    table: wayOf(link, "table"),
    isRouted: link.auto,
  });
}

/** A configured MTU is not lowered for what the interfaces of the links carry. */
function largeMtu(config: Config, platform: Platform): HostFinding[] {
  const { mtu } = config.tunnel;
  if (config.mode !== "client" || mtu === undefined) return [];
  return config.links.flatMap((link): HostFinding[] => {
    const family = familyOfLink(link);
    const carries = packetRoom(link, family, platform.interfaceMtu(linkSocket(link, family)));
    if (carries === undefined || mtu <= carries) return [];
    return [{
      severity: "warning",
      message: `Link "${link.name}" carries packets of ${carries} bytes, tunnel.mtu is ${mtu}`,
      hint: "Leave tunnel.mtu out: it is derived from the links.",
    }];
  });
}

/** While a server's name is looked up the guard lets questions out, of all programs. */
function leakingNames(config: Config): HostFinding[] {
  if (config.mode !== "client" || !config.tunnel.leakGuard) return [];
  const hosts = config.links.flatMap(({ remotes }) => remotes.map(({ host }) => host));
  const name = hosts.find((host) => !(host instanceof Address));
  if (name === undefined) return [];
  return [{
    severity: "warning",
    message: `tunnel.leak_guard lets questions to name servers out while it looks up "${name}"`,
    hint: "Write the server's address, or its name and address into /etc/hosts.",
  }];
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
