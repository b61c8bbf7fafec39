/**
 * Looks at this host before a tunnel is started: what is missing, and what to
 * do about it. Changes nothing.
 *
 * @module
 */

import type { Family } from "../../address.ts";
import type { ReadCommand } from "../command_output.ts";
import { inspectListen, type OpenSocket, tryToBind } from "../inspect_sockets.ts";
import { inspectOpenFiles } from "../open_files.ts";
import type { HostFinding, HostNeeds, SocketOptions } from "../platform.ts";
import {
  hasDefaultRoute,
  type HostState,
  readHostState,
  readMountOptions,
  readRoutingTables,
  type RoutingTable,
} from "./host_state.ts";
import type { Libc } from "./libc.ts";
import { inspectNetwork } from "./inspect_network.ts";
import { OPEN_FILES_HINT } from "./open_files.ts";
import { ANCHOR_HINT, ANCHORS } from "./pf.ts";
import { openSocket } from "./socket.ts";
import { isTunName, tunDevice } from "./tun.ts";

/** What a host is inspected with. */
export interface Inspector {
  readonly libc: Libc;
  readonly read: ReadCommand;
  readonly hasLibcrypto: boolean;
  /** What there is to say about how C functions are called. */
  readonly calls: readonly HostFinding[];
  /** The program that runs this one. */
  readonly executable: string;
  readonly exists: (path: string) => boolean;
}

/** Returns everything found, errors and warnings in the order of the needs. */
export function inspectHost(host: Inspector, needs: HostNeeds): HostFinding[] {
  const tables = readRoutingTables(host.read);
  const open: OpenSocket = (options) => openSocket(host.libc, options);
  const links = needs.links.map((link) => inspectLink(host, link, tables, open));
  return [
    ...inspectTun(host, needs.tunName),
    ...startFindings(host.libc, host.read, needs.openFiles),
    ...links.flat(),
    ...inspectNetwork(host.read, needs),
    ...inspectLeak(host.read, needs),
    ...needs.listen.flatMap((listen) => inspectListen(open, listen)),
    ...inspectFilter(needs, readHostState(host.read)),
    ...inspectExecutable(host),
    ...(host.hasLibcrypto ? [] : [LIBCRYPTO_MISSING]),
    ...host.calls,
  ];
}

/** Returns what there is to say about how this process was started. */
export function startFindings(libc: Libc, read: ReadCommand, openFiles: number): HostFinding[] {
  return [...inspectRoutingTable(libc), ...inspectOpenFiles(read, openFiles, OPEN_FILES_HINT)];
}

/** Reports a process that was started with `route -T N exec`: getrtable(2). */
function inspectRoutingTable(libc: Libc): HostFinding[] {
  const table = libc.symbols.getrtable();
  if (table === 0) return [];
  const message = `Started in rdomain ${table}: links without rdomain leave there, ` +
    "and the tunnel interface is made there";
  const hint =
    `Start it without "route -T ${table} exec", unless that is intended; only root can use other rdomains.`;
  return [{ severity: "warning", message, hint }];
}

const LIBCRYPTO_MISSING: HostFinding = {
  severity: "warning",
  message: "Cannot load libcrypto.so: encryption will be many times slower",
  hint: "Upgrade: the base system has the version that this program needs since OpenBSD 7.2.",
};

function inspectTun({ libc, exists }: Inspector, name: string | undefined): HostFinding[] {
  const findings: HostFinding[] = [];
  if (name !== undefined && !isTunName(name)) {
    const hint = "OpenBSD calls tunnel interfaces tun0, tun1, ...";
    const message = `tunnel.interface cannot be "${name}" here`;
    findings.push({ severity: "error", message, hint });
  } else if (!exists(tunDevice(name ?? "tun0"))) {
    const hint = `Make it: "cd /dev && sh MAKEDEV ${name ?? "tun0"}".`;
    const message = `No ${tunDevice(name ?? "tun0")} on this host`;
    findings.push({ severity: "error", message, hint });
  }
  if (libc.symbols.geteuid() !== 0) {
    const message = "No privilege to set up a network";
    findings.push({ severity: "error", message, hint: "Run as root, such as with doas(1)." });
  }
  return findings;
}

