/**
 * What a configuration means for sockets, interface and endpoint: pure functions
 * from `Config` to the options of the layers below.
 *
 * @module
 */

import { type Family, parseAddress } from "../address.ts";
import type {
  Config,
  LinkConfig,
  RuleConfig,
  ServerModeConfig,
  TunnelConfig,
} from "../config/config.ts";
import type { NetworkPlan, SocketOptions } from "../platform/platform.ts";
import type { Remote } from "../remote.ts";
import type { RuleOptions } from "../scheduler/rules.ts";
import { MAX_PACKET_BYTES } from "../slab.ts";
import type { EndpointOptions, LinkOptions } from "../tunnel/options.ts";
import { PACKET_OVERHEAD_BYTES } from "../wire/overhead.ts";

/** Outer IP packets of links that say nothing else. */
const DEFAULT_LINK_MTU = 1500;

/**
 * Files that are open besides the sockets: Deno has about 25 (its caches, event queue and pipes),
 * the tunnel 5, and a hook or a command a few for a moment.
 */
const OWN_FILES = 40;
/** Clients that the control socket serves at once: MAX_CLIENTS of src/control/server.ts. */
export const CONTROL_CLIENTS = 64;

/** Returns the family of a textual address; undefined when it is none. */
export function familyOfAddress(text: string): Family | undefined {
  const address = parseAddress(text.split("/", 1)[0]!);
  return address && (address.bytes.length === 4 ? 4 : 6);
}

/** Returns how many files may have to be open at once. */
export function openFiles(config: Config): number {
  const sockets = config.mode === "client" ? config.links.length : config.listen.length;
  return sockets + CONTROL_CLIENTS + OWN_FILES;
}

/** Returns what the socket of a client's link is bound to. */
export function linkSocket(link: LinkConfig, family: Family): SocketOptions {
  const device = link.interface ?? link.vrf;
  return {
    name: link.name,
    family,
    ...link.bind !== undefined && { address: link.bind },
    ...link.localPort !== undefined && { port: link.localPort },
    ...device !== undefined && { interface: device },
    ...link.mark !== undefined && { mark: link.mark },
    ...link.rdomain !== undefined && { rdomain: link.rdomain },
  };
}

/** Returns a link as the endpoint knows it. */
export function linkOptions(link: LinkConfig, remote: Remote): LinkOptions {
  return {
    name: link.name,
    remote,
    tier: link.tier,
    metered: link.metered,
    uploadBps: link.uploadBps ?? 0,
    downloadBps: link.downloadBps ?? 0,
    timeoutUs: link.timeoutUs,
    ...link.maxLatencyUs !== undefined && { maxLatencyUs: link.maxLatencyUs },
    ...link.maxLoss !== undefined && { maxLoss: link.maxLoss },
  };
}

/** Returns what the endpoint does with some of its packets. */
export function policyOptions(
  config: Config,
): Required<Pick<EndpointOptions, "rules" | "duplicate">> {
  return { rules: config.rules.map(ruleOptions), duplicate: config.tunnel.duplicate };
}

function ruleOptions({ source, destination, ...rule }: RuleConfig): RuleOptions {
  const from = source === undefined ? undefined : parseNetwork(source);
  const to = destination === undefined ? undefined : parseNetwork(destination);
  return { ...rule, ...from && { source: from }, ...to && { destination: to } };
}

/**
 * Returns the inner MTU: the configured one, or what fits the smallest link whole.
 * `families` are those of the sockets, in the order of the links.
 */
export function tunnelMtu(config: Config, families: readonly Family[]): number {
  if (config.tunnel.mtu !== undefined) return config.tunnel.mtu;
  const inner = families.map((family, i) => {
    const outer = config.mode === "client" ? config.links[i]?.mtu : undefined;
    const overhead = PACKET_OVERHEAD_BYTES[family];
    return (outer ?? DEFAULT_LINK_MTU) - overhead;
  });
  return Math.min(MAX_PACKET_BYTES, ...inner);
}

/**
 * Returns what the interface and the routing are to look like. `families` are those of
 * the sockets.
 */
export function networkPlan(
  config: Config,
  device: string,
  mtu: number,
  families: readonly Family[],
): NetworkPlan {
  const { tunnel } = config;
  return {
    interface: device,
    mtu,
    ...tunnel.rdomain !== undefined && { rdomain: tunnel.rdomain },
    addresses: [tunnel.address, tunnel.address6].filter((address) => address !== undefined),
    gateways: [tunnel.gateway, tunnel.gateway6].filter((address) => address !== undefined),
    routes: config.mode === "client" ? tunnelRoutes(tunnel) : serverRoutes(config),
    links: config.mode === "client"
      ? config.links.map((link, i) => linkRouting(link, families[i]!))
      : [],
    nat: tunnel.nat,
    mssClamp: tunnel.mssClamp,
  };
}

type Route = NetworkPlan["routes"][number];

function tunnelRoutes(tunnel: TunnelConfig): Route[] {
  return tunnel.routes.map((destination) => {
    const gateway = familyOfAddress(destination) === 6 ? tunnel.gateway6 : tunnel.gateway;
    return gateway === undefined ? { destination } : { destination, gateway };
  });
}

/** A server also routes what its clients may use, unless its own network covers it. */
function serverRoutes(config: ServerModeConfig): Route[] {
  const { tunnel } = config;
  const known = [tunnel.address, tunnel.address6, ...tunnel.routes].filter((net) =>
    net !== undefined
  );
  const missing = new Set<string>();
  for (const network of config.clients.flatMap((client) => client.allowed)) {
    const isDefault = network.endsWith("/0");
    if (!isDefault && !known.some((net) => contains(net, network))) missing.add(network);
  }
  return [...tunnelRoutes(tunnel), ...[...missing].map((destination) => ({ destination }))];
}

/** Tells whether the network `outer` contains the network or address `inner`. */
export function contains(outer: string, inner: string): boolean {
  const a = parseNetwork(outer);
  const b = parseNetwork(inner);
  if (!a || !b || a.address.length !== b.address.length || b.prefix < a.prefix) return false;
  for (let bit = 0; bit < a.prefix; bit++) {
    const mask = 0x80 >> (bit & 7);
    if ((a.address[bit >> 3]! & mask) !== (b.address[bit >> 3]! & mask)) return false;
  }
  return true;
}

/** Reads a network, or an address as a network of its own; undefined for anything else. */
export function parseNetwork(text: string): { address: Uint8Array; prefix: number } | undefined {
  const [address = "", prefix] = text.split("/");
  const bytes = parseAddress(address)?.bytes;
  if (!bytes) return undefined;
  return { address: bytes, prefix: prefix === undefined ? bytes.length * 8 : Number(prefix) };
}

function linkRouting(link: LinkConfig, family: Family): NetworkPlan["links"][number] {
  const device = link.interface ?? link.vrf;
  return {
    name: link.name,
    family,
    ...link.bind !== undefined && { address: link.bind },
    ...device !== undefined && { interface: device },
    ...link.mark !== undefined && { mark: link.mark },
    ...link.table !== undefined && { table: link.table },
  };
}
