/**
 * The servers of a client, and what they are called.
 *
 * @module
 */

import type { LinkConfig } from "./config.ts";
import type { HostAndPort } from "./host_port.ts";
import type { Reading } from "./read_table.ts";
import type { Report } from "./report.ts";
import { MAX_SERVERS, type TOP_KEYS } from "./schema.ts";

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
  return server;
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
