/**
 * Addresses, routes and packet filter of a tunnel, as commands of the base system:
 * ifconfig(8), route(8), pfctl(8), sysctl(8).
 *
 * tun(4) is a point-to-point interface: the kernel makes a route to the other end only, never to
 * the network of the address. So each IPv4 address gets another end, the gateway or
 * any host of its network, and what else the network has is routed there.
 *
 * What belongs to the interface goes with it and needs no undo, unless the
 * interface stays because ifconfig(8) or hostname.if(5) made it.
 *
 * @module
 */

import { formatAddress, formatPrefix, networkOf, parsePrefix, type Prefix } from "../../address.ts";
import { AggvpnError } from "../../errors.ts";
import type { NetworkPlan, SystemChange } from "../platform.ts";
import type { HostState } from "./host_state.ts";
import { ANCHOR, anchorRules } from "./pf.ts";

/** Returns the commands that make `plan` true on a host in `state`, in order. */
export function networkChanges(plan: NetworkPlan, state: HostState): SystemChange[] {
  if (plan.nat) refuseDeadNat(plan, state);
  const ifconfig = ["ifconfig", plan.interface];
  const addresses = plan.addresses.flatMap((address) => parsePrefix(address) ?? []);
  return [
    // First, since it takes every address away.
    ...(plan.rdomain === undefined ? [] : [{ run: [...ifconfig, "rdomain", `${plan.rdomain}`] }]),
    { run: [...ifconfig, "mtu", `${plan.mtu}`] },
    ...addresses.map((address) => addressChange(address, plan, ifconfig)),
    { run: [...ifconfig, "up"] },
    ...addresses.flatMap((address) => ownNetwork(address, plan)),
    ...plan.routes.flatMap((route) => routeChanges(route, addresses, plan)),
    ...(plan.nat ? forwardingChanges(addresses, state) : []),
    ...filterChanges(plan, addresses, state),
  ];
}

function addressChange(
  address: Prefix,
  plan: NetworkPlan,
  ifconfig: readonly string[],
): SystemChange {
  const local = formatAddress(address);
  const peer = peerOf(address, plan);
  if (isIpv4(address)) {
    return { run: [...ifconfig, "inet", local, peer, "netmask", netmaskOf(address.length)] };
  }
  // With another end the prefix must be that of one host; without, the kernel routes the whole
  // network: in6_ifinit() and in6_ioctl_change_ifaddr() of sys/netinet6/in6.c.
  const to = address.length === 128 ? [peer] : [];
  return { run: [...ifconfig, "inet6", local, ...to, "prefixlen", `${address.length}`] };
}

/** Routes what the kernel leaves out: the other hosts of an IPv4 network. */
function ownNetwork(address: Prefix, plan: NetworkPlan): SystemChange[] {
  if (!isIpv4(address) || address.length >= 30) return [];
  return routeTo(formatPrefix(networkOf(address)), peerOf(address, plan), plan);
}

function routeChanges(
  { destination, gateway }: NetworkPlan["routes"][number],
  addresses: readonly Prefix[],
  plan: NetworkPlan,
): SystemChange[] {
  const ipv4 = !destination.includes(":");
  const own = addresses.find((address) => isIpv4(address) === ipv4);
  const via = gateway ?? (own && peerOf(own, plan));
  if (via === undefined) {
    throw new AggvpnError(
      `Cannot route ${destination} to ${plan.interface}: it has no IPv${ipv4 ? 4 : 6} address`,
      { hint: `Set tunnel.${ipv4 ? "address" : "address6"}.` },
    );
  }
  return destinationsOf(destination).flatMap((part) => routeTo(part, via, plan));
}

function routeTo(destination: string, via: string, plan: NetworkPlan): SystemChange[] {
  const table = plan.rdomain === undefined ? [] : ["-T", `${plan.rdomain}`];
  const route = (command: string): string[] => {
    const family = destination.includes(":") ? "-inet6" : "-inet";
    return ["route", "-n", ...table, command, family, destination, via];
  };
  return [
    // Adding a route that is there fails: take away the one that a crash has left.
    { run: route("delete"), mayFail: true },
    { run: route("add"), undo: route("delete") },
  ];
}

