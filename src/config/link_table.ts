/**
 * One `[link.NAME]` table of a client.
 *
 * @module
 */

import { Address } from "../address.ts";
import type { LinkOptions } from "../link_options.ts";
import { isPattern } from "../pattern.ts";
import { PACKET_OVERHEAD_BYTES } from "../wire/overhead.ts";
import { compact } from "./compact.ts";
import type { HostPort, LinkConfig } from "./config.ts";
import type { HostAndPort } from "./host_port.ts";
import { type Context, fieldsOf, type Reading, readTable } from "./read_table.ts";
import type { Report } from "./report.ts";
import { isInterfaceName } from "./network_kinds.ts";
import { LINK_KEYS, LINK_OPTION_KEYS } from "./schema.ts";
import { isName, NAME_RULE } from "./text_kinds.ts";
import { type Entry, quote, type Table } from "./tree.ts";
import { keysOf, WAY_KEYS } from "./ways.ts";

/** Three heartbeats of 250 ms, and one more interval. */
const TIMEOUT_US = 1_000_000;
/** Three heartbeats of 5 s, and 1 s. */
const METERED_TIMEOUT_US = 16_000_000;
/** A lower quota should not be spent on several heartbeats a second, which take 2.4 GB a month. */
const SMALL_QUOTA_BYTES = 50e9;

type LinkReading = Reading<typeof LINK_KEYS>;

/** Returns the options of a link of which nothing is said. */
export function defaultLinkOptions(): LinkOptions {
  return { tier: "primary", metered: false, timeoutUs: TIMEOUT_US };
}

/** A link that was read; `config` is undefined when it cannot be used. */
export interface Link {
  readonly reading: LinkReading;
  readonly config: LinkConfig | undefined;
}

/** What a link needs from the rest of the file. */
export interface Surroundings {
  /** `server`, when it was read. */
  readonly servers: readonly HostAndPort[] | undefined;
  /** How many servers there are, as far as one can tell. */
  readonly serverCount: number;
  /** Whether `server` was written, right or wrong, or may be in an unreadable part. */
  readonly hasServer: boolean;
  /** `tunnel.mtu`. */
  readonly tunnelMtu: number | undefined;
  /** Whether a link that names no way is the interface of its name (`links`). */
  readonly isAuto: boolean;
}

/** Reads the table of the link `name`. */
export function readLink(
  name: string,
  entry: Entry,
  table: Table,
  around: Surroundings,
  context: Context,
): Link {
  const { report } = context;
  if (!isName(name)) report.error(entry.at, `link: expected ${NAME_RULE}, found ${quote(name)}`);
  const reading = readTable(table, LINK_KEYS, `link.${name}`, context);
  const remotes = remotesOf(reading, around, report);
  for (const remote of remotes ?? []) checkBind(reading, remote, report);
  checkMtu(reading, remotes, around.tunnelMtu, report);
  checkDevice(reading, report);
  checkPattern(reading, report);
  checkQuota(reading, report);
  const config = remotes && linkConfig(name, reading, remotes);
  const isAuto = around.isAuto && !WAY_KEYS.some(reading.has);
  if (isAuto && !isInterfaceName(name)) {
    const message = `${reading.path}: expected the name of an interface, found ${quote(name)}`;
    report.error(entry.at, message, 'links = "auto" names links after interfaces; write interface');
  }
  return {
    reading,
    config: config && isAuto ? { ...config, interface: name, auto: true } : config,
  };
}

function linkConfig(
  name: string,
  { values }: LinkReading,
  remotes: readonly HostPort[],
): LinkConfig {
  return compact({
    name,
    remotes,
    bind: values.bind,
    localPort: values.local_port,
    interface: values.interface,
    rdomain: values.rdomain,
    table: values.table,
    vrf: values.vrf,
    mark: values.mark,
    options: linkOptions(values),
  });
}

function linkOptions(values: LinkReading["values"]): LinkOptions {
  return compact({
    ...fieldsOf(LINK_OPTION_KEYS, values),
    timeoutUs: values.timeout ?? (values.metered ? METERED_TIMEOUT_US : TIMEOUT_US),
  });
}

