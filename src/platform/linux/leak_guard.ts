/**
 * The nftables table that lets nothing leave around a tunnel: nft(8).
 *
 * Its chains come after those of the host, and see what is forwarded as well. What a packet socket
 * sends, as DHCP clients do, passes no chain of IP.
 *
 * @module
 */

import type { Address, Family } from "../../address.ts";
import type { ReadCommand } from "../command_output.ts";
import { type LocalNetwork, localNetworks } from "../local_networks.ts";
import type { GuardPlan, SystemChange } from "../platform.ts";
import { readAddresses, readUplinks, UPLINK_COMMANDS } from "./host_state.ts";

/** Behind the usual chains (priority 0): what they have translated or dropped is no news. */
const PRIORITY = 10;

/** What does without a name server or a tunnel: RFC 4861, RFC 3810; RFC 2131, RFC 8415. */
const HOUSEKEEPING: readonly string[] = [
  "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, " +
  "nd-redirect, mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report " +
  "} accept",
  "udp sport 68 udp dport 67 accept",
  "udp sport 546 udp dport 547 accept",
  // These never leave the link.
  "ip daddr { 224.0.0.0/24, 255.255.255.255 } accept",
  "ip6 daddr { fe80::/10, ff02::/16 } accept",
];

/** DNS in the clear and over TLS: RFC 1035 section 4.2, RFC 7858 section 3.1. */
const NAME_PORTS = "{ 53, 853 }";

/** Commands whose output {@linkcode leakGuardChange} reads. */
export const LEAK_GUARD_READS: readonly (readonly string[])[] = [
  ["ip", "-o", "address", "show"],
  ...UPLINK_COMMANDS,
];

/** Returns the change that makes `plan` true on the host that `read` tells about. */
export function leakGuardChange(plan: GuardPlan, read: ReadCommand): SystemChange {
  const uplinks = new Set([...plan.uplinks, ...readUplinks(read)]);
  const networks = localNetworks(readAddresses(read), uplinks, plan.interface);
  const table = `inet aggvpn_guard_${plan.name}`;
  // Nothing leaves between the old table and the new one.
  const script = `add table ${table}; delete table ${table}; table ${table} { ${
    [aroundChain(plan, networks), outputChain(plan), forwardChain(plan)].join(" ")
  } }`;
  return {
    run: ["nft", script],
    undo: ["nft", `delete table ${table}`],
    look: { run: ["nft", "list", "tables", "inet"], shows: new RegExp(`^table ${table}$`, "m") },
  };
}

function aroundChain({ interface: name }: GuardPlan, networks: readonly LocalNetwork[]): string {
  const inside = name === undefined ? [] : [`"${name}"`];
  const rules = [
    `oifname { ${["lo", ...inside].join(", ")} } accept`,
    ...HOUSEKEEPING,
    ...networks.map(({ interface: of, network }) =>
      `oifname "${of}" ${ipOf(network.family)} daddr ${network} accept`
    ),
    "counter reject with icmpx type admin-prohibited",
  ];
  return `chain around { ${statements(rules)} };`;
}

function outputChain({ remotes, asksNames }: GuardPlan): string {
  const rules = [
    ...([4, 6] as const).flatMap((family) => remotesRule(remotes, family)),
    ...asksNames ? [`udp dport ${NAME_PORTS} accept`, `tcp dport ${NAME_PORTS} accept`] : [],
    "jump around",
  ];
  return `chain output { type filter hook output priority ${PRIORITY}; ${statements(rules)} };`;
}

/** The tunnel's own datagrams are this host's. */
function remotesRule(remotes: GuardPlan["remotes"], family: Family): string[] {
  const own = remotes.filter(({ address }) => address.family === family);
  const texts = new Set(own.map(({ address, port }) => `${withoutZone(address)} . ${port}`));
  if (texts.size === 0) return [];
  return [`${ipOf(family)} daddr . udp dport { ${[...texts].sort().join(", ")} } accept`];
}

/** What comes out of the tunnel may go on. */
function forwardChain({ interface: name }: GuardPlan): string {
  const rules = [...name === undefined ? [] : [`iifname "${name}" accept`], "jump around"];
  return `chain forward { type filter hook forward priority ${PRIORITY}; ${statements(rules)} };`;
}

function statements(rules: readonly string[]): string {
  return rules.map((rule) => `${rule};`).join(" ");
}

function withoutZone(address: Address): string {
  return `${address}`.split("%")[0]!;
}

function ipOf(family: Family): string {
  return family === 6 ? "ip6" : "ip";
}
