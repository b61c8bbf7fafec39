/**
 * `links = "auto"`: links of interfaces that the file does not name.
 *
 * @module
 */

import type { HostPort, LinkConfig } from "./config.ts";
import type { HostAndPort } from "./host_port.ts";
import { isInterfaceName } from "./network_kinds.ts";
import { defaultLinkOptions } from "./link_table.ts";
import type { Reading } from "./read_table.ts";
import type { Report } from "./report.ts";
import { SPARE_LINKS, type TOP_KEYS } from "./schema.ts";
import { quote } from "./tree.ts";

/**
 * Returns a link for each interface of `names`, which rules mean, and some for interfaces that
 * nobody has named yet; there is `room` for so many.
 */
export function autoLinks(
  names: readonly string[],
  room: number,
  servers: readonly HostAndPort[] | undefined,
  top: Reading<typeof TOP_KEYS>,
  report: Report,
): LinkConfig[] {
  const remotes = remotesOf(servers, top, report);
  for (const name of names.filter((name) => !isInterfaceName(name))) {
    const message = `rule: expected the name of an interface in links, found ${quote(name)}`;
    report.error(top.placeOf("links"), message, 'links = "auto" names links after interfaces');
  }
  if (!remotes) return [];
  const link = { remotes, auto: true, options: defaultLinkOptions() };
  const spare = { ...link, name: "", options: { ...link.options, spare: true } };
  return [
    ...names.map((name) => ({ ...link, name, interface: name })),
    ...Array<LinkConfig>(Math.max(0, Math.min(SPARE_LINKS, room - names.length))).fill(spare),
  ];
}

function remotesOf(
  servers: readonly HostAndPort[] | undefined,
  top: Reading<typeof TOP_KEYS>,
  report: Report,
): HostPort[] | undefined {
  if (!servers && top.has("server")) return undefined;
  const remotes = (servers ?? []).flatMap(({ host, port }) =>
    port === undefined ? [] : [{ host, port }]
  );
  if (servers && remotes.length === servers.length) return remotes;
  const hint = 'write server = "HOST:PORT" before the first table';
  if (servers) {
    const message = 'server: expected a port with each host, since links = "auto"';
    report.error(top.placeOf("server"), message, hint);
  } else {
    const message = 'server: missing, where the links of links = "auto" send to';
    report.error(top.placeOf("links"), message, hint);
  }
  return undefined;
}
