/**
 * Options of mlvpn that a configuration of aggvpn does not take over: what takes their place, or why
 * nothing has to.
 *
 * @module
 */

import { closest } from "../../suggest.ts";
import type { TomlText } from "../toml_text.ts";
import { GENERAL, type Option } from "./file.ts";
import type { Settings } from "./settings.ts";

/** Options of `[general]` that have places of their own in the configuration. */
const OF_GENERAL: readonly string[] = [
  "mode",
  "password",
  "statuscommand",
  "interface_name",
  "ip4",
  "ip6",
  "ip4_gateway",
  "ip6_gateway",
  "ip4_routes",
  "ip6_routes",
  "loss_tolerence",
  "latency_tolerence",
];

/** The same of links. */
const OF_LINKS: readonly string[] = [
  "bindhost",
  "bindport",
  "bindfib",
  "binddev",
  "remotehost",
  "remoteport",
  "fallback_only",
  "loss_tolerence",
  "latency_tolerence",
];

/** What to say about an option with a value. */
type Explain = (value: string) => string;

const no = (text: string): Explain => () => text;

/** Options that mlvpn has in any section, and says nothing that is still needed. */
const HOMES: Readonly<Record<string, Explain>> = {
  tuntap: (value) =>
    value === "tun"
      ? "every tunnel carries IP packets."
      : "there are no tunnels of Ethernet frames: bridges on it need routes instead.",
  timeout: (value) =>
    "not taken over: a silent link is left within a moment, and is down after 1 s. " +
    `timeout = "${value} s" in the table of a link would wait that long.`,
  mtu: no(
    "not taken over: what the lines carry is found out. mtu in [tunnel] would set a bound.",
  ),
  cleartext_data: no("has no place: everything is encrypted and authenticated."),
  reorder_buffer_size: no(
    "has no place: each flow is put in order by itself, with deadlines that are measured.",
  ),
  reorder_buffer: no("has no place: packets are always put in order, each flow by itself."),
  reorder_length: no("has no place: packets are always put in order, each flow by itself."),
  control_unix_path: no(
    "not taken over: `aggvpn status` asks at another place and in another way. control at the " +
      "top moves that socket.",
  ),
  control_bind_host: no("has no place: `aggvpn status --json` asks the Unix socket."),
  control_bind_port: no("has no place: `aggvpn status --json` asks the Unix socket."),
  bandwidth_upload: (value) =>
    "not taken over: it was a weight, and what a link carries is measured. " +
    `bandwidth_upload = ${value} in its table would be a limit, in bytes per second.`,
  bandwidth_download: no("not taken over: mlvpn ignores it, and what a link carries is measured."),
  latency_increase: no("has no place: mlvpn ignores it."),
  loglevel: no('mlvpn ignores it; log_level = "debug" at the top logs more.'),
  logfile: no("has no place: the log goes to standard error, and from there to the journal."),
  protocol: no("has no place: links send UDP, as mlvpn's do."),
  hostname: no("has no place: mlvpn ignores it."),
  interface_ip: no("has no place: mlvpn ignores it."),
  compressed: no("has no place: headers are compressed by themselves, contents are not."),
  transport: no("has no place: links send UDP."),
  static_tunnel: no("has no place: it is of a fork of mlvpn."),
  quota: no(
    "not taken over: it is a rate of a fork of mlvpn. Here quota counts what the link carries in a " +
      'month, such as quota = "20 GB", and bandwidth_upload limits a rate.',
  ),
};

/** Writes what becomes of the options of a section that have no place of their own. */
export function writeHomeless(
  settings: Settings,
  section: string,
  out: Pick<TomlText, "comment">,
): void {
  for (const option of settings.of(section)) {
    const { key, value } = option;
    const isGeneral = section === GENERAL;
    if ((isGeneral ? OF_GENERAL : OF_LINKS).includes(key)) continue;
    const isElsewhere = (isGeneral ? OF_LINKS : OF_GENERAL).includes(key);
    const why = isElsewhere
      ? `mlvpn ignores it here: it belongs in ${isGeneral ? "the section of a link" : "[general]"}.`
      : explain(key, value);
    out.comment(`${key} = ${shown(option)}: ${why}`);
  }
}

function explain(key: string, value: string): string {
  return Object.hasOwn(HOMES, key) ? HOMES[key]!(value) : whyUnknown(key);
}

function shown({ key, value }: Option): string {
  return /passw/i.test(key) ? "..." : /^\d+$/.test(value) ? value : JSON.stringify(value);
}

function whyUnknown(key: string): string {
  const bare = key.trim();
  const known = [...OF_GENERAL, ...OF_LINKS, ...Object.keys(HOMES)];
  if (bare !== key && known.includes(bare)) {
    return "mlvpn ignores it, since the tab before it is part of the name.";
  }
  const near = closest(bare, known);
  const meant = near === undefined ? "" : ` Was ${near} meant?`;
  return `mlvpn ignores it, since it has no such option.${meant}`;
}
