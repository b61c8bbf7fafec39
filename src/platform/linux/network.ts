/**
 * Addresses, routes, policy rules and packet filter of a tunnel, as commands of
 * iproute2 and nftables: ip-address(8), ip-route(8), ip-rule(8), nft(8).
 *
 * Nothing of the host is replaced: what another has set for the same destination is a reason not to
 * start or, with a larger metric, waits until the tunnel ends. What is made here has a protocol
 * number of its own, so that what a crash left is recognized and nothing else is removed.
 *
 * What belongs to the interface disappears with it and needs no undo, unless the interface stays
 * because `ip tuntap add` made it.
 *
 * @module
 */

import type { Family, Prefix } from "../../address.ts";
import { AggvpnError } from "../../errors.ts";
import type { NetworkPlan, SystemChange } from "../platform.ts";
import { translated } from "../nat.ts";
import { ofPart, routePart, rulesPart } from "../plan_parts.ts";
import { halvesOf } from "../routes.ts";
import { firewallChange } from "./firewall.ts";
import { type Forwarding, type HostRoute, type HostState, routesInWay } from "./host_state.ts";

/**
 * Preference of the first policy rule: before the main table (32766), after the local one (0). Each
 * rule takes the next one that is free.
 */
const FIRST_RULE_PREFERENCE = 7800;
/** The same of the rules behind those, one for each port of a link. */
const FIRST_GUARD_PREFERENCE = 8200;

/**
 * Says that a route or rule is ours: a number that neither linux/rtnetlink.h nor
 * /etc/iproute2/rt_protos gives to another program.
 */
export const PROTOCOL = "78";

/**
 * Metric of routes: wins over all that others set. 0 is the smallest in IPv4; in IPv6 it would mean
 * 1024, which is more than a network's own 256.
 */
const METRIC: Readonly<Record<Family, number>> = { 4: 0, 6: 1 };

/** Packets the interface queues while the program is busy; 500 is less than one burst of TCP. */
const TX_QUEUE_PACKETS = "1000";

/**
 * Returns the commands that make `plan` true on a host in `state`, in order. Throws AggvpnError when
 * that would replace a route of the host.
 */
export function networkChanges(plan: NetworkPlan, state: HostState): SystemChange[] {
  const { kept } = plan;
  const dev = ["dev", plan.interface];
  const setMtu = (mtu: number): string[] => ["ip", "link", "set", ...dev, "mtu", `${mtu}`];
  const down = kept?.isUp ? [] : ["down"];
  return [
    {
      run: [...setMtu(plan.mtu), "txqueuelen", TX_QUEUE_PACKETS],
      ...kept && { undo: [...setMtu(kept.mtu), ...down] },
      atMtu: (mtu) => ({ run: setMtu(mtu) }),
    },
    ...plan.addresses.flatMap((address) => addressChanges(address, plan)),
    {
      run: ["ip", "link", "set", ...dev, "up"],
      look: { run: ["ip", "-o", "link", "show", ...dev], shows: /[<,]UP[,>]/, isGate: true },
    },
    ...plan.routes.flatMap((route) =>
      ofPart(routePart(route), routeChanges(route, plan, state.routes))
    ),
    ...ruleChanges(plan, state),
    ...(plan.nat ? forwardingChanges(plan, state) : []),
    ...firewallChanges(plan, state.forwarding),
  ];
}

/**
 * A host that forwards nothing has nothing to clamp, and one without nftables still
 * has a tunnel: only address translation cannot be done without.
 */
function firewallChanges(plan: NetworkPlan, forwarding: Forwarding): SystemChange[] {
  if (translated(plan).length > 0) return [firewallChange(plan)];
  const clamps = plan.mssClamp && (forwarding.ipv4 || forwarding.ipv6);
  return clamps ? [{ ...firewallChange(plan), mayFail: true }] : [];
}

/** An interface that stays may have the address already; then it keeps it. */
function addressChanges(address: Prefix, { interface: name, kept }: NetworkPlan): SystemChange[] {
  if (kept?.addresses.some((there) => there.address.equals(address))) return [];
  const ip = ipOf(address.family);
  const dev = ["dev", name];
  // Nobody else is on this link: the address needs no second of duplicate detection.
  const nodad = address.family === 6 ? ["nodad"] : [];
  return [{
    run: [...ip, "address", "add", `${address}`, ...dev, ...nodad],
    ...kept && { undo: [...ip, "address", "del", `${address}`, ...dev] },
    look: { run: ["ip", "-o", "address", "show", ...dev], shows: wordPattern(` ${address}`) },
  }];
}

function routeChanges(
  { destination, gateway }: NetworkPlan["routes"][number],
  plan: NetworkPlan,
  routes: readonly HostRoute[],
): SystemChange[] {
  // The kernel routes the network of an address.
  const isOwn = (part: Prefix): boolean =>
    plan.addresses.some((address) => address.toNetwork().equals(part));
  const parts = halvesOf(destination).filter((part) => !isOwn(part));
  return parts.flatMap((part) => {
    refuseTaken(part, plan, routes);
    return routeTo(part, gateway, plan.interface, routes);
  });
}

/** Two routes for one destination cannot have the same metric, and a network's own must stay. */
function refuseTaken(part: Prefix, plan: NetworkPlan, routes: readonly HostRoute[]): void {
  const taken = routesInWay(part, plan.interface, routes).find(isFirst);
  if (!taken) return;
  throw new AggvpnError(
    `Cannot route ${part} into the tunnel: this host has "${taken.line}"`,
    { hint: "Leave it out of the routes of the configuration, or remove that route." },
  );
}