/** A default route becomes two halves, which win over the host's own without replacing it. */
function destinationsOf(destination: string): string[] {
  if (destination === "default" || destination === "0.0.0.0/0") {
    return ["0.0.0.0/1", "128.0.0.0/1"];
  }
  return destination === "::/0" ? ["::/1", "8000::/1"] : [destination];
}

/** The gateway; without one any other host of the network, such as its first. */
function peerOf(address: Prefix, plan: NetworkPlan): string {
  const gateway = plan.gateways.find((text) => text.includes(":") !== isIpv4(address));
  if (gateway !== undefined) return gateway;
  const hostBits = address.bytes.length * 8 - address.length;
  const bytes = hostBits < 2 ? address.bytes.slice() : networkOf(address).bytes.slice();
  const last = bytes.length - 1;
  const own = address.bytes[last]!;
  if (hostBits > 1) bytes[last] = bytes[last]! | (own === (bytes[last]! | 1) ? 2 : 1);
  else bytes[last] = own ^ (hostBits === 0 && own === 1 ? 3 : 1);
  return formatAddress({ bytes });
}

function netmaskOf(length: number): string {
  return [0, 8, 16, 24].map((bit) => 256 - (1 << 8 - Math.min(8, Math.max(0, length - bit)))).join(
    ".",
  );
}

function forwardingChanges(addresses: readonly Prefix[], state: HostState): SystemChange[] {
  const on = (name: string, value: string | undefined): SystemChange => ({
    run: ["sysctl", "-q", `${name}=1`],
    undo: ["sysctl", "-q", `${name}=${value ?? "0"}`],
  });
  const { ipv4, ipv6 } = state.forwarding;
  return [
    ...(ipv4 !== "1" && addresses.some(isIpv4) ? [on("net.inet.ip.forwarding", ipv4)] : []),
    ...(ipv6 !== "1" && !addresses.every(isIpv4) ? [on("net.inet6.ip6.forwarding", ipv6)] : []),
  ];
}

/** A host that forwards nothing, or whose pf.conf(5) does not look into the anchor, has nothing to clamp. */
function filterChanges(
  plan: NetworkPlan,
  addresses: readonly Prefix[],
  state: HostState,
): SystemChange[] {
  const { ipv4, ipv6 } = state.forwarding;
  const clamps = plan.mssClamp && state.hasAnchor && (ipv4 === "1" || ipv6 === "1");
  if (!plan.nat && !clamps) return [];
  return [{
    run: ["pfctl", "-q", "-a", ANCHOR, "-f", "-"],
    input: anchorRules(plan, addresses),
    undo: ["pfctl", "-q", "-a", ANCHOR, "-F", "rules"],
    ...!plan.nat && { mayFail: true },
  }];
}

/** Rules that nobody evaluates would let packets out with addresses that nobody answers to. */
function refuseDeadNat(plan: NetworkPlan, state: HostState): void {
  const hint = `Write 'anchor "${ANCHOR}"' in /etc/pf.conf, then "pfctl -f /etc/pf.conf".`;
  const fail = (why: string, hint: string): never => {
    throw new AggvpnError(`Cannot translate addresses (tunnel.nat): ${why}`, { hint });
  };
  if (!state.pfEnabled) fail("pf is off, or cannot be asked", `Switch it on with "pfctl -e".`);
  if (!state.hasAnchor) fail(`pf.conf has no anchor "${ANCHOR}"`, hint);
  if (plan.rdomain !== undefined && plan.rdomain !== 0) {
    fail(
      `the tunnel is in rdomain ${plan.rdomain}, and the way out is not known there`,
      "Leave tunnel.nat out and write a rule with nat-to into /etc/pf.conf.",
    );
  }
}

function isIpv4({ bytes }: Prefix): boolean {
  return bytes.length === 4;
}