function inspectLink(
  { read }: Inspector,
  link: SocketOptions,
  tables: Map<number, RoutingTable>,
  open: OpenSocket,
): HostFinding[] {
  const who = `Link "${link.name}"`;
  const { rdomain, family } = link;
  if (rdomain === undefined) return tryToBind(open, link, who);
  const table = tables.get(rdomain);
  if (!table) {
    const message = `${who}: rdomain ${rdomain} does not exist`;
    const hint = `Put its interface there, such as "ifconfig em0 rdomain ${rdomain}".`;
    return [{ severity: "error", message, hint }];
  }
  const findings: HostFinding[] = [];
  if (!table.interfaces.some((name) => !/^lo\d+$/.test(name))) {
    const message = `${who}: no interface is in rdomain ${table.rdomain}`;
    const hint = `Put the uplink there, such as "ifconfig em0 rdomain ${table.rdomain}".`;
    findings.push({ severity: "error", message, hint });
  }
  if (!hasDefaultRoute(read, rdomain, family)) {
    const message = `${who}: no default route for IPv${family} in rdomain ${rdomain}`;
    const inet = family === 4 ? "-inet" : "-inet6";
    const hint =
      `Unless the server has its own: "route -n -T ${rdomain} add ${inet} default GATEWAY".`;
    findings.push({ severity: "warning", message, hint });
  }
  return [...findings, ...tryToBind(open, link, who)];
}

/** A host that reaches the internet by IPv6 does so first, whatever the tunnel does with IPv4. */
function inspectLeak(read: ReadCommand, { plan, leakGuard }: HostNeeds): HostFinding[] {
  if (leakGuard) return [];
  const isAll = (family: Family): boolean =>
    plan.routes.some(({ destination }) => destination.isDefault && destination.family === family);
  if (!isAll(4) || isAll(6) || !hasDefaultRoute(read, plan.rdomain ?? 0, 6)) return [];
  const message = "IPv6 goes around the tunnel: this host has a default route of it";
  const hint = 'With tunnel.address6 "default" means IPv6 too.';
  return [{ severity: "warning", message, hint }];
}

/** With NAT the program turns forwarding on itself, and cannot do without pf. */
function inspectFilter(needs: HostNeeds, state: HostState): HostFinding[] {
  const forwards = state.forwarding.ipv4 === "1" || state.forwarding.ipv6 === "1";
  const findings: HostFinding[] = [];
  if (needs.forwarding && !needs.nat && !forwards) {
    const message = "This host does not forward packets: other hosts cannot use the tunnel";
    const hint = `Set "sysctl net.inet.ip.forwarding=1", and keep it in /etc/sysctl.conf.`;
    findings.push({ severity: "warning", message, hint });
  }
  const isClamped = needs.mssClamp && forwards;
  if (!needs.nat && !needs.leakGuard && !isClamped) return findings;
  const severity = needs.nat || needs.leakGuard ? "error" : "warning";
  const purpose = needs.nat
    ? "translate addresses (tunnel.nat)"
    : needs.leakGuard
    ? "guard against leaks (tunnel.leak_guard)"
    : "clamp the MSS of TCP";
  if (!state.pfEnabled) {
    const message = `pf is off, or cannot be asked without root: nothing can ${purpose}`;
    findings.push({ severity, message, hint: `Switch it on with "pfctl -e".` });
  }
  if (!state.hasAnchor) {
    const message = `pf.conf has no anchor "${ANCHORS}" to ${purpose}`;
    findings.push({ severity, message, hint: ANCHOR_HINT });
  }
  return findings;
}

/** V8 writes code that it then executes: mount(8), wxallowed. */
function inspectExecutable({ read, executable }: Inspector): HostFinding[] {
  // A bare name is how the process was started, not where the program is.
  const options = executable.startsWith("/") ? readMountOptions(read, executable) : [];
  if (options.length === 0 || options.includes("wxallowed")) return [];
  return [{
    severity: "warning",
    message: `${executable} is on a file system without wxallowed`,
    hint: "Install deno below /usr/local, which has the option, or set it in /etc/fstab.",
  }];
}