/** Returns where the link's datagrams go to each server; undefined when that is not all known. */
function remotesOf(
  link: LinkReading,
  around: Surroundings,
  report: Report,
): readonly HostPort[] | undefined {
  const { remote, port } = link.values;
  if (link.has("remote") && !remote || link.has("port") && port === undefined) return undefined;
  if (remote && remote.length !== around.serverCount) {
    const message = `${link.path}.remote: expected ${
      hosts(around.serverCount)
    }, one for each server, found ${remote.length}`;
    report.error(link.placeOf("remote"), message, "the order is that of server");
    return undefined;
  }
  if (remote?.some((host) => host.port !== undefined) && port !== undefined) {
    const message = `${link.path}.port: expected a port only once, found one in remote too`;
    report.error(link.placeOf("port"), message, "remove one of the two");
    return undefined;
  }
  const written = remote ?? around.servers;
  if (!written && !around.hasServer) {
    const message = `${link.path}: expected remote here or server at the top, found neither`;
    report.error(link.at, message, 'write server = "HOST" before the first table');
  }
  const chosen = written?.map((host) => ({ host: host.host, port: port ?? host.port }));
  if (chosen?.some((host) => host.port === undefined)) {
    const message = `${link.path}.port: missing, the UDP port the server listens on`;
    report.error(link.at, message, "write port = 5080, as in `listen` of the server");
    return undefined;
  }
  return chosen as readonly HostPort[] | undefined;
}

function hosts(count: number): string {
  return count === 1 ? "1 host" : `${count} hosts`;
}

function checkBind(link: LinkReading, { host: target }: HostPort, report: Report): void {
  const { bind } = link.values;
  if (!bind || !(target instanceof Address) || bind.family === target.family) return;
  report.error(
    link.placeOf("bind"),
    `${link.path}.bind: expected an IPv${target.family} address to reach ${target} from, found ${bind}`,
  );
}

function checkMtu(
  link: LinkReading,
  remotes: readonly HostPort[] | undefined,
  tunnelMtu: number | undefined,
  report: Report,
): void {
  const { mtu } = link.values;
  if (mtu === undefined || tunnelMtu === undefined || !remotes) return;
  const overhead = Math.max(
    ...remotes.map(({ host }) => PACKET_OVERHEAD_BYTES[host instanceof Address ? host.family : 4]),
  );
  if (tunnelMtu + overhead <= mtu) return;
  report.error(
    link.placeOf("mtu"),
    `${link.path}.mtu: expected at least ${
      tunnelMtu + overhead
    }, tunnel.mtu and ${overhead} bytes` +
      ` around each packet, found ${mtu}`,
    "lower tunnel.mtu, or leave it out: it is derived from the links",
  );
}

function checkDevice(link: LinkReading, report: Report): void {
  const [first, ...others] = keysOf("device").filter(link.has);
  for (const key of others) {
    const message = `${link.path}.${key}: expected either this or ${first}, found both`;
    const hint = "a socket is bound to one device: remove one of them";
    report.error(link.placeOf(key), message, hint);
  }
}

/** A rule for a routing table is made once, for one interface. */
function checkPattern(link: LinkReading, report: Report): void {
  const { interface: name = "", table } = link.values;
  if (!isPattern(name) || table === undefined) return;
  const message = `${link.path}.table: expected one interface beside it, found the pattern ${
    quote(name)
  }`;
  report.error(link.placeOf("table"), message, "name the interface, or leave the table out");
}

function checkQuota(link: LinkReading, report: Report): void {
  const { quota } = link.values;
  for (const key of ["quota_day", "when_used_up"] as const) {
    if (link.has("quota") || !link.has(key)) continue;
    const message = `${link.path}.${key}: has no effect without quota`;
    report.warn(link.placeOf(key), message, 'write quota = "20 GB", or remove it');
  }
  if (quota === undefined || quota >= SMALL_QUOTA_BYTES || link.has("metered")) return;
  report.warn(
    link.placeOf("quota"),
    `${link.path}.quota: an idle link that is not metered carries 2.4 GB of heartbeats a month`,
    "write metered = true, or false if that is all right",
  );
}
