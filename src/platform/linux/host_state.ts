/**
 * What commands of iproute2 and the kernel's switches tell about this host: ip-route(8),
 * ip-address(8), ip-rule(8), networking/ip-sysctl.rst.
 *
 * Each function takes the function that runs the command, so that a test can answer instead.
 *
 * @module
 */

import { type Family, parseAddress, parsePrefix, type Prefix } from "../../address.ts";
import type { ReadCommand } from "../command_output.ts";
import type { InterfaceAddress, KeptInterface } from "../platform.ts";
import { halvesOf } from "../routes.ts";

/** Which kernel switches are on; one that is on is left alone. */
export interface Forwarding {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** A route of the main table. */
export interface HostRoute {
  /** As ip-route(8) shows it. */
  readonly line: string;
  readonly destination: Prefix;
  /** Absent for a route that is no way, such as `unreachable`. */
  readonly interface?: string;
  /** Who set it, by name or number: `kernel`, `dhcp`, `ra`; `boot` when nobody said. */
  readonly protocol: string;
  /** The smallest wins. */
  readonly metric: number;
}

/** What {@linkcode readHostState} finds. */
export interface HostState {
  readonly forwarding: Forwarding;
  readonly routes: readonly HostRoute[];
  /** Preferences that policy rules of either family have. */
  readonly rulePreferences: ReadonlySet<number>;
  /**
   * Interfaces whose IPv6 default route the kernel takes from router advertisements, and drops once
   * this host forwards: accept_ra is 1.
   */
  readonly advertised: readonly string[];
}

/** Reads what the tunnel's changes depend on. */
export function readHostState(read: ReadCommand): HostState {
  const routes = readRoutes(read);
  return {
    forwarding: readForwarding(),
    routes,
    rulePreferences: new Set(
      [["ip", "rule"], ["ip", "-6", "rule"]].flatMap((command) =>
        [...outputOf(read, command).matchAll(/^(\d+):/gm)].map(([, number]) => Number(number))
      ),
    ),
    advertised: [...new Set(routes.filter(isAdvertised).map((route) => route.interface!))]
      .filter((name) => readText(`net/ipv6/conf/${name}/accept_ra`) === "1"),
  };
}

function isAdvertised(route: HostRoute): boolean {
  const { destination, interface: name, protocol } = route;
  return destination.isDefault && destination.family === 6 && protocol === "ra" &&
    name !== undefined;
}

/** Returns the routes of the main table. */
export function readRoutes(read: ReadCommand, table = "main"): HostRoute[] {
  return ([4, 6] as const).flatMap((family) =>
    outputOf(read, ["ip", `-${family}`, "route", "show", "table", table]).split("\n")
      .flatMap((line) => parseRoute(line, family) ?? [])
  );
}

/** Reads one line of `ip route`; returns undefined for anything else, as the next hop of several. */
export function parseRoute(line: string, family: Family): HostRoute | undefined {
  const words = line.trim().split(/\s+/);
  if (/^[a-z]+$/.test(words[0]!) && words[0] !== "default") words.shift();
  const [text = ""] = words;
  const destination = text === "default"
    ? parsePrefix(family === 4 ? "0.0.0.0/0" : "::/0")
    : parsePrefix(text) ?? parseAddress(text)?.toPrefix();
  if (destination?.family !== family || /^\s/.test(line)) return undefined;
  const after = (word: string): string | undefined => {
    const at = words.indexOf(word);
    return at < 0 ? undefined : words[at + 1];
  };
  const name = after("dev");
  return {
    line: line.trim(),
    destination,
    ...name !== undefined && { interface: name },
    protocol: after("proto") ?? "boot",
    metric: Number(after("metric") ?? 0),
  };
}

/** An address with the interface that has it. */
export interface HostAddress extends InterfaceAddress {
  readonly interface: string;
}

/** Returns the addresses of every interface, or of one. */
export function readAddresses(read: ReadCommand, name?: string): HostAddress[] {
  const of = name === undefined ? [] : ["dev", name];
  return outputOf(read, ["ip", "-o", "address", "show", ...of]).split("\n").flatMap((line) => {
    const [, dev = "", local = "", peer] =
      /^\d+:\s+(\S+)\s+inet6? (\S+)(?: peer (\S+))?/.exec(line) ?? [];
    // A peer has the length of the prefix.
    const length = (peer ?? local).split("/")[1] ?? (local.includes(":") ? "128" : "32");
    const address = parsePrefix(`${local.split("/")[0]}/${length}`);
    const other = parseAddress(peer?.split("/")[0] ?? "");
    if (!address) return [];
    return [{ interface: dev, address, isAnycast: false, ...other && { peer: other } }];
  });
}

/** Returns the interface `name` as it is, if it exists. */
export function readKept(read: ReadCommand, name: string | undefined): KeptInterface[] {
  if (name === undefined) return [];
  const output = outputOf(read, ["ip", "-o", "link", "show", "dev", name]);
  const [, flags, mtu] = /<([^>]*)> mtu (\d+)/.exec(output) ?? [];
  if (flags === undefined) return [];
  const isUp = flags.split(",").includes("UP");
  return [{ name, isUp, rdomain: 0, mtu: Number(mtu), addresses: readAddresses(read, name) }];
}

/** Commands whose output {@linkcode readUplinks} reads. */
export const UPLINK_COMMANDS: readonly (readonly string[])[] = ([4, 6] as const).map((family) => [
  "ip",
  `-${family}`,
  "route",
  "show",
  "table",
  "all",
]);
/** Returns the interfaces that default routes of any table lead to. */
export function readUplinks(read: ReadCommand): Set<string> {
  const names = new Set<string>();
  for (const command of UPLINK_COMMANDS) {
    // A route over several interfaces has a line for each, which is indented.
    for (const [route] of outputOf(read, command).matchAll(/^default\b.*(?:\n[ \t].*)*/gm)) {
      for (const [, name] of route.matchAll(/\bdev (\S+)/g)) names.add(name!);
    }
  }
  return names;
}

/** Returns the routes of the host for exactly what a tunnel would route, its own left out. */
export function routesInWay(
  destination: Prefix,
  device: string | undefined,
  routes: readonly HostRoute[],
): HostRoute[] {
  return halvesOf(destination).flatMap((part) =>
    routes.filter((route) => route.destination.equals(part) && route.interface !== device)
  );
}

/** Reads the kernel's switches: kernel documentation networking/ip-sysctl.rst. */
export function readForwarding(): Forwarding {
  const isOn = (name: string): boolean => !["", "0"].includes(readText(name));
  return { ipv4: isOn("net/ipv4/ip_forward"), ipv6: isOn("net/ipv6/conf/all/forwarding") };
}

function readText(name: string): string {
  try {
    return Deno.readTextFileSync(`/proc/sys/${name}`).trim();
  } catch {
    return "";
  }
}

function outputOf(read: ReadCommand, command: readonly string[]): string {
  const { success, output } = read(command);
  return success ? output : "";
}
