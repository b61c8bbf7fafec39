/**
 * Every configuration key, once: the parser, its messages and the manual are made
 * from these tables.
 *
 * @module
 */

import type { Duplicate } from "../duplicate.ts";
import type { LinkOptions, WhenUsedUp } from "../link_options.ts";
import type { Schedule } from "../schedule.ts";
import type { Tier } from "../wire/handshake.ts";
import type { LogFormat, LogLevel } from "./config.ts";
import { expected, flag, integer, type Kind, listOf, located, oneOf } from "./kind.ts";
import * as net from "./network_kinds.ts";
import { duration, percentage, rate, size } from "./quantity_kinds.ts";
import * as texts from "./text_kinds.ts";

/** Where control sockets are, unless `control` says otherwise. */
export const CONTROL_DIRECTORY = "/var/run/aggvpn";
/** Most links of a client, and most addresses a server listens on. */
export const MAX_LINKS = 250;

/** Interfaces that are no uplinks of their own, whatever their routes say. */
export const NEVER_LINKS: readonly string[] = [
  "lo",
  "docker*",
  "veth*",
  "virbr*",
  "br-*",
  "tun*",
  "tap*",
  "wg*",
];

/** Interfaces that `links = "auto"` may find besides those that the file names. */
export const SPARE_LINKS = 8;

/** Most rules: each packet is compared with one after the other. */
export const MAX_RULES = 64;

/** Which end a key is for. */
export type Mode = "client" | "server";

/** Systems that keys can be for, with the names of `Platform.os`. */
export type Os = "linux" | "openbsd";

/**
 * What a link's key decides about the way its datagrams leave: the address, the device, the
 * routing domain or the mark of their socket, or the routing table that such packets are sent to.
 */
export type Way = "address" | "device" | "domain" | "mark" | "table";

/** How one key is written, checked, explained and defaulted. */
export interface Key<T = unknown> {
  readonly kind: Kind<T>;
  readonly default?: T;
  /** First sentence of the manual entry; ends with a period. */
  readonly doc: string;
  /** Only for this end; absent: for both. */
  readonly mode?: Mode;
  /** Only for this system, which the manual then names; absent: for every system. */
  readonly os?: Os;
  /** `ways.ts` says what follows from it. */
  readonly way?: Way;
}

/** A key whose value is a field of {@linkcode LinkOptions}. */
export type OptionKey = {
  [F in keyof LinkOptions]-?: Key<NonNullable<LinkOptions[F]>> & { readonly field: F };
}[keyof LinkOptions];

/** The keys of a table. */
export type Keys = Readonly<Record<string, Key>>;

/** What reading a table gives: defaults filled in, `undefined` where absent or wrong. */
export type Values<K extends Keys> = {
  readonly [N in keyof K]: K[N] extends { readonly kind: Kind<infer T> }
    ? K[N] extends { readonly default: unknown } ? T : T | undefined
    : never;
};

/** What a table's values are by the fields of its keys. */
export type Fields<K extends Readonly<Record<string, OptionKey>>> = {
  readonly [N in keyof K as K[N]["field"]]: Values<K>[N];
};

const port = integer("PORT", 1, 65535);
/** How much is logged, the least first. */
export const LOG_LEVELS = ["error", "warning", "info", "debug", "trace"] as const;
const LOG_LEVEL = oneOf<LogLevel>(...LOG_LEVELS);
const LOG_FORMAT = oneOf<LogFormat>("text", "json", "syslog");
const DUPLICATE = oneOf<Duplicate>("off", "needed", "auto", "all");
const SCHEDULE = oneOf<Schedule>("fast", "steady", "redundant");
const TIER = oneOf<Tier>("primary", "overflow", "backup");

/** A table here is most likely one of a link. */
const AUTO: Kind<"auto"> = {
  metavar: '"auto"',
  read: (value, field) =>
    value.kind === "table"
      ? expected(value, field, '"auto"', "the table of a link is [link.NAME]")
      : oneOf("auto").read(value, field),
};

/** Servers of a client: they are asked 0.5 s apart, so that the last one has its turn within 6 s. */
export const MAX_SERVERS = 8;

