/**
 * The links of a client, and the rules they must obey together.
 *
 * @module
 */

import { Address, type Prefix } from "../address.ts";
import { isPattern } from "../pattern.ts";
import type { LinkConfig } from "./config.ts";
import { formatHostPort, type HostAndPort } from "./host_port.ts";
import { type Link, readLink } from "./link_table.ts";
import { asTable, type Context, type Reading } from "./read_table.ts";
import type { Report } from "./report.ts";
import { MAX_LINKS, type TUNNEL_KEYS } from "./schema.ts";
import type { Entry, Table } from "./tree.ts";
import { isPinned, PINNING_KEYS, PORT_KEYS, portSpaceOf, SOCKET_KEYS, sourceOf } from "./ways.ts";

/** What the links of a client need from the rest of the file. */
export interface ClientTop {
  readonly servers: readonly HostAndPort[] | undefined;
  readonly hasServer: boolean;
  /** Whether interfaces become links by themselves (`links`). */
  readonly isAuto: boolean;
  readonly tunnel: Reading<typeof TUNNEL_KEYS>;
}

/** Reads the links of a client; unusable ones are reported and left out. */
export function readLinks(
  links: Entry | undefined,
  top: ClientTop,
  complete: boolean,
  context: Context,
): readonly LinkConfig[] {
  const { report } = context;
  const table = links && asTable(links.value, "link", "such as [link.dsl1]", report);
  const all = table ? readAll(table, top, context) : [];
  if (all.length === 0 && complete && (!links || table) && !top.isAuto) {
    report.error(
      links?.at,
      "link: missing, a client needs at least one",
      'write [link.dsl1] and port = 5080, or links = "auto"',
    );
  }
  if (all.length > MAX_LINKS) {
    report.error(links!.at, `link: expected at most ${MAX_LINKS}, found ${all.length}`);
  } else {
    checkTwins(all, report);
    checkLocalPorts(all, report);
    checkRoutes(all, top.tunnel, report);
  }
  return all.flatMap((link) => link.config ?? []);
}

function readAll(table: Table, top: ClientTop, context: Context): Link[] {
  const all: Link[] = [];
  const serverCount = top.servers?.length || countOf(table);
  const around = { ...top, serverCount, tunnelMtu: top.tunnel.values.mtu };
  for (const [name, entry] of table.entries) {
    const link = asTable(entry.value, `link.${name}`, "such as [link.dsl1]", context.report);
    if (link) all.push(readLink(name, entry, link, around, context));
  }
  return all;
}

/** Returns how many servers the links go to, which without `server` the first of them says. */
function countOf(table: Table): number {
  for (const { value } of table.entries.values()) {
    const remote = value.kind === "table" ? value.entries.get("remote")?.value : undefined;
    if (remote) return remote.kind === "array" ? Math.max(1, remote.items.length) : 1;
  }
  return 1;
}

/** Two links that leave the same way add nothing, and may not even be told apart. */
function checkTwins(links: readonly Link[], report: Report): void {
  const bySource = new Map<string, Link>();
  const byPath = new Map<string, Link>();
  for (const link of links) {
    const { config, reading } = link;
    // Links never share an interface that a pattern finds.
    if (!config || isPattern(config.interface ?? "")) continue;
    const source = sourceOf(config);
    const remotes = config.remotes.map(formatHostPort);
    const paths = remotes.map((remote) => `${source} ${config.localPort ?? ""} ${remote}`);
    const twice = paths.findIndex((path) => byPath.has(path));
    const same = byPath.get(paths[twice] ?? "");
    const similar = bySource.get(source);
    if (same) {
      report.error(
        reading.at,
        `${reading.path}: has the same remote ${
          remotes[twice]
        } and the same source as ${same.reading.path}`,
        `tell them apart by ${oneOf(PORT_KEYS)}`,
      );
    } else if (similar) {
      report.warn(
        reading.at,
        `${reading.path}: leaves by the same way as ${similar.reading.path}`,
        `set ${oneOf(SOCKET_KEYS)}, unless routing tells them apart by destination`,
      );
    }
    if (!same) { for (const path of paths) byPath.set(path, link); }
    if (!similar) bySource.set(source, link);
  }
}

function checkLocalPorts(links: readonly Link[], report: Report): void {
  const taken = new Map<string, Link>();
  for (const link of links) {
    const { config, reading } = link;
    if (config?.localPort === undefined) continue;
    const { localPort } = config;
    const key = `${localPort} ${portSpaceOf(config)}`;
    const other = taken.get(key);
    taken.set(key, link);
    if (!other || sourceOf(config) === sourceOf(other.config!)) continue;
    const message = `${reading.path}.local_port: ${localPort} is taken by ${other.reading.path}`;
    report.error(
      reading.placeOf("local_port"),
      message,
      "leave it out: the system picks a free one",
    );
  }
}

/** Datagrams that are routed into the tunnel that they carry never arrive. */
function checkRoutes(
  links: readonly Link[],
  tunnel: ClientTop["tunnel"],
  report: Report,
): void {
  for (const { value, at } of tunnel.values.routes ?? []) {
    const caught = links.find((link) => link.config && isCaught(link.config, value));
    if (!caught) continue;
    report.warn(
      at,
      `tunnel.routes: ${value} covers the server, so ${caught.reading.path} would go into the tunnel`,
      `set ${oneOf(PINNING_KEYS)} of ${caught.reading.path}`,
    );
  }
  const own = tunnel.values.address ?? tunnel.values.address6;
  for (const { config, reading } of links) {
    const remote = own &&
      config?.remotes.find(({ host }) => host instanceof Address && own.covers(host))?.host;
    if (!remote) continue;
    report.error(
      reading.at,
      `${reading.path}: expected a remote outside the tunnel, found ${remote}`,
      "the remote is the server's public address, tunnel.gateway its address in the tunnel",
    );
  }
}

function isCaught(link: LinkConfig, network: Prefix): boolean {
  return !isPinned(link) &&
    link.remotes.some(({ host }) => host instanceof Address && network.covers(host));
}

/** Writes `a, b or c`. */
function oneOf(keys: readonly string[]): string {
  return `${keys.slice(0, -1).join(", ")} or ${keys.at(-1)}`;
}
