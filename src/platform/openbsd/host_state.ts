/**
 * What commands of the base system tell about this host: sysctl(8), pfctl(8), netstat(1), route(8),
 * mount(8).
 *
 * Each function takes the function that runs the command, so that a test can answer instead.
 *
 * @module
 */

import {
  type Address,
  type Family,
  parseAddress,
  parsePrefix,
  type Prefix,
} from "../../address.ts";
import type { ReadCommand } from "../command_output.ts";
import type { ResolvConf } from "../resolv_conf.ts";
import { parseInterfaces } from "./ifconfig.ts";
import { ANCHORS } from "./pf.ts";

/** What {@linkcode readHostState} finds. */
export interface HostState {
  /** Kernel switches as sysctl(8) prints them, such as `1`; undefined when it cannot be asked. */
  readonly forwarding: { readonly ipv4: string | undefined; readonly ipv6: string | undefined };
  readonly pfEnabled: boolean;
  /** Whether the loaded pf.conf has `anchor "aggvpn/*"`. */
  readonly hasAnchor: boolean;
  /** Routes of the tunnel's domain where they matter: on an interface that stays. */
  readonly routes?: readonly HostRoute[];
  /** /etc/resolv.conf, where the tunnel has name servers and resolvd(8) does not run. */
  readonly resolvConf?: ResolvConf;
}

/** A route with a gateway. */
export interface HostRoute {
  readonly destination: Prefix;
  readonly gateway: Address;
  /** As route(8) shows it, without what it counts. */
  readonly line: string;
  readonly interface: string;
}

/** Reads what matters for address translation and forwarding. */
export function readHostState(read: ReadCommand): HostState {
  return {
    forwarding: {
      ipv4: readSwitch(read, "net.inet.ip.forwarding"),
      ipv6: readSwitch(read, "net.inet6.ip6.forwarding"),
    },
    ...readFilter(read),
  };
}

const [PF_INFO, PF_RULES] = [["pfctl", "-s", "info"], ["pfctl", "-s", "rules"]];
/** Commands whose output {@linkcode readFilter} reads. */
export const FILTER_COMMANDS: readonly (readonly string[])[] = [PF_INFO, PF_RULES];

/** Reads whether pf(4) would ask an anchor of a tunnel. */
export function readFilter(read: ReadCommand): Pick<HostState, "pfEnabled" | "hasAnchor"> {
  return {
    pfEnabled: /^Status: Enabled\b/m.test(outputOf(read, PF_INFO)),
    hasAnchor: hasAnchor(outputOf(read, PF_RULES)),
  };
}

/** Tells whether resolvd(8) runs: `pgrep`. */
export function hasResolvd(read: ReadCommand): boolean {
  return read(["pgrep", "-x", "resolvd"]).success;
}

/** A routing table: the domain it belongs to, and that domain's interfaces. */
export interface RoutingTable {
  readonly rdomain: number;
  readonly interfaces: readonly string[];
}

/** Returns every routing table by its number: `netstat -R`. */
export function readRoutingTables(read: ReadCommand): Map<number, RoutingTable> {
  const tables = new Map<number, RoutingTable>();
  for (const block of outputOf(read, ["netstat", "-R"]).split(/^(?=Rdomain )/m)) {
    const rdomain = /^Rdomain (\d+)/.exec(block)?.[1];
    const interfaces = /^\s+Interfaces?: (.*)$/m.exec(block)?.[1]?.split(/\s+/) ?? [];
    const numbers = /^\s+Routing tables?: (.*)$/m.exec(block)?.[1]?.split(/\s+/) ?? [];
    if (rdomain === undefined) continue;
    for (const table of numbers) {
      tables.set(Number(table), { rdomain: Number(rdomain), interfaces });
    }
  }
  return tables;
}

/** Returns the routes with a gateway of a routing table: `route show`. */
export function readRoutes(read: ReadCommand, table: number): HostRoute[] {
  return ([4, 6] as const).flatMap((family) =>
    outputOf(read, routesOf(table, family)).split("\n").flatMap((line) => {
      const words = line.trim().split(/\s+/);
      const [text = "", via = ""] = words;
      const destination = parseDestination(text, family);
      const gateway = parseAddress(via);
      if (!destination || gateway?.family !== family) return [];
      const name = words.at(-1)!;
      return [{ destination, gateway, line: `${text} ${via} ${name}`, interface: name }];
    })
  );
}

