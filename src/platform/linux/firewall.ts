/**
 * The nftables table of one tunnel: masquerading and the MSS clamp, nft(8).
 *
 * One command replaces the table as a whole and another deletes it, so it
 * never mixes with rules of the host. nft wants a semicolon after every brace that closes.
 *
 * @module
 */

import type { NetworkPlan, SystemChange } from "../platform.ts";
import { translated } from "../nat.ts";

/** Bytes of an IPv4 and a TCP header without options: RFC 9293 section 3.7.1. */
const IPV4_TCP_HEADER_BYTES = 40;
/** Bytes of an IPv6 and a TCP header without options. */
const IPV6_TCP_HEADER_BYTES = 60;

/** Returns the change that installs the table of `plan`. */
export function firewallChange(plan: NetworkPlan): SystemChange {
  const table = `inet ${tableName(plan.interface)}`;
  const chains = [
    ...(translated(plan).length > 0 ? [natChain(plan)] : []),
    ...(plan.mssClamp ? [mssChain(plan)] : []),
  ];
  // Adding before deleting lets the deletion succeed whether or not a table was left over.
  const script = `add table ${table}; delete table ${table}; table ${table} { ${
    chains.join(" ")
  } }`;
  return {
    run: ["nft", script],
    undo: ["nft", `delete table ${table}`],
    look: { run: ["nft", `list table ${table}`], shows: /^table /m },
  };
}

/** nft identifiers have letters, digits, `_`, `/`, `\` and `.`. */
function tableName(name: string): string {
  return `aggvpn_${name.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
}

function natChain(plan: NetworkPlan): string {
  const rules = translated(plan).map((address) => {
    const ip = address.family === 6 ? "ip6" : "ip";
    return `${ip} saddr ${address} oifname != "${plan.interface}" masquerade;`;
  });
  return `chain postrouting { type nat hook postrouting priority srcnat; ${rules.join(" ")} };`;
}

/**
 * `rt mtu` is the smaller MTU of two routes, to the destination and back to the source
 * (get_tcpmss() of net/netfilter/nft_rt.c), of which one leads into the tunnel: so it follows
 * the tunnel's MTU as that changes. The way back is looked up without marks and without the
 * interface, so rules of the host may hide that it leads into the tunnel; for what comes out of it
 * the MTU at the start, which is the largest, is a limit besides. nft never raises an MSS.
 */
function mssChain(plan: NetworkPlan): string {
  const syn = "tcp flags syn";
  const set = "tcp option maxseg size set";
  const rules = [
    `oifname "${plan.interface}" ${syn} ${set} rt mtu;`,
    `iifname "${plan.interface}" ${syn} ${set} rt mtu;`,
    `iifname "${plan.interface}" meta nfproto ipv4 ${syn} ${set} ${
      plan.mtu - IPV4_TCP_HEADER_BYTES
    };`,
    `iifname "${plan.interface}" meta nfproto ipv6 ${syn} ${set} ${
      plan.mtu - IPV6_TCP_HEADER_BYTES
    };`,
  ];
  return `chain forward { type filter hook forward priority mangle; ${rules.join(" ")} };`;
}
