/**
 * The servers of a client, and what they are called.
 *
 * @module
 */

import { Address } from "../address.ts";
import type { LinkConfig } from "./config.ts";
import type { HostAndPort } from "./host_port.ts";
import type { Reading } from "./read_table.ts";
import type { Report } from "./report.ts";
import { MAX_SERVERS, type TOP_KEYS } from "./schema.ts";
import type { Position } from "./tree.ts";

/** What the only server of a client is called. */
const ONLY = "server";

/** Returns `server`; undefined when it is missing or wrong. */
export function readServers(
  top: Reading<typeof TOP_KEYS>,
  report: Report,
): readonly HostAndPort[] | undefined {
  const { server } = top.values;
  if (!server) return undefined;
  const at = top.placeOf("server");
  if (server.length === 0 || server.length > MAX_SERVERS) {
    const message = `server: expected 1 to ${MAX_SERVERS} hosts, found ${server.length}`;
    report.error(at, message, 'write server = "HOST", or ["HOST", "HOST"]');
    return undefined;
  }
  const names = server.map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    report.error(at, `server: ${twice} is listed twice`, "remove one of the two");
  }
  warnOfFamilies(server, at, report);
  return server;
}

/** A link has one socket, which is of one family. */
function warnOfFamilies(
  servers: readonly HostAndPort[],
  at: Position,
  report: Report,
): void {
  const addresses = servers.flatMap(({ host }) => host instanceof Address ? [host] : []);
  const [first] = addresses;
  const other = addresses.find(({ family }) => family !== first?.family);
  if (!first || !other) return;
  report.warn(
    at,
    `server: ${first} and ${other} are of two families: a link that works with one cannot ask the ` +
      "other whether it is back",
    "use addresses of one family, or names that have both",
  );
}

/** Returns what the servers are called: as in `server`, or as the first link has them. */
export function serverNames(
  servers: readonly HostAndPort[] | undefined,
  links: readonly LinkConfig[],
): readonly string[] {
  const hosts = servers ?? links[0]?.remotes ?? [];
  if (hosts.length <= 1) return [ONLY];
  const bare = hosts.map(({ host }) => `${host}`);
  return new Set(bare).size === bare.length ? bare : hosts.map(nameOf);
}

function nameOf({ host, port }: HostAndPort): string {
  if (port === undefined) return `${host}`;
  return typeof host === "string" ? `${host}:${port}` : host.withPort(port);
}