/** Keys before the first table. */
export const TOP_KEYS = {
  mode: {
    kind: oneOf<Mode>("client", "server"),
    doc: "Which end this is.",
  },
  name: {
    kind: texts.name,
    doc: "Name of this tunnel, by default that of the file without its ending.",
  },
  password: {
    kind: texts.secretText,
    doc: "Key of `aggvpn genkey` or pass phrase, the same on both ends.",
  },
  password_file: {
    kind: texts.file,
    doc: "File whose only line is the key or pass phrase; relative to the configuration file.",
  },
  server: {
    kind: listOf(net.host),
    mode: "client",
    doc: "Host of the server, with the port for links that name none; of several the first one " +
      "that answers is used. A name is looked up again when nothing answers.",
  },
  links: {
    kind: AUTO,
    mode: "client",
    os: "linux",
    doc: "auto: every interface with a default route of its own is a link while it has one; " +
      "[link.NAME] then has the options of the interface NAME.",
  },
  links_exclude: {
    kind: listOf(net.interfacePattern),
    mode: "client",
    os: "linux",
    doc: "Interfaces that `links` leaves out, besides those of virtual networks: " +
      `${NEVER_LINKS.join(", ")}.`,
  },
  listen: {
    kind: listOf(located(net.listenAddress)),
    mode: "server",
    doc: "Addresses and UDP ports to listen on.",
  },
  public_address: {
    kind: net.host,
    mode: "server",
    doc: "Where clients find this server, for `aggvpn client add`; the port is that of `listen` " +
      "by default.",
  },
  control: {
    kind: texts.socketPath,
    doc: `Unix socket that answers \`aggvpn status\`, by default ${CONTROL_DIRECTORY}/NAME.sock.`,
  },
  log_level: {
    kind: LOG_LEVEL,
    default: "info",
    doc: "How much is logged.",
  },
  log_format: {
    kind: LOG_FORMAT,
    default: "text",
    doc: "How it is logged. text: lines on standard error, or entries with fields where that is " +
      "systemd's journal. json: an object a line on standard error. syslog: messages of syslog(3), " +
      "facility daemon.",
  },
  status_command: {
    kind: texts.path,
    doc: "Program run when links, clients and the tunnel come and go, and when a quota runs low, " +
      "with the arguments and variables that mlvpn gives, and more in AGGVPN_REASON and so on.",
  },
  metrics: {
    kind: net.httpAddress,
    doc: "Where Prometheus gets metrics by HTTP, on 127.0.0.1 when it is only a port.",
  },
  dashboard: {
    kind: net.httpAddress,
    doc: "Where browsers get the page that `aggvpn dashboard` tells the address of, likewise.",
  },
  dashboard_control: {
    kind: flag,
    default: false,
    doc: "Whether a client's links may be switched on and off there.",
  },
  dashboard_token_file: {
    kind: texts.file,
    doc:
      "File whose only line is the token of the dashboard; another is made at each start by default.",
  },
  sandbox: {
    kind: flag,
    default: true,
    os: "openbsd",
    doc:
      "Whether the tunnel, once it is set up, gives up rights that it does not need, by pledge and unveil.",
  },
} as const satisfies Keys;

