/**
 * The `[tunnel]` table.
 *
 * @module
 */

import type { Prefix } from "../address.ts";
import { IPV6_MIN_MTU } from "../wire/ip_layout.ts";
import { compact } from "./compact.ts";
import type { TunnelConfig } from "./config.ts";
import type { Located } from "./kind.ts";
import { ALL } from "./network_kinds.ts";
import { type Context, type Reading, readTable } from "./read_table.ts";
import type { Report } from "./report.ts";
import { TUNNEL_KEYS } from "./schema.ts";
import type { Table } from "./tree.ts";

type TunnelReading = Reading<typeof TUNNEL_KEYS>;

/** What the rest of the file says about the table. */
export interface Around {
  /** A status command may set the addresses. */
  readonly hasScript: boolean;
  /** Whether absent keys are missing, not just unreadable. */
  readonly complete: boolean;
}

/** Reads the table. */
export function readTunnel(table: Table, around: Around, context: Context): TunnelReading {
  const tunnel = withBothDefaults(readTable(table, TUNNEL_KEYS, "tunnel", context));
  const { complete } = around;
  checkGateway(tunnel, ["address", "gateway"], complete, context.report);
  checkGateway(tunnel, ["address6", "gateway6"], complete, context.report);
  checkMtu(tunnel, context.report);
  checkRoutes(tunnel, complete, context.report);
  if (complete) checkAddressed(tunnel, around.hasScript, context.report);
  checkNameServers(tunnel, context.report);
  checkLeakGuard(tunnel, context.report);
  return tunnel;
}

/**
 * With `address6`, "default" means IPv6 as well, which would else go around the tunnel. Whoever wants
 * IPv4 alone writes 0.0.0.0/0.
 */
function withBothDefaults(tunnel: TunnelReading): TunnelReading {
  const { address6, routes = [] } = tunnel.values;
  const both = routes.find(({ value }) => value === ALL[4]);
  const hasSixth = routes.some(({ value }) => value.family === 6 && value.isDefault);
  if (!both || !address6 || hasSixth) return tunnel;
  const more = [...routes, { ...both, value: ALL[6] }];
  return { ...tunnel, values: { ...tunnel.values, routes: more } };
}

/** Makes the configuration from what was read. */
export function tunnelConfig({ values }: TunnelReading): TunnelConfig {
  return compact({
    interface: values.interface,
    address: values.address,
    address6: values.address6,
    gateway: values.gateway,
    gateway6: values.gateway6,
    mtu: values.mtu,
    routes: (values.routes ?? []).map((route) => route.value),
    dns: (values.dns ?? []).map(({ value }) => value),
    leakGuard: values.leak_guard && (values.routes ?? []).some(({ value }) => value.isDefault),
    nat: values.nat,
    mssClamp: values.mss_clamp,
    offload: values.offload,
    rdomain: values.rdomain,
    schedule: values.schedule,
    duplicate: values.duplicate,
    up: values.up,
    down: values.down,
  });
}

function checkGateway(
  tunnel: TunnelReading,
  [addressKey, gatewayKey]: readonly ["address", "gateway"] | readonly ["address6", "gateway6"],
  complete: boolean,
  report: Report,
): void {
  const gateway = tunnel.values[gatewayKey];
  const network = tunnel.values[addressKey];
  if (!gateway) return;
  const at = tunnel.placeOf(gatewayKey);
  const fail = (expected: string): void =>
    report.error(
      at,
      `tunnel.${gatewayKey}: expected ${expected}, found ${gateway}`,
      "it is the address of the other end of the tunnel",
    );
  if (!network) {
    if (complete && !tunnel.has(addressKey)) fail(`tunnel.${addressKey} beside it`);
  } else if (!network.covers(gateway)) {
    fail(`an address in ${network.toNetwork()}, the network of ${addressKey}`);
  } else if (gateway.equals(network.toAddress())) {
    fail(`another address than ${addressKey}, which is this end's`);
  } else if (network.isNetworkAddress(gateway) || network.isBroadcast(gateway)) {
    fail("the address of a host");
  }
}

function checkMtu(tunnel: TunnelReading, report: Report): void {
  const { mtu, address6, gateway6, routes = [] } = tunnel.values;
  const usesIpv6 = address6 || gateway6 || routes.some((route) => route.value.family === 6);
  if (mtu === undefined || mtu >= IPV6_MIN_MTU || !usesIpv6) return;
  report.error(
    tunnel.placeOf("mtu"),
    `tunnel.mtu: expected at least ${IPV6_MIN_MTU} because IPv6 is used, found ${mtu}`,
    "raise it, or leave it out: it is derived from the links",
  );
}

function checkRoutes(tunnel: TunnelReading, complete: boolean, report: Report): void {
  const seen = new Set<string>();
  for (const route of tunnel.values.routes ?? []) {
    const text = `${route.value}`;
    if (seen.has(text)) report.error(route.at, `tunnel.routes: ${text} is listed twice`);
    seen.add(text);
    if (complete) checkRouteFamily(tunnel, route, report);
  }
}

function checkRouteFamily(tunnel: TunnelReading, route: Located<Prefix>, report: Report): void {
  const key = route.value.family === 6 ? "address6" : "address";
  if (tunnel.has(key) || tunnel.has("up")) return;
  const message = `tunnel.routes: ${route.value} is routed to an interface without tunnel.${key}`;
  report.warn(route.at, message, `set tunnel.${key}`);
}

function checkAddressed(tunnel: TunnelReading, hasScript: boolean, report: Report): void {
  if (hasScript || tunnel.has("address") || tunnel.has("address6") || tunnel.has("up")) return;
  const message = "tunnel.address: missing, so the tunnel interface gets no address";
  report.warn(
    undefined,
    message,
    'write [tunnel] and address = "10.44.43.1/30", or set it in tunnel.up',
  );
}

/** Resolvers of both systems ask this many at least, and the others never. */
const MAX_NAME_SERVERS = 3;

function checkNameServers(tunnel: TunnelReading, report: Report): void {
  const { dns = [], routes = [], address, address6 } = tunnel.values;
  const at = tunnel.placeOf("dns");
  if (dns.length > MAX_NAME_SERVERS) {
    const message = `tunnel.dns: expected at most ${MAX_NAME_SERVERS}, found ${dns.length}`;
    report.error(at, message, "a resolver asks the first three only");
  }
  const reached = [address, address6, ...routes.map(({ value }) => value)];
  for (const server of dns) {
    if (reached.some((network) => network?.covers(server.value))) continue;
    const message = `tunnel.dns: ${server.value} is not reached through the tunnel`;
    report.warn(server.at, message, "add it to tunnel.routes");
  }
}

function checkLeakGuard(tunnel: TunnelReading, report: Report): void {
  const { leak_guard: isWanted, routes = [] } = tunnel.values;
  if (!isWanted || routes.some(({ value }) => value.isDefault)) return;
  const message = 'tunnel.leak_guard: has no effect without "default" in tunnel.routes';
  report.warn(tunnel.placeOf("leak_guard"), message, 'write routes = ["default"]');
}
