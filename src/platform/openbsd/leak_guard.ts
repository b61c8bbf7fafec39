/**
 * The anchor that lets nothing leave around a tunnel: pf.conf(5).
 *
 * Its rules are `quick`, so what they say holds whatever pf.conf says behind the anchor. What they do
 * not speak of is left to pf.conf, such as packets to this host's own networks.
 *
 * Rules are not asked about packets of connections that pf knows. With `set state-policy if-bound` a
 * connection is known on the interface where it began, so none that began in the tunnel goes on
 * around it.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { type AwaitCommand, readAhead, type ReadCommand } from "../command_output.ts";
import { localNetworks } from "../local_networks.ts";
import type { GuardPlan, KeptInterface, SystemChange } from "../platform.ts";
import { FILTER_COMMANDS, readFilter, readUplinks, uplinkCommands } from "./host_state.ts";
import { parseInterfaces } from "./ifconfig.ts";
import { ANCHOR_HINT, anchorCommands, ANCHORS } from "./pf.ts";

/** Shows every interface. */
const IFCONFIG: readonly string[] = ["ifconfig"];

/** What never leaves a link, besides what is this host itself. */
const ON_LINK: readonly string[] = [
  "self",
  "127.0.0.0/8",
  "224.0.0.0/24",
  "255.255.255.255",
  "fe80::/10",
  "ff02::/16",
];

/** DHCP and DHCPv6 (RFC 2131, RFC 8415), and what finds neighbours and routers (RFC 4861). */
const HOUSEKEEPING: readonly string[] = [
  "pass out quick inet proto udp from any port 68 to any port 67",
  "pass out quick inet6 proto udp from any port 546 to any port 547",
  "pass out quick inet6 proto icmp6 icmp6-type { routersol, routeradv, neighbrsol, neighbradv }",
];

/** DNS in the clear and over TLS: RFC 1035 section 4.2, RFC 7858 section 3.1. */
const NAMES = "pass out quick proto { tcp, udp } to any port { 53, 853 }";

/**
 * Returns the change that makes `plan` true on the host that `read` tells about. Throws AggvpnError
 * where pf would not ask the anchor.
 */
export function leakGuardChange(plan: GuardPlan, read: ReadCommand): SystemChange {
  refuseDeadGuard(read);
  const interfaces = readInterfaces(read);
  const addresses = interfaces.flatMap(({ name, addresses }) =>
    addresses.map(({ address }) => ({ interface: name, address }))
  );
  const uplinks = readUplinks(read, domainsOf(interfaces));
  const networks = localNetworks(addresses, uplinks, plan.interface);
  const anchor = anchorCommands(`guard-${plan.name}`);
  return {
    run: anchor.load,
    input: rulesOf(plan, [...new Set(networks.map(({ network }) => `${network}`))].sort()),
    undo: anchor.empty,
    look: { run: anchor.show, shows: /^block /m },
  };
}

/** Runs the commands whose output {@linkcode leakGuardChange} reads. */
export async function readGuarded(ask: AwaitCommand): Promise<ReadCommand> {
  const first = await readAhead(ask, [IFCONFIG, ...FILTER_COMMANDS]);
  const routes = await readAhead(ask, uplinkCommands(domainsOf(readInterfaces(first))));
  return (command) => {
    const answer = first(command);
    return answer.success ? answer : routes(command);
  };
}

/** Programs that {@linkcode readGuarded} and {@linkcode leakGuardChange} run. */
export const LEAK_GUARD_PROGRAMS: readonly string[] = [
  ...new Set([IFCONFIG, ...FILTER_COMMANDS, ...uplinkCommands([0])].map(([program]) => program!)),
];

function readInterfaces(read: ReadCommand): readonly KeptInterface[] {
  return parseInterfaces(read(IFCONFIG).output);
}

function domainsOf(interfaces: readonly KeptInterface[]): number[] {
  return [...new Set(interfaces.map(({ rdomain }) => rdomain))];
}

function rulesOf({ interface: name, remotes, asksNames }: GuardPlan, local: string[]): string {
  const own = new Set(
    remotes.map(({ address, port }) =>
      `pass out quick ${
        address.family === 6 ? "inet6" : "inet"
      } proto udp to ${address} port ${port}`
    ),
  );
  const on = name === undefined ? "" : `on ! ${name} `;
  return [
    `table <local> { ${[...ON_LINK, ...local].join(", ")} }`,
    ...HOUSEKEEPING,
    ...[...own].sort(),
    ...asksNames ? [NAMES] : [],
    `block return out quick ${on}from any to ! <local>`,
  ].map((rule) => `${rule}\n`).join("");
}

function refuseDeadGuard(read: ReadCommand): void {
  const { pfEnabled, hasAnchor } = readFilter(read);
  if (pfEnabled && hasAnchor) return;
  const why = pfEnabled ? `pf.conf has no anchor "${ANCHORS}"` : "pf is off, or cannot be asked";
  throw new AggvpnError(`Cannot guard against leaks (tunnel.leak_guard): ${why}`, {
    hint: pfEnabled ? ANCHOR_HINT : `Switch it on with "pfctl -e".`,
  });
}