/** Keys of `[tunnel]`. */
export const TUNNEL_KEYS = {
  interface: {
    kind: net.interfaceName,
    doc: "Name of the tunnel interface; the system picks one by default.",
  },
  address: {
    kind: net.interfaceAddress(4),
    doc: "IPv4 address of this end of the tunnel, with prefix length.",
  },
  address6: {
    kind: net.interfaceAddress(6),
    doc: "IPv6 address of this end of the tunnel, with prefix length.",
  },
  gateway: {
    kind: net.hostAddress(4),
    doc: "IPv4 address of the other end, through which `routes` go.",
  },
  gateway6: {
    kind: net.hostAddress(6),
    doc: "IPv6 address of the other end, through which `routes` go.",
  },
  mtu: {
    kind: integer("BYTES", 576, 1900),
    doc: "Largest packet in the tunnel in bytes; it is less where the links carry less.",
  },
  routes: {
    kind: listOf(located(net.network)),
    doc:
      'Networks that are reached through the tunnel; "default" is everything, of IPv6 too if there is `address6`.',
  },
  sources: {
    kind: listOf(located(net.network)),
    doc:
      'Networks that the other end may send from, besides the tunnel\'s and those of `routes`, for what scripts route; "default" is any address.',
  },
  dns: {
    kind: listOf(located(net.nameServer)),
    mode: "client",
    doc: "Name servers that this host asks while the tunnel is set up, at most 3.",
  },
  leak_guard: {
    kind: flag,
    default: false,
    mode: "client",
    doc:
      'Whether nothing leaves this host around a tunnel with the route "default", also while the ' +
      "tunnel is down, and after it was killed until `aggvpn down`.",
  },
  nat: {
    kind: flag,
    default: false,
    doc:
      "Whether packets that leave this host from the tunnel get the host's address; of IPv6 those " +
      "from unique local addresses (fc00::/7).",
  },
  mss_clamp: {
    kind: flag,
    default: true,
    doc: "Whether forwarded TCP connections are told the tunnel's MTU.",
  },
  offload: {
    kind: flag,
    default: true,
    doc:
      "Whether TCP crosses the tunnel interface in pieces of up to 64 KiB and checksums are left " +
      "to the system, where it can do that.",
  },
  rdomain: {
    kind: integer("NUMBER", 0, 255),
    os: "openbsd",
    doc: "Routing domain of the tunnel interface.",
  },
  schedule: {
    kind: SCHEDULE,
    default: "fast",
    doc:
      "How links share what this end sends. fast: a download gets the sum of all links. steady: a " +
      "flow stays on one link while it fits, calls on the nearest, for the least delay. redundant: " +
      "all packets on all links, as fast as the best of them.",
  },
  duplicate: {
    kind: DUPLICATE,
    default: "needed",
    doc: "Whether interactive packets are sent on other links too, so that a loss on one delays " +
      "nothing. needed: on one that is not metered, while the first varies or loses packets, for " +
      "3 % more traffic or 256 kbit/s of it; auto: whenever it may help, for as much. all: on " +
      "every other link.",
  },
  up: {
    kind: texts.command,
    doc: "Shell command run when the interface is set up.",
  },
  down: {
    kind: texts.command,
    doc: "Shell command run before the interface goes.",
  },
} as const satisfies Keys;

/** Keys of `[link.NAME]` that say where its datagrams go, and which way they leave. */
const LINK_WAY_KEYS = {
  remote: {
    kind: listOf(net.host),
    doc: "Where this link's datagrams go, when that is not `server`; one for each server.",
  },
  port: {
    kind: port,
    doc: "UDP port of the server for this link.",
  },
  bind: {
    kind: net.anyAddress,
    way: "address",
    doc: "Source address of this link.",
  },
  local_port: {
    kind: port,
    doc: "Source port of this link; the system picks one by default.",
  },
  interface: {
    kind: net.interfacePattern,
    os: "linux",
    way: "device",
    doc: 'Interface this link leaves by; of a pattern such as "wwan*" the first that is there.',
  },
  rdomain: {
    kind: integer("NUMBER", 0, 255),
    os: "openbsd",
    way: "domain",
    doc: "Routing domain of this link.",
  },
  table: {
    kind: integer("NUMBER", 1, 4294967295),
    os: "linux",
    way: "table",
    doc: "Routing table of this link.",
  },
  vrf: {
    kind: net.interfaceName,
    os: "linux",
    way: "device",
    doc: "VRF device of this link.",
  },
  mark: {
    kind: integer("NUMBER", 1, 4294967295),
    os: "linux",
    way: "mark",
    doc: "Firewall mark of this link's datagrams.",
  },
} as const satisfies Keys;

/** Keys of `[link.NAME]` that say how it is used. */
export const LINK_OPTION_KEYS = {
  bandwidth_upload: {
    kind: rate,
    field: "uploadBps",
    doc: "What this end may send on the link; measured by default.",
  },
  bandwidth_download: {
    kind: rate,
    field: "downloadBps",
    doc: "What this end can receive on the link; measured by default.",
  },
  tier: {
    kind: TIER,
    field: "tier",
    default: "primary",
    doc: "When the link is used: always, when the primary ones are full, when they are dead.",
  },
  metered: {
    kind: flag,
    field: "metered",
    default: false,
    doc: "Whether traffic costs money, so that an idle link is kept quiet.",
  },
  quota: {
    kind: size,
    field: "quotaBytes",
    doc: "What the link may carry in a month, both ways together, until when_used_up says more.",
  },
  quota_day: {
    kind: integer("DAY", 1, 31),
    field: "quotaDay",
    doc:
      "Day on which months begin for the quota, or the last of shorter ones; by default the 1st.",
  },
  when_used_up: {
    kind: oneOf<WhenUsedUp>("last", "off"),
    field: "whenUsedUp",
    doc: "What the link is when its quota is used up: a backup behind all others, the default, " +
      "or off.",
  },
  max_latency: {
    kind: duration("1 ms", "10 s", "300 ms"),
    field: "maxLatencyUs",
    doc: "Round-trip time above which the link is only a backup.",
  },
  max_loss: {
    kind: percentage,
    field: "maxLoss",
    doc: "Share of lost datagrams, either way, above which the link is only a backup for a while.",
  },
  timeout: {
    kind: duration("200 ms", "10 min", "2 s"),
    field: "timeoutUs",
    doc: "Silence after which an idle link is down, by default 1 s, or 16 s when it is metered.",
  },
  mtu: {
    kind: integer("BYTES", 576, 1900),
    field: "mtuBytes",
    doc:
      "Upper bound for IP packets on the link in bytes, by default what its interface takes, at " +
      "most 1500. What the line carries is found out.",
  },
} as const satisfies Readonly<Record<string, OptionKey>>;

