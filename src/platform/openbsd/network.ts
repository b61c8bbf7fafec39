/**
 * Addresses, routes and packet filter of a tunnel, as commands of the base system:
 * ifconfig(8), route(8), pfctl(8), sysctl(8).
 *
 * tun(4) is a point-to-point interface: the kernel makes a route to the other end only, never to
 * the network of the address. So each IPv4 address gets an other end, the gateway or any host of
 * its network, and the rest of the network is routed there.
 *
 * An IPv6 address is set while the interface is down: then the kernel does not look for another
 * host that has it, which takes a second and finds nobody in a tunnel (in6if_do_dad() of
 * sys/netinet6/in6.c).
 *
 * What belongs to the interface disappears with it and needs no undo, unless the interface stays
 * because ifconfig(8) or hostname.if(5) made it.
 *
 * @module
 */

import { Address, type Prefix } from "../../address.ts";
import { AggvpnError } from "../../errors.ts";
import type { InterfaceAddress, NetworkPlan, SystemChange, SystemCommand } from "../platform.ts";
import { translated } from "../nat.ts";
import { dnsPart, ofPart, routePart } from "../plan_parts.ts";
import { halvesOf } from "../routes.ts";
import type { ReadCommand } from "../command_output.ts";
import { readResolvConf, resolvConfChanges } from "../resolv_conf.ts";
import {
  destinationPattern,
  hasResolvd,
  type HostState,
  readHostState,
  readRoutes,
  routesOf,
} from "./host_state.ts";
import { addCommand, deleteCommand, isIpv4, setCommand } from "./ifconfig.ts";
import { hasIpv6, isMoved, makeRoom, missingAddresses } from "./kept_interface.ts";
import { ANCHOR_HINT, anchorCommands, anchorRules, ANCHORS } from "./pf.ts";

/** Returns the commands that make `plan` true on a host in `state`, in order. */
export function networkChanges(plan: NetworkPlan, state: HostState): SystemChange[] {
  if (plan.nat) refuseDeadNat(plan, state);
  const { addresses } = plan;
  return [
    ...interfaceChanges(plan, addresses.map((address) => addressOf(address, plan))),
    ...addresses.flatMap((address) => ownNetwork(address, plan, state)),
    ...plan.routes.flatMap((route) => ofPart(routePart(route), routeChanges(route, plan, state))),
    ...(plan.nat ? forwardingChanges(addresses, state) : []),
    ...filterChanges(plan, state),
    ...ofPart(dnsPart(plan), dnsChanges(plan, state)),
  ];
}

function interfaceChanges(plan: NetworkPlan, own: readonly InterfaceAddress[]): SystemChange[] {
  const { kept, rdomain } = plan;
  const missing = missingAddresses(plan, own);
  const [ipv6, ipv4] = [missing.filter((one) => !isIpv4(one)), missing.filter(isIpv4)];
  const goesUp = ipv6.length > 0 ? ["down", "up"] : ["up"];
  return [
    ...makeRoom(plan, own),
    // Before the addresses, since it removes all of them.
    ...(rdomain === undefined || rdomain === kept?.rdomain
      ? []
      : [setting(plan, ["rdomain", `${rdomain}`], kept && ["rdomain", `${kept.rdomain}`])]),
    mtuChange(plan),
    // The first IPv4 address brings the interface up.
    ...ipv6.flatMap((address) => [downWithIpv6(plan), addressChange(plan, address)]),
    ...ipv4.map((address) => addressChange(plan, address)),
    // Setting addresses has brought it up unnoticed by routes, which still consider it down.
    setting(plan, goesUp, undefined),
  ];
}

/** Changes the interface; `before` is what it was. */
function setting(
  { interface: name }: NetworkPlan,
  words: readonly string[],
  before: readonly string[] | undefined,
): SystemChange {
  const run = ["ifconfig", name, ...words];
  return before === undefined ? { run } : { run, undo: ["ifconfig", name, ...before] };
}