/** Bytes of IPv4 that the prefix does not cover are left out: netname4() of sbin/route/show.c. */
function parseDestination(text: string, family: Family): Prefix | undefined {
  if (text === "default") return parsePrefix(family === 4 ? "0.0.0.0/0" : "::/0");
  const [, bytes, length] = /^(\d+(?:\.\d+){0,3})\/(\d+)$/.exec(text) ?? [];
  if (bytes === undefined) return parsePrefix(text) ?? parseAddress(text)?.toPrefix();
  const missing = 4 - bytes.split(".").length;
  return parsePrefix(`${bytes}${".0".repeat(missing)}/${length}`);
}

/** Returns a destination as a pattern of how route(8) shows it. */
export function destinationPattern(destination: Prefix): string {
  const full = destination.isSingle ? `${destination.toAddress()}` : `${destination}`;
  if (destination.family === 6 || destination.isSingle) return RegExp.escape(full);
  const bytes = destination.bytes.slice(0, Math.max(1, Math.ceil(destination.length / 8)));
  return `(?:${RegExp.escape(full)}|${RegExp.escape(`${bytes.join(".")}/${destination.length}`)})`;
}

/** Tells whether a routing table has a default route of a family. */
export function hasDefaultRoute(read: ReadCommand, table: number, family: Family): boolean {
  return /^default\s/m.test(outputOf(read, routesOf(table, family)));
}

/**
 * Returns the MTU of the interface that the default route of a family in a routing table points to,
 * in bytes: `route show` names it last on the line. Of several routes it is the largest; undefined
 * without any.
 */
export function readDefaultMtu(
  read: ReadCommand,
  table: number,
  family: Family,
): number | undefined {
  const routes = outputOf(read, routesOf(table, family)).matchAll(/^default\s.*\s(\w+)$/gm);
  const names = new Set([...routes].map(([, name]) => name!));
  const mtus = [...names].map((name) => {
    const [found] = parseInterfaces(outputOf(read, ["ifconfig", name]));
    return found?.mtu ?? 0;
  });
  return Math.max(0, ...mtus) || undefined;
}

/** Commands whose output {@linkcode readUplinks} reads. */
export function uplinkCommands(domains: readonly number[]): string[][] {
  return domains.flatMap((domain) => [routesOf(domain, 4), routesOf(domain, 6)]);
}

/** Returns the interfaces that default routes of these routing domains lead to. */
export function readUplinks(read: ReadCommand, domains: readonly number[]): Set<string> {
  const outputs = uplinkCommands(domains).map((command) => outputOf(read, command));
  const names = outputs.flatMap((output) => [...output.matchAll(/^default\s.*\s(\w+)$/gm)]);
  return new Set(names.map(([, name]) => name!));
}

/** Returns the command that shows the routes of a family in a routing table. */
export function routesOf(table: number, family: Family): string[] {
  const inet = family === 4 ? "-inet" : "-inet6";
  return ["route", "-n", "-T", `${table}`, "show", inet];
}

/** Returns the options of the file system that holds the absolute `path`: `mount`. */
export function readMountOptions(read: ReadCommand, path: string): readonly string[] {
  let best = { point: "", options: [] as string[] };
  for (const line of outputOf(read, ["mount"]).split("\n")) {
    const [, point, options] = /^\S+ on (\S+) type \S+ \((.*)\)$/.exec(line) ?? [];
    if (point === undefined || !isBelow(path, point) || point.length < best.point.length) continue;
    best = { point, options: options!.split(/,\s*/) };
  }
  return best.options;
}

function isBelow(path: string, point: string): boolean {
  return point === "/" || path === point || path.startsWith(`${point}/`);
}

/** pfctl prints the rule with what it matches: `anchor "aggvpn/*" all`. */
function hasAnchor(rules: string): boolean {
  return rules.split("\n").some((line) => /^anchor "([^"]*)"/.exec(line)?.[1] === ANCHORS);
}

function readSwitch(read: ReadCommand, name: string): string | undefined {
  return /^\d+$/m.exec(outputOf(read, ["sysctl", "-n", name]))?.[0];
}

function outputOf(read: ReadCommand, command: readonly string[]): string {
  const { success, output } = read(command);
  return success ? output : "";
}
