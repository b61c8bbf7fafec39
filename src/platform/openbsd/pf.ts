/**
 * The rules of the tunnel's anchor: address translation and the MSS clamp, pf.conf(5).
 *
 * Each tunnel has anchors of its own below `aggvpn`. One command loads one as a whole and another
 * empties it, so it never mixes with rules of the host or of another tunnel; `anchor "aggvpn/*"` in
 * pf.conf is where the host has all of them evaluated.
 *
 * @module
 */

import type { Prefix } from "../../address.ts";
import { translated } from "../nat.ts";
import type { NetworkPlan } from "../platform.ts";

const ANCHOR = "aggvpn";
/** How pf.conf names the anchors: all that are directly below. */
export const ANCHORS: string = `${ANCHOR}/*`;
/** What a user is to do about pf.conf. */
export const ANCHOR_HINT: string =
  `Write 'anchor "${ANCHORS}"' in /etc/pf.conf, then "pfctl -f /etc/pf.conf".`;

/** Returns the commands that load, empty and show the anchor `name`. */
export function anchorCommands(
  name: string,
): { load: readonly string[]; empty: readonly string[]; show: readonly string[] } {
  const anchor = `${ANCHOR}/${name}`;
  return {
    load: ["pfctl", "-q", "-a", anchor, "-f", "-"],
    empty: ["pfctl", "-q", "-a", anchor, "-F", "rules"],
    show: ["pfctl", "-q", "-a", anchor, "-s", "rules"],
  };
}

/** Bytes of an IPv4 and a TCP header without options: RFC 9293 section 3.7.1. */
const IPV4_TCP_HEADER_BYTES = 40;
/** Bytes of an IPv6 and a TCP header without options. */
const IPV6_TCP_HEADER_BYTES = 60;

/** Returns the rules for `plan`, a line each. */
export function anchorRules(plan: NetworkPlan): string {
  const rules = [
    ...translated(plan).map(natRule),
    ...(plan.mssClamp ? clampRules(plan) : []),
  ];
  return rules.map((rule) => `${rule}\n`).join("");
}

/**
 * `egress` is the group of interfaces that default routes of rdomain 0 point to, `:0` its first
 * address, and the parentheses mean the one it has when a packet comes.
 */
function natRule(address: Prefix): string {
  const family = address.family === 4 ? "inet" : "inet6";
  return `match out on egress ${family} from ${address.toNetwork()} to any nat-to (egress:0)`;
}

/** SYNs of both directions pass the interface, so both ends learn the MSS. */
function clampRules({ interface: name, mtu }: NetworkPlan): string[] {
  const rule = (family: string, mss: number): string =>
    `match on ${name} ${family} proto tcp all scrub (max-mss ${mss})`;
  return [rule("inet", mtu - IPV4_TCP_HEADER_BYTES), rule("inet6", mtu - IPV6_TCP_HEADER_BYTES)];
}