/** Also when that is the MTU it has: it may change later, and has to be restored at the end. */
function mtuChange(plan: NetworkPlan): SystemChange {
  const words = (mtu: number): string[] => ["mtu", `${mtu}`];
  return {
    ...setting(plan, words(plan.mtu), plan.kept && words(plan.kept.mtu)),
    // The first address would bring an interface up that somebody has taken down.
    look: { run: ["ifconfig", plan.interface], shows: /^\w+: flags=\w+<UP[,>]/m, isGate: true },
    atMtu: (mtu) => setting(plan, words(mtu), undefined),
  };
}

/** With `eui64` it gets its link-local address, which brings it up, before it is taken down. */
function downWithIpv6(plan: NetworkPlan): SystemChange {
  const { kept } = plan;
  const goes = kept !== undefined && !isMoved(plan) && !hasIpv6(kept);
  return setting(plan, ["inet6", "eui64", "down"], goes ? ["-inet6"] : undefined);
}

function addressChange(plan: NetworkPlan, address: InterfaceAddress): SystemChange {
  const { interface: name, kept } = plan;
  const host = RegExp.escape(`${address.address.toAddress()}`);
  const look = { run: ["ifconfig", name], shows: new RegExp(`^\\tinet6? ${host}[% ]`, "m") };
  if (!kept) return { run: setCommand(name, address), look };
  return { run: addCommand(name, address), undo: deleteCommand(name, address), look };
}

/** An address of the tunnel as ifconfig(8) shows it. */
function addressOf(address: Prefix, plan: NetworkPlan): InterfaceAddress {
  // With an other end an IPv6 prefix must be that of one host; without, the kernel routes the whole
  // network: in6_update_ifa() and in6_ioctl_change_ifaddr() of sys/netinet6/in6.c.
  const hasPeer = isInet(address) || address.length === 128;
  return { address, isAnycast: false, ...hasPeer && { peer: peerOf(address, plan) } };
}

/** Routes what the kernel does not: the other hosts of an IPv4 network. */
function ownNetwork(address: Prefix, plan: NetworkPlan, state: HostState): SystemChange[] {
  if (!isInet(address) || address.length >= 30) return [];
  return routeTo(address.toNetwork(), peerOf(address, plan), plan, state);
}

function routeChanges(
  { destination, gateway }: NetworkPlan["routes"][number],
  plan: NetworkPlan,
  state: HostState,
): SystemChange[] {
  const { family } = destination;
  const own = plan.addresses.find((address) => address.family === family);
  const via = gateway ?? (own && peerOf(own, plan));
  if (via === undefined) {
    throw new AggvpnError(
      `Cannot route ${destination} to ${plan.interface}: it has no IPv${family} address`,
      { hint: `Set tunnel.${family === 4 ? "address" : "address6"}.` },
    );
  }
  return halvesOf(destination).flatMap((part) => routeTo(part, via, plan, state));
}

/**
 * The kernel refuses a second route to a destination, so nothing of the host is replaced. One by the
 * same way, from hostname.if(5), stays.
 */
function routeTo(
  destination: Prefix,
  via: Address,
  plan: NetworkPlan,
  { routes = [] }: HostState,
): SystemChange[] {
  const isThere = routes.some((route) =>
    route.destination.equals(destination) && route.gateway.equals(via)
  );
  if (isThere) return [];
  const rdomain = domainOf(plan);
  const table = rdomain === undefined ? [] : ["-T", `${rdomain}`];
  const route = (command: string): string[] => {
    const family = isInet(destination) ? "-inet" : "-inet6";
    return ["route", "-n", ...table, command, family, `${destination}`, `${via}`];
  };
  const shown = `^${destinationPattern(destination)}\\s+${RegExp.escape(`${via}`)}\\s`;
  return [{
    run: route("add"),
    undo: route("delete"),
    look: { run: routesOf(rdomain ?? 0, destination.family), shows: new RegExp(shown, "m") },
  }];
}

/** Returns the state of the host for `plan`, with the routes that may be there before. */
export function readPlanState(read: ReadCommand, plan: NetworkPlan): HostState {
  const state = readHostState(read);
  const asks = (plan.dns ?? []).length > 0;
  return {
    ...state,
    ...plan.kept && { routes: readRoutes(read, domainOf(plan) ?? 0) },
    ...asks && !hasResolvd(read) && { resolvConf: readResolvConf(plan.interface) },
  };
}