/** Keys of `[link.NAME]`. */
export const LINK_KEYS = { ...LINK_WAY_KEYS, ...LINK_OPTION_KEYS } as const satisfies Keys;

/** Keys of `[client.NAME]`. */
export const CLIENT_KEYS = {
  password: {
    kind: texts.secretText,
    doc: "Key or pass phrase of this client and no other.",
  },
  password_file: {
    kind: texts.file,
    doc: "File whose only line is the key or pass phrase of this client.",
  },
  address: {
    kind: net.clientAddress(4),
    doc: "IPv4 address of the client in the tunnel.",
  },
  address6: {
    kind: net.clientAddress(6),
    doc: "IPv6 address of the client in the tunnel.",
  },
  routes: {
    kind: listOf(located(net.network)),
    doc: "Networks behind the client.",
  },
} as const satisfies Keys;

/** Keys of `[[rule]]`. */
export const RULE_KEYS = {
  protocol: {
    kind: oneOf("tcp", "udp", "icmp"),
    doc: "Protocol that packets must have.",
  },
  ports: {
    kind: listOf(port),
    doc: "Ports, one of which must be a packet's source or destination; fragments have none.",
  },
  dscp: {
    kind: texts.dscp,
    doc: "DSCP that packets must have.",
  },
  source: {
    kind: net.network,
    doc: "Network that packets must come from.",
  },
  destination: {
    kind: net.network,
    doc: "Network that packets must go to.",
  },
  links: {
    kind: listOf(located(texts.name)),
    doc:
      "The only links that such packets use, whatever the tiers. While none of them works such " +
      "packets are dropped.",
  },
  class: {
    kind: oneOf("interactive", "bulk"),
    doc: "Class that such packets get instead of the one that is detected.",
  },
  duplicate: {
    kind: DUPLICATE,
    doc:
      "As in [tunnel], but for such packets of any class; by default the value there; auto uses " +
      "a metered link only when `links` names it.",
  },
} as const satisfies Keys;

/** A table of the file. */
export interface Section {
  /** How its header is written. */
  readonly header: string;
  readonly keys: Keys;
  readonly mode?: Mode;
  readonly doc: string;
}

/** Every table of the file, by the first word of its header. */
export const SECTIONS = {
  tunnel: {
    header: "[tunnel]",
    keys: TUNNEL_KEYS,
    doc: "The tunnel interface.",
  },
  link: {
    header: "[link.NAME]",
    keys: LINK_KEYS,
    mode: "client",
    doc: "One uplink.",
  },
  client: {
    header: "[client.NAME]",
    keys: CLIENT_KEYS,
    mode: "server",
    doc: "One client; needed when there are several.",
  },
  rule: {
    header: "[[rule]]",
    keys: RULE_KEYS,
    doc: "What is done with some of the packets that this end sends. The first rule that matches " +
      "counts; one without conditions matches everything.",
  },
} as const satisfies Readonly<Record<string, Section>>;

/** Keys of mlvpn.conf, and the header or key that takes their place. */
export const MLVPN_KEYS: Readonly<Record<string, string>> = {
  bindhost: "bind",
  bindport: "local_port",
  bindfib: "rdomain",
  remotehost: "remote",
  remoteport: "port",
  interface_name: "interface",
  statuscommand: "status_command",
  control_unix_path: "control",
  fallback_only: "tier",
  loss_tolerence: "max_loss",
  latency_tolerence: "max_latency",
  ip4: "address",
  ip6: "address6",
  ip4_gateway: "gateway",
  ip6_gateway: "gateway6",
  ip4_routes: "routes",
  ip6_routes: "routes",
};
