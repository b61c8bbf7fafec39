/**
 * One `[link.NAME]` table of a client.
 *
 * @module
 */

import { Address } from "../address.ts";
import type { LinkOptions } from "../link_options.ts";
import { PACKET_OVERHEAD_BYTES } from "../wire/overhead.ts";
import { compact } from "./compact.ts";
import type { HostPort, LinkConfig } from "./config.ts";
import type { HostAndPort } from "./host_port.ts";
import { type Context, fieldsOf, type Reading, readTable } from "./read_table.ts";
import type { Report } from "./report.ts";
import { LINK_KEYS, LINK_OPTION_KEYS } from "./schema.ts";
import { isName, NAME_RULE } from "./text_kinds.ts";
import { type Entry, quote, type Table } from "./tree.ts";
import { keysOf } from "./ways.ts";

/** Three heartbeats of 250 ms, and one more interval. */
const TIMEOUT_US = 1_000_000;
/** Three heartbeats of 5 s, and 1 s. */
const METERED_TIMEOUT_US = 16_000_000;
/** A lower quota should not be spent on several heartbeats a second, which take 2.4 GB a month. */
const SMALL_QUOTA_BYTES = 50e9;

type LinkReading = Reading<typeof LINK_KEYS>;

/** A link that was read; `config` is undefined when it cannot be used. */
export interface Link {
  readonly reading: LinkReading;
  readonly config: LinkConfig | undefined;
}

/** What a link needs from the rest of the file. */
export interface Surroundings {
  /** `server`, when it was read. */
  readonly server: HostAndPort | undefined;
  /** Whether `server` was written, right or wrong, or may be in an unreadable part. */
  readonly hasServer: boolean;
  /** `tunnel.mtu`. */
  readonly tunnelMtu: number | undefined;
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
  const remote = remoteOf(reading, around, report);
  checkBind(reading, remote, report);
  checkMtu(reading, remote, around.tunnelMtu, report);
  checkDevice(reading, report);
  checkQuota(reading, report);
  return { reading, config: remote && linkConfig(name, reading, remote) };
}

function linkConfig(name: string, { values }: LinkReading, remote: HostPort): LinkConfig {
  return compact({
    name,
    remote,
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

function remoteOf(link: LinkReading, around: Surroundings, report: Report): HostPort | undefined {
  const { remote, port } = link.values;
  if (link.has("remote") && !remote || link.has("port") && port === undefined) return undefined;
  if (remote?.port !== undefined && port !== undefined) {
    const message = `${link.path}.port: expected a port only once, found one in remote too`;
    report.error(link.placeOf("port"), message, "remove one of the two");
    return undefined;
  }
  const host = remote?.host ?? around.server?.host;
  const chosen = port ?? remote?.port ?? (remote ? undefined : around.server?.port);
  if (host === undefined) {
    if (!around.hasServer) {
      const message = `${link.path}: expected remote here or server at the top, found neither`;
      report.error(link.at, message, 'write server = "HOST" before the first table');
    }
    return undefined;
  }
  if (chosen === undefined) {
    const message = `${link.path}.port: missing, the UDP port the server listens on`;
    report.error(link.at, message, "write port = 5080, as in `listen` of the server");
    return undefined;
  }
  return { host, port: chosen };
}

function checkBind(link: LinkReading, remote: HostPort | undefined, report: Report): void {
  const { bind } = link.values;
  const target = remote?.host;
  if (!bind || !(target instanceof Address) || bind.family === target.family) return;
  report.error(
    link.placeOf("bind"),
    `${link.path}.bind: expected an IPv${target.family} address to reach ${target} from, found ${bind}`,
  );
}

function checkMtu(
  link: LinkReading,
  remote: HostPort | undefined,
  tunnelMtu: number | undefined,
  report: Report,
): void {
  const { mtu } = link.values;
  if (mtu === undefined || tunnelMtu === undefined || !remote) return;
  const family = remote.host instanceof Address ? remote.host.family : 4;
  const overhead = PACKET_OVERHEAD_BYTES[family];
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

function checkQuota(link: LinkReading, report: Report): void {
  const { quota } = link.values;
  if (quota === undefined || quota >= SMALL_QUOTA_BYTES || link.has("metered")) return;
  report.warn(
    link.placeOf("quota"),
    `${link.path}.quota: an idle link that is not metered carries 2.4 GB of heartbeats a month`,
    "write metered = true, or false if that is all right",
  );
}