/** Tells whether a route of the host would have to be removed for one of the tunnel's. */
export function isFirst({ destination, metric, protocol }: HostRoute): boolean {
  return metric <= METRIC[destination.family] || protocol === "kernel";
}

function routeTo(
  destination: Prefix,
  gateway: NetworkPlan["routes"][number]["gateway"],
  name: string,
  routes: readonly HostRoute[],
): SystemChange[] {
  const { family } = destination;
  const ip = ipOf(family);
  // A tunnel has no neighbours to look for, so any gateway is reachable through it.
  const via = gateway === undefined ? [] : ["via", `${gateway}`];
  const onlink = gateway === undefined ? [] : ["onlink"];
  const ours = ["proto", PROTOCOL, "metric", `${METRIC[family]}`];
  const there = routes.find((route) =>
    route.interface === name && route.destination.equals(destination)
  );
  const remove = [...ip, "route", "del", `${destination}`, "dev", name, "proto", PROTOCOL];
  // Of an interface that stays: what others have set there does it as well.
  if (there && there.protocol !== PROTOCOL) return [];
  const text = destination.isSingle ? destination.toAddress() : destination;
  return [
    ...there ? [{ run: remove, mayFail: true }] : [],
    {
      run: [...ip, "route", "add", `${destination}`, ...via, "dev", name, ...onlink, ...ours],
      undo: remove,
      look: {
        run: [...ip, "route", "show", "dev", name, "proto", PROTOCOL],
        shows: wordPattern(`${text}`),
      },
    },
  ];
}

/** One rule for each link with a table, by what distinguishes its traffic best. */
function ruleChanges({ links }: NetworkPlan, { rulePreferences }: HostState): SystemChange[] {
  let preference = FIRST_RULE_PREFERENCE - 1;
  let guard = FIRST_GUARD_PREFERENCE - 1;
  const nextGuard = (): number => {
    do guard++; while (rulePreferences.has(guard));
    return guard;
  };
  return links.flatMap((link) => {
    const selector = link.mark !== undefined
      ? ["fwmark", `${link.mark}`]
      : link.address !== undefined
      ? ["from", `${link.address}`]
      : link.interface !== undefined
      ? ["oif", link.interface]
      : undefined;
    do preference++; while (rulePreferences.has(preference));
    if (!selector || link.table === undefined) return [];
    const ip = ipOf(link.address?.family ?? link.family ?? 4);
    return ofPart(rulesPart(link), [
      addRule(ip, [...selector, "lookup", `${link.table}`], preference),
      ...link.interface === undefined ? guardChanges(link, nextGuard, ip, selector) : [],
    ]);
  });
}

/**
 * Where the table has no route, a later rule would find one in the main table, and the link's
 * datagrams would leave by another line. No others are meant: whoever else uses the address may
 * need the main table. A socket that is bound to an interface needs no such rule, and an ip(8)
 * without ports (Linux 4.17, not busybox) has none.
 */
function guardChanges(
  { remotePorts = [] }: NetworkPlan["links"][number],
  nextPreference: () => number,
  ip: readonly string[],
  selector: readonly string[],
): SystemChange[] {
  return remotePorts.map((port) => {
    const datagrams = ["ipproto", "udp", "dport", `${port}`];
    const change = addRule(ip, [...selector, ...datagrams, "unreachable"], nextPreference());
    return { ...change, mayFail: true };
  });
}

/** Makes a rule of ours; `words` is a part of how it is shown that no other has. */
export function addRule(
  ip: readonly string[],
  what: readonly string[],
  preference: number,
  words = "",
): SystemChange {
  const rule = [...what, "pref", `${preference}`, "protocol", PROTOCOL];
  return {
    run: [...ip, "rule", "add", ...rule],
    undo: [...ip, "rule", "del", ...rule],
    look: { run: [...ip, "rule", "show"], shows: wordPattern(`${preference}:${words}`) },
  };
}

/** A host that forwards takes no default route of a router, unless accept_ra is 2. */
function forwardingChanges({ addresses }: NetworkPlan, state: HostState): SystemChange[] {
  const set = (name: string, value: string, before: string): SystemChange => ({
    run: ["sysctl", "-q", "-w", `${name}=${value}`],
    undo: ["sysctl", "-q", "-w", `${name}=${before}`],
    look: { run: ["sysctl", "-n", name], shows: new RegExp(`^${value}$`, "m") },
  });
  // Where it is on, another tunnel may turn it off when that ends.
  const on = (name: string, isDone: boolean): SystemChange => ({ ...set(name, "1", "0"), isDone });
  const { ipv4, ipv6 } = state.forwarding;
  const has = (family: Family): boolean => addresses.some((address) => address.family === family);
  const advertised = ipv6 ? [] : state.advertised;
  return [
    ...(has(4) ? [on("net.ipv4.ip_forward", ipv4)] : []),
    ...(has(6)
      ? [
        ...advertised.map((name) => set(`net/ipv6/conf/${name}/accept_ra`, "2", "1")),
        on("net.ipv6.conf.all.forwarding", ipv6),
      ]
      : []),
  ];
}

/** Returns what finds a line that begins with `text`, or ` text` within one. */
function wordPattern(text: string): RegExp {
  return new RegExp(`${text.startsWith(" ") ? "" : "^"}${RegExp.escape(text)}\\s`, "m");
}

/** The command of a family. */
export function ipOf(family: Family): string[] {
  return family === 6 ? ["ip", "-6"] : ["ip"];
}
