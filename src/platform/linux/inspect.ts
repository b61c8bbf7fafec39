/**
 * Looks at this host before a tunnel is started: what is missing, and what to
 * do about it. Changes nothing.
 *
 * @module
 */

import { AggvpnError } from "../../errors.ts";
import { isPattern } from "../../pattern.ts";
import { readCommand } from "../command_output.ts";
import { inspectListen, type OpenSocket, tryToBind } from "../inspect_sockets.ts";
import type { HostFinding, HostNeeds, LinkNeeds, SocketOptions } from "../platform.ts";
import { findProgram } from "../run_changes.ts";
import { CAP_NET_ADMIN } from "./constants.ts";
import { dnsChanges, readDnsHost } from "./dns.ts";
import {
  interfaceHint,
  interfaceIndex,
  type InterfaceState,
  interfaceState,
} from "./interfaces.ts";
import { inspectNetwork } from "./inspect_network.ts";
import type { Libc } from "./libc.ts";
import { readForwarding } from "./host_state.ts";
import { openSocket } from "./socket.ts";
import { TUN_DEVICE } from "./tun.ts";

/** Returns everything found, errors and warnings in the order of the needs. */
export function inspectHost(libc: Libc, needs: HostNeeds, hasLibcrypto: boolean): HostFinding[] {
  // What is said of an interface that is missing or down is enough.
  const isThere = ({ interface: name, address }: SocketOptions): boolean =>
    name === undefined ? address !== undefined : interfaceState(libc, name) === "up";
  const open: OpenSocket = (options) => openSocket(libc, options);
  return [
    ...inspectTun(libc, needs.tunName),
    ...inspectPrograms(needs),
    ...needs.links.flatMap((link) => inspectLink(libc, link, open)),
    ...inspectNetwork(readCommand, { ...needs, links: needs.links.filter(isThere) }),
    ...needs.listen.flatMap((listen) => inspectListen(open, listen)),
    ...inspectForwarding(needs),
    ...inspectDns(needs),
    ...(hasLibcrypto ? [] : [LIBCRYPTO_MISSING]),
  ];
}

const LIBCRYPTO_MISSING: HostFinding = {
  severity: "warning",
  message: "Cannot load libcrypto.so.3: encryption will be many times slower",
  hint: `Install OpenSSL 3, such as "apt install libssl3".`,
};

/** Tells whether a capability is in effect: CapEff of proc_pid_status(5). */
export function hasCapability(status: string, capability: number): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return mask !== undefined && (BigInt(`0x${mask}`) >> BigInt(capability) & 1n) === 1n;
}

function inspectTun(libc: Libc, name: string | undefined): HostFinding[] {
  const findings: HostFinding[] = [];
  if (!exists(TUN_DEVICE)) {
    const hint = `Load the driver with "modprobe tun"; a container must be given the device.`;
    findings.push({ severity: "error", message: `No ${TUN_DEVICE} on this host`, hint });
  }
  if (!hasCapability(readText("/proc/self/status"), CAP_NET_ADMIN)) {
    const hint = "Run as root, or grant CAP_NET_ADMIN.";
    findings.push({ severity: "error", message: "No privilege to set up a network", hint });
  }
  // One that "ip tuntap add" made is taken over, so it need not be in the way.
  if (name !== undefined && interfaceIndex(libc, name) > 0) {
    const hint = "If that is not a running aggvpn, set another tunnel.interface.";
    findings.push({ severity: "warning", message: `Interface "${name}" exists already`, hint });
  }
  return findings;
}

function inspectPrograms(needs: HostNeeds): HostFinding[] {
  const findings: HostFinding[] = [];
  const require = (program: string, purpose: string, debian: string): void => {
    if (findProgram(program) !== undefined) return;
    const hint = `Install it, such as "apt install ${debian}".`;
    findings.push({ severity: "error", message: `No "${program}" to ${purpose}`, hint });
  };
  require("ip", "set addresses and routes", "iproute2");
  if (needs.leakGuard) require("nft", "guard against leaks (tunnel.leak_guard)", "nftables");
  if (needs.nat) {
    require("nft", "translate addresses (tunnel.nat)", "nftables");
    if (!readForwarding().ipv4) require("sysctl", "switch on forwarding", "procps");
  }
  return findings;
}

const INTERFACE_PROBLEMS: Readonly<Record<InterfaceState, string | undefined>> = {
  missing: "does not exist",
  down: "is down",
  "no-carrier": "has no carrier",
  up: undefined,
};

function inspectLink(libc: Libc, link: LinkNeeds, open: OpenSocket): HostFinding[] {
  if (link.interface === undefined) return tryToBind(open, link, `Link "${link.name}"`);
  if (isPattern(link.interface)) {
    const message = `Link "${link.name}": no interface is a "${link.interface}"`;
    return [{ severity: "warning", message, hint: interfaceHint(link.interface) }];
  }
  const state = interfaceState(libc, link.interface);
  const problem = INTERFACE_PROBLEMS[state];
  if (problem !== undefined) {
    const hint = state === "missing"
      ? interfaceHint(link.interface)
      : `The tunnel starts without it; "ip link set ${link.interface} up" brings it up.`;
    const severity = state === "missing" ? "error" : "warning";
    const message = `Link "${link.name}": interface "${link.interface}" ${problem}`;
    return [{ severity, message, hint }];
  }
  return [
    ...tryToBind(open, link, `Link "${link.name}"`),
    ...link.isRouted ? [] : inspectReversePath(link.name, link.interface),
  ];
}

/** Strict reverse-path filtering (ip-sysctl.rst, rp_filter 1) drops what a second uplink receives. */
export function inspectReversePath(link: string, name: string): HostFinding[] {
  const filter = (which: string): number =>
    Number(readText(`/proc/sys/net/ipv4/conf/${which}/rp_filter`));
  if (Math.max(filter("all"), filter(name)) !== 1) return [];
  return [{
    severity: "warning",
    message: `Link "${link}": strict reverse-path filter on "${name}" may drop its datagrams`,
    hint: `Set "sysctl -w net.ipv4.conf.${name}.rp_filter=2".`,
  }];
}

/** With NAT the program turns forwarding on itself. */
function inspectForwarding(needs: HostNeeds): HostFinding[] {
  if (!needs.forwarding || needs.nat || readForwarding().ipv4) return [];
  return [{
    severity: "warning",
    message: "This host does not forward packets: other hosts cannot use the tunnel",
    hint: `Set "sysctl -w net.ipv4.ip_forward=1".`,
  }];
}

/** What keeps the name servers of this host has to let the tunnel have its own. */
function inspectDns({ plan }: HostNeeds): HostFinding[] {
  const { dns = [], interface: device } = plan;
  try {
    dnsChanges({ dns, interface: device, routes: [] }, readDnsHost(device));
    return [];
  } catch (error) {
    if (!(error instanceof AggvpnError)) throw error;
    return [{ severity: "error", message: error.message, ...error.hint && { hint: error.hint } }];
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    // When it may not be looked at, it at least exists.
    return !(error instanceof Deno.errors.NotFound);
  }
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