/** The domain that the interface is in, if it is not this process's. */
function domainOf({ rdomain, kept }: NetworkPlan): number | undefined {
  return rdomain ?? (kept?.rdomain || undefined);
}

/** The gateway; without one any other host of the network, such as its first. */
function peerOf(address: Prefix, plan: NetworkPlan): Address {
  const gateway = plan.gateways.find(({ family }) => family === address.family);
  if (gateway !== undefined) return gateway;
  const hostBits = address.bytes.length * 8 - address.length;
  const bytes = hostBits < 2 ? address.bytes.slice() : address.toNetwork().bytes.slice();
  const last = bytes.length - 1;
  const own = address.bytes[last]!;
  if (hostBits > 1) bytes[last] = bytes[last]! | (own === (bytes[last]! | 1) ? 2 : 1);
  else bytes[last] = own ^ (hostBits === 0 && own === 1 ? 3 : 1);
  return new Address(bytes);
}

function forwardingChanges(addresses: readonly Prefix[], state: HostState): SystemChange[] {
  const on = (name: string, value: string | undefined): SystemChange => ({
    run: ["sysctl", "-q", `${name}=1`],
    undo: ["sysctl", "-q", `${name}=${value ?? "0"}`],
    look: { run: ["sysctl", "-n", name], shows: /^1$/m },
  });
  const { ipv4, ipv6 } = state.forwarding;
  return [
    ...(ipv4 !== "1" && addresses.some(isInet) ? [on("net.inet.ip.forwarding", ipv4)] : []),
    ...(ipv6 !== "1" && !addresses.every(isInet) ? [on("net.inet6.ip6.forwarding", ipv6)] : []),
  ];
}

/**
 * resolvd(8) keeps /etc/resolv.conf, tells unwind(8), and prefers what was set by hand to what DHCP
 * servers say. Without addresses route(8) takes those of the interface back.
 */
function dnsChanges(plan: NetworkPlan, { resolvConf }: HostState): SystemChange[] {
  const { dns = [], interface: name } = plan;
  if (dns.length === 0) return [];
  if (resolvConf) return resolvConfChanges(name, dns, resolvConf);
  const rdomain = domainOf(plan);
  const table = rdomain === undefined ? [] : ["-T", `${rdomain}`];
  const route = ["route", "-n", ...table, "nameserver", name];
  return [{ run: [...route, ...dns.map(String)], undo: route }];
}

/** There is nothing to clamp if the host forwards nothing or pf.conf(5) ignores the anchor. */
function filterChanges(
  plan: NetworkPlan,
  state: HostState,
): SystemChange[] {
  const { ipv4, ipv6 } = state.forwarding;
  const clamps = plan.mssClamp && state.hasAnchor && (ipv4 === "1" || ipv6 === "1");
  if (translated(plan).length === 0 && !clamps) return [];
  // The anchor is replaced at once; connections that pf knows keep their translation.
  const anchor = anchorCommands(plan.interface);
  const load = (mtu: number): SystemCommand => ({
    run: anchor.load,
    input: anchorRules({ ...plan, mtu }),
  });
  return [{
    ...load(plan.mtu),
    undo: anchor.empty,
    look: { run: anchor.show, shows: /\S/ },
    ...!plan.nat && { mayFail: true },
    ...plan.mssClamp && { atMtu: load },
  }];
}

/** Rules that are not evaluated would let packets out with addresses that nobody can reply to. */
function refuseDeadNat(plan: NetworkPlan, state: HostState): void {
  const fail = (why: string, hint: string): never => {
    throw new AggvpnError(`Cannot translate addresses (tunnel.nat): ${why}`, { hint });
  };
  if (!state.pfEnabled) fail("pf is off, or cannot be asked", `Switch it on with "pfctl -e".`);
  if (!state.hasAnchor) fail(`pf.conf has no anchor "${ANCHORS}"`, ANCHOR_HINT);
  const rdomain = domainOf(plan);
  if (rdomain !== undefined && rdomain !== 0) {
    fail(
      `the tunnel is in rdomain ${rdomain}, and the way out is not known there`,
      "Leave tunnel.nat out and write a rule with nat-to into /etc/pf.conf.",
    );
  }
}

function isInet({ family }: Prefix): boolean {
  return family === 4;
}
