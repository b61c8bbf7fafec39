/**
 * Addresses, routes, policy rules and packet filter of a tunnel, as commands of
 * iproute2 and nftables: ip-address(8), ip-route(8), ip-rule(8), nft(8).
 *
 * What belongs to the interface disappears with it and needs no undo, unless the interface stays
 * because `ip tuntap add` made it.
 *
 * @module
 */

import type { Family, Prefix } from "../../address.ts";
import { halvesOf } from "../routes.ts";
import type { NetworkPlan, SystemChange } from "../platform.ts";
import { firewallChange } from "./firewall.ts";

/**
 * Preference of the first policy rule: before the main table (32766), after the local one (0), and
 * a number of our own so that a rule left by a crash can be recognized.
 */
const FIRST_RULE_PREFERENCE = 7800;
/** The same of the rules behind those, one for each link at most: there are at most 256. */
const FIRST_GUARD_PREFERENCE = 8200;

/** Packets the interface queues while the program is busy; 500 is less than one burst of TCP. */
const TX_QUEUE_PACKETS = "1000";

/** Which kernel switches are on; one that is on is left alone. */
export interface Forwarding {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** Returns the commands that make `plan` true on a host with `forwarding`, in order. */
export function networkChanges(plan: NetworkPlan, forwarding: Forwarding): SystemChange[] {
  const dev = ["dev", plan.interface];
  const setMtu = (mtu: number): string[] => ["ip", "link", "set", ...dev, "mtu", `${mtu}`];
  return [
    {
      run: [...setMtu(plan.mtu), "txqueuelen", TX_QUEUE_PACKETS],
      atMtu: (mtu) => ({ run: setMtu(mtu) }),
    },
    ...plan.addresses.map((address) => addressChange(address, dev)),
    { run: ["ip", "link", "set", ...dev, "up"] },
    ...plan.routes.flatMap((route) => routeChanges(route, dev)),
    ...plan.links.flatMap(ruleChanges),
    ...(plan.nat ? forwardingChanges(plan, forwarding) : []),
    ...firewallChanges(plan, forwarding),
  ];
}

/**
 * A host that forwards nothing has nothing to clamp, and one without nftables still
 * has a tunnel: only address translation cannot be done without.
 */
function firewallChanges(plan: NetworkPlan, forwarding: Forwarding): SystemChange[] {
  if (plan.nat) return [firewallChange(plan)];
  const clamps = plan.mssClamp && (forwarding.ipv4 || forwarding.ipv6);
  return clamps ? [{ ...firewallChange(plan), mayFail: true }] : [];
}

/** Reads the kernel's switches: kernel documentation networking/ip-sysctl.rst. */
export function readForwarding(): Forwarding {
  return { ipv4: readSwitch(IPV4_FORWARDING), ipv6: readSwitch(IPV6_FORWARDING) };
}

const IPV4_FORWARDING = "net.ipv4.ip_forward";
const IPV6_FORWARDING = "net.ipv6.conf.all.forwarding";

function readSwitch(name: string): boolean {
  try {
    return Deno.readTextFileSync(`/proc/sys/${name.replaceAll(".", "/")}`).trim() !== "0";
  } catch {
    return false;
  }
}

/** `replace`, because an interface that stays has the address from the last run. */
function addressChange(address: Prefix, dev: readonly string[]): SystemChange {
  if (address.family === 4) return { run: ["ip", "address", "replace", `${address}`, ...dev] };
  // Nobody else is on this link: the address needs no second of duplicate detection.
  return { run: ["ip", "-6", "address", "replace", `${address}`, ...dev, "nodad"] };
}

function routeChanges(
  route: NetworkPlan["routes"][number],
  dev: readonly string[],
): SystemChange[] {
  const ip = ipOf(route.destination.family);
  // A tunnel has no neighbours to look for, so any gateway is reachable through it.
  const via = route.gateway === undefined ? [] : ["via", `${route.gateway}`];
  const onlink = route.gateway === undefined ? [] : ["onlink"];
  return halvesOf(route.destination).map((destination) => ({
    run: [...ip, "route", "replace", `${destination}`, ...via, ...dev, ...onlink],
    undo: [...ip, "route", "del", `${destination}`, ...via, ...dev],
  }));
}

/** One rule for each link with a table, by what distinguishes its traffic best. */
function ruleChanges(link: NetworkPlan["links"][number], index: number): SystemChange[] {
  if (link.table === undefined) return [];
  const selector = link.mark !== undefined
    ? ["fwmark", `${link.mark}`]
    : link.address !== undefined
    ? ["from", `${link.address}`]
    : link.interface !== undefined
    ? ["oif", link.interface]
    : undefined;
  if (!selector) return [];
  const ip = ipOf(link.address?.family ?? link.family ?? 4);
  const preference = `${FIRST_RULE_PREFERENCE + index}`;
  return [
    ...addRule(ip, [...selector, "lookup", `${link.table}`, "pref", preference]),
    ...link.interface === undefined ? guardChanges(link, index, ip, selector) : [],
  ];
}

/**
 * Where the table has no route, a later rule would find one in the main table, and the link's
 * datagrams would leave by another line. No others are meant: whoever else uses the address may
 * need the main table. A socket that is bound to an interface needs no such rule, and an ip(8)
 * without ports (Linux 4.17, not busybox) has none.
 */
function guardChanges(
  { remotePort }: NetworkPlan["links"][number],
  index: number,
  ip: readonly string[],
  selector: readonly string[],
): SystemChange[] {
  if (remotePort === undefined) return [];
  const datagrams = ["ipproto", "udp", "dport", `${remotePort}`];
  const preference = `${FIRST_GUARD_PREFERENCE + index}`;
  const rule = [...selector, ...datagrams, "unreachable", "pref", preference];
  return addRule(ip, rule).map((change) => ({ ...change, mayFail: true }));
}

/** Adding a rule that exists fails: delete one that a crash left behind. */
function addRule(ip: readonly string[], rule: readonly string[]): SystemChange[] {
  const remove = [...ip, "rule", "del", ...rule];
  return [
    { run: remove, mayFail: true },
    { run: [...ip, "rule", "add", ...rule], undo: remove },
  ];
}

function forwardingChanges(plan: NetworkPlan, forwarding: Forwarding): SystemChange[] {
  const on = (name: string): SystemChange => ({
    run: ["sysctl", "-q", "-w", `${name}=1`],
    undo: ["sysctl", "-q", "-w", `${name}=0`],
  });
  return [
    ...(!forwarding.ipv4 && plan.addresses.some(({ family }) => family === 4)
      ? [on(IPV4_FORWARDING)]
      : []),
    ...(!forwarding.ipv6 && plan.addresses.some(({ family }) => family === 6)
      ? [on(IPV6_FORWARDING)]
      : []),
  ];
}

/** The command of a family. */
function ipOf(family: Family): string[] {
  return family === 6 ? ["ip", "-6"] : ["ip"];
}
