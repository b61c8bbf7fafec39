/**
 * What a configuration means for sockets, interface and endpoint: pure functions
 * from `Config` to the options of the layers below.
 *
 * @module
 */

import type { Family, Prefix } from "../address.ts";
import { compact } from "../config/compact.ts";
import type {
  Config,
  LinkConfig,
  ListenConfig,
  ServerModeConfig,
  TunnelConfig,
} from "../config/config.ts";
import { formatHostPort } from "../config/host_port.ts";
import { wayOf } from "../config/ways.ts";
import type { NetworkPlan, SocketOptions } from "../platform/platform.ts";
import type { Remote } from "../remote.ts";
import { MAX_PACKET_BYTES } from "../slab.ts";
import type { ClientLink, EndpointOptions } from "../tunnel/options.ts";
import { IPV6_MIN_MTU } from "../wire/ip_layout.ts";
import { PACKET_OVERHEAD_BYTES } from "../wire/overhead.ts";

/** Bytes of the largest outer IP packet of links that do not configure it. */
const DEFAULT_LINK_MTU = 1500;

/**
 * Files that are open besides the sockets: Deno has about 25 (its caches, event queue and pipes),
 * the tunnel 7, and a hook or a command briefly a few.
 */
const OWN_FILES = 40;
/** Clients that the control socket serves at once: MAX_CLIENTS of src/control/server.ts. */
export const CONTROL_CLIENTS = 64;

/** Connections of one HTTP server: MAX_CONNECTIONS of src/http/server.ts. */
export const HTTP_CONNECTIONS = 32;

/** Returns how many files may need to be open at once. */
export function openFiles(config: Config): number {
  const sockets = config.mode === "client" ? config.links.length : config.listen.length;
  const servers = [config.metrics, config.dashboard].filter((server) => server !== undefined);
  return sockets + CONTROL_CLIENTS + servers.length * (1 + HTTP_CONNECTIONS) + OWN_FILES;
}

/** Returns what the socket of a client's link is bound to. */
export function linkSocket(link: LinkConfig, family: Family): SocketOptions {
  return compact({
    name: link.name,
    family,
    address: wayOf(link, "address"),
    port: link.localPort,
    interface: wayOf(link, "device"),
    mark: wayOf(link, "mark"),
    rdomain: wayOf(link, "domain"),
  });
}

/** Returns what a socket of a server is bound to. */
export function listenSocket(listen: ListenConfig): SocketOptions {
  const { host, port } = listen;
  return { name: formatHostPort(listen), family: host.family, address: host, port };
}

/** Returns the largest IP packet that a link may carry, in bytes; undefined when nothing says it. */
function linkMtu({ options }: LinkConfig, interfaceMtu: number | undefined): number | undefined {
  const known = [options.mtuBytes, interfaceMtu].filter((mtu) => mtu !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Returns the largest inner packet that fits a link whole, in bytes; undefined when unknown. */
export function packetRoom(
  link: LinkConfig,
  family: Family,
  interfaceMtu: number | undefined,
): number | undefined {
  const most = linkMtu(link, interfaceMtu);
  return most === undefined ? undefined : most - PACKET_OVERHEAD_BYTES[family];
}

/** Returns a link as the endpoint knows it. `interfaceMtu` is that of the interface it leaves by. */
export function clientLink(
  link: LinkConfig,
  remotes: readonly (Remote | undefined)[],
  interfaceMtu?: number,
): ClientLink {
  const mtuBytes = linkMtu(link, interfaceMtu);
  const options = mtuBytes === undefined ? link.options : { ...link.options, mtuBytes };
  return { ...options, name: link.name, remotes };
}

/** Returns how the endpoint treats some of its packets. */
export function policyOptions(
  config: Config,
): Required<Pick<EndpointOptions, "rules" | "duplicate" | "schedule">> {
  const { duplicate, schedule } = config.tunnel;
  return { rules: config.rules, duplicate, schedule };
}

/**
 * Returns the inner MTU at the start, which is also the largest later on: the configured one, or
 * what fits the smallest link whole. `families` are those of the sockets, in the order of the links,
 * and so are `interfaceMtus`, of the interfaces that the links leave by.
 */
export function tunnelMtu(
  config: Config,
  families: readonly Family[],
  interfaceMtus: readonly (number | undefined)[] = [],
): number {
  if (config.tunnel.mtu !== undefined) return config.tunnel.mtu;
  const links = config.mode === "client" ? config.links : [];
  const inner = families.map((family, i) =>
    startMtu(links[i], interfaceMtus[i]) - PACKET_OVERHEAD_BYTES[family]
  );
  const least = usesIpv6(config.tunnel) ? IPV6_MIN_MTU : 0;
  return Math.max(least, Math.min(MAX_PACKET_BYTES, ...inner));
}

/** Returns the largest IP packet to expect of a link before it is tried. */
function startMtu(link: LinkConfig | undefined, interfaceMtu: number | undefined): number {
  const most = link && linkMtu(link, interfaceMtu);
  if (most === undefined) return DEFAULT_LINK_MTU;
  // That an interface carries more does not mean that the whole way does.
  return link?.options.mtuBytes === undefined ? Math.min(most, DEFAULT_LINK_MTU) : most;
}

/** Tells whether the tunnel's interface cannot do without IPv6. */
function usesIpv6({ address6, gateway6, routes }: TunnelConfig): boolean {
  return address6 !== undefined || gateway6 !== undefined ||
    routes.some(({ family }) => family === 6);
}

/**
 * Returns how the interface and the routing should look. `families` are those of
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
    ...tunnel.dns.length > 0 && { dns: tunnel.dns },
    nat: tunnel.nat,
    mssClamp: tunnel.mssClamp,
  };
}

type Route = NetworkPlan["routes"][number];

function tunnelRoutes(tunnel: TunnelConfig): Route[] {
  return tunnel.routes.map((destination) => {
    const gateway = destination.family === 6 ? tunnel.gateway6 : tunnel.gateway;
    return gateway === undefined ? { destination } : { destination, gateway };
  });
}

/** A server also routes its clients' networks, unless its own network covers them. */
function serverRoutes(config: ServerModeConfig): Route[] {
  const { tunnel } = config;
  const known = [tunnel.address, tunnel.address6, ...tunnel.routes];
  const missing = new Map<string, Prefix>();
  for (const network of config.clients.flatMap((client) => client.allowed)) {
    const isKnown = known.some((net) => net?.covers(network));
    if (!network.isDefault && !isKnown) missing.set(`${network}`, network);
  }
  return [
    ...tunnelRoutes(tunnel),
    ...[...missing.values()].map((destination) => ({ destination })),
  ];
}

/** Returns the interfaces that the links of a client are bound to. */
export function uplinkNames(config: Config): string[] {
  const links = config.mode === "client" ? config.links : [];
  return links.flatMap((link) => wayOf(link, "device") ?? []);
}

function linkRouting(link: LinkConfig, family: Family): NetworkPlan["links"][number] {
  return compact({
    name: link.name,
    family,
    address: wayOf(link, "address"),
    interface: wayOf(link, "device"),
    mark: wayOf(link, "mark"),
    table: wayOf(link, "table"),
    remotePorts: [...new Set(link.remotes.map(({ port }) => port))],
  });
}
