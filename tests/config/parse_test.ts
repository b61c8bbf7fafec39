import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ClientModeConfig, ServerModeConfig } from "../../src/config/config.ts";
import { formatHostPort } from "../../src/config/host_port.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { SPARE_LINKS } from "../../src/config/schema.ts";
import { address, prefix } from "../addresses.ts";
import {
  FULL_CLIENT,
  FULL_SERVER,
  KEY,
  parse,
  problemLines,
  SMALL_CLIENT,
  SMALL_SERVER,
} from "./samples.ts";

const SECRET = { password: "correct horse battery staple" };

Deno.test("parseConfig fills in the defaults of a small client", () => {
  const result = parse(SMALL_CLIENT);
  assertEquals(problemLines(result), []);
  const options = { tier: "primary", metered: false, timeoutUs: 1_000_000 } as const;
  assertEquals<unknown>(result.config, {
    mode: "client",
    file: "/etc/aggvpn/sample.toml",
    name: "sample",
    control: "/var/run/aggvpn/sample.sock",
    logLevel: "info",
    logFormat: "text",
    sandbox: true,
    secret: SECRET,
    servers: ["server"],
    tunnel: {
      address: prefix("10.44.43.1/30"),
      gateway: address("10.44.43.2"),
      routes: [],
      dns: [],
      leakGuard: false,
      nat: false,
      mssClamp: true,
      offload: true,
      schedule: "fast",
      duplicate: "needed",
    },
    links: [
      { name: "dsl1", remotes: [{ host: address("1.2.3.4"), port: 5080 }], rdomain: 1, options },
      { name: "dsl2", remotes: [{ host: address("1.2.3.4"), port: 5081 }], rdomain: 2, options },
    ],
    rules: [],
  });
});

Deno.test("parseConfig gives a server without client tables one client", () => {
  const result = parse(SMALL_SERVER);
  assertEquals(problemLines(result), []);
  const config = result.config as ServerModeConfig;
  assertEquals(config.listen, [
    { host: address("1.2.3.4"), port: 5080 },
    { host: address("1.2.3.4"), port: 5081 },
  ]);
  assertEquals<unknown>(config.clients, [{ name: "client", secret: SECRET, allowed: [] }]);
});

Deno.test("parseConfig reads every key of a client in its unit", () => {
  const { config, holdsSecret } = parse(FULL_CLIENT);
  assert(holdsSecret);
  const { secret, links, rules, tunnel, ...rest } = config as ClientModeConfig;
  assertEquals(secret.key, new Uint8Array(32));
  assertEquals<unknown>(rest, {
    mode: "client",
    servers: ["server"],
    file: "/etc/aggvpn/sample.toml",
    name: "home",
    control: "/var/run/aggvpn/other.sock",
    logLevel: "debug",
    logFormat: "json",
    statusCommand: "/etc/aggvpn/status",
    sandbox: false,
  });
  assertEquals<unknown>(tunnel, {
    interface: "agg0",
    address: prefix("10.44.43.1/30"),
    address6: prefix("fd00:44::1/64"),
    gateway: address("10.44.43.2"),
    gateway6: address("fd00:44::2"),
    mtu: 1400,
    routes: [prefix("10.99.0.0/16"), prefix("2001:db8:9::/48")],
    dns: [],
    leakGuard: false,
    nat: true,
    mssClamp: false,
    offload: false,
    rdomain: 0,
    up: "/etc/aggvpn/up.sh",
    down: "/etc/aggvpn/down.sh",
    schedule: "steady",
    duplicate: "auto",
  });
  assertEquals<unknown>(links[0], {
    name: "dsl",
    remotes: [{ host: "vpn.example.net", port: 5080 }],
    bind: address("198.51.100.10"),
    localPort: 4000,
    interface: "eth1",
    table: 101,
    mark: 16,
    options: {
      tier: "primary",
      metered: false,
      uploadBps: 10_000_000,
      downloadBps: 50_000_000,
      timeoutUs: 1_000_000,
      mtuBytes: 1492,
    },
  });
  assertEquals<unknown>(links[1], {
    name: "lte",
    remotes: [{ host: address("2001:db8::1"), port: 5081 }],
    vrf: "vrf-lte",
    options: {
      tier: "backup",
      metered: true,
      quotaBytes: 20e9,
      quotaDay: 31,
      whenUsedUp: "off",
      maxLatencyUs: 300_000,
      maxLoss: 0.05,
      timeoutUs: 20_000_000,
    },
  });
  assertEquals(links[2]!.options.timeoutUs, 16_000_000, "a metered link is asked less often");
  assertEquals<unknown>(rules, [
    {
      protocol: "udp",
      ports: [53, 5060],
      dscp: 46,
      source: prefix("192.168.0.0/16"),
      destination: prefix("0.0.0.0/0"),
      links: ["dsl"],
      class: "interactive",
      duplicate: "all",
    },
    { ports: [], dscp: 8, links: [] },
  ]);
});

Deno.test("parseConfig gives links the servers in their order, with the ports of each", () => {
  const written = servers('["a.example", "b.example:5090", "2001:db8::1"]');
  const result = parse(
    `${written}[link.b]\nremote = ["c.example:1", "192.0.2.9:2", "[2001:db8::2]:3"]\n`,
  );
  assertEquals(problemLines(result).filter((line) => line.includes("error")), []);
  const { servers: names, links } = result.config as ClientModeConfig;
  assertEquals(names, ["a.example", "b.example", "2001:db8::1"]);
  assertEquals(links.map(({ remotes }) => remotes.map(formatHostPort)), [
    ["a.example:5080", "b.example:5080", "[2001:db8::1]:5080"],
    ["c.example:1", "192.0.2.9:2", "[2001:db8::2]:3"],
  ]);
});

Deno.test("parseConfig tells servers apart by their ports if it has to", () => {
  const result = parse(
    `mode = "client"\npassword_file = "x"\nserver = ["a.example:1", "a.example:2"]\n${tunnel}[link.a]\n`,
  );
  assertEquals((result.config as ClientModeConfig).servers, ["a.example:1", "a.example:2"]);
});

Deno.test("parseConfig reads every client of a server", () => {
  const result = parse(FULL_SERVER);
  const { clients } = result.config as ServerModeConfig;
  assertEquals<unknown>(clients, [
    {
      name: "home",
      secret: { key: new Uint8Array(32) },
      allowed: [prefix("10.44.43.2/32"), prefix("fd00:44::2/128"), prefix("192.168.7.0/24")],
    },
    { name: "office", secret: SECRET, allowed: [prefix("10.44.43.3/32")] },
  ]);
});

Deno.test("parseConfig lets the rules of a server name links that only its clients know", () => {
  const rules = `[[rule]]\nlinks = "lte"\nduplicate = "auto"\n`;
  const result = parse(SMALL_SERVER + rules);
  assertEquals(problemLines(result), []);
  assertEquals<unknown>(result.config?.rules, [{ ports: [], links: ["lte"], duplicate: "auto" }]);
});

const top = 'mode = "client"\npassword_file = "x"\nserver = "192.0.2.1"\n';
const tunnel = '[tunnel]\naddress = "10.44.43.1/30"\n';
const link = "[link.a]\nport = 5080\n";
/** A client with `value` as its server. */
function servers(value: string): string {
  return `mode = "client"\npassword_file = "x"\nserver = ${value}\n${tunnel}${link}`;
}
const server = 'mode = "server"\npassword_file = "x"\nlisten = "192.0.2.1:5080"\n';

/** What is wrong, the text, and the beginnings of all problem lines. */
const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ["an empty file", "", ["0:0: error: mode: missing", "0:0: warning: tunnel.address: missing"]],
  ["a missing password", `mode = "client"\nserver = "192.0.2.1"\n${tunnel}${link}`, [
    "0:0: error: password: missing, and no password_file either (make a key with `aggvpn genkey`",
  ]],
  ["password and password_file", `password = "${KEY}"\n${top}${tunnel}${link}`, [
    "3:1: error: password_file: expected either this or password, found both",
  ]],
  ["a short password", `mode="client"\npassword="hunter2"\nserver="192.0.2.1"\n${tunnel}${link}`, [
    "2:1: error: password: expected a key or a pass phrase of at least 8 characters, found 7",
  ]],
  ["a password that is a number", `password = 12345678\nmode = "client"\n${tunnel}${link}`, [
    "1:12: error: password: expected a key of `aggvpn genkey` or a pass phrase, in quotes, found a number",
    "5:7: error: link.a: expected remote here or server at the top",
  ]],
  ["a password without quotes", `password = hunter2hunter2\n${top}${tunnel}${link}`, [
    "1:12: error: unexpected character (write the value of password in double quotes)",
  ]],
  ["an unknown mode", `mode = "sever"\npassword_file="x"\nlisten="192.0.2.1:1"\n${tunnel}`, [
    '1:8: error: mode: expected "client" or "server", found "sever" (did you mean "server"?)',
  ]],
  ["no mode", `password_file="x"\nlisten="192.0.2.1:1"\n${tunnel}`, [
    '0:0: error: mode: missing (write mode = "client" or mode = "server")',
  ]],
  ["a port of 70000", `${top}${tunnel}[link.a]\nport = 70000\n`, [
    "7:8: error: link.a.port: expected a whole number from 1 to 65535, found 70000",
  ]],
  ["a quoted port", `${top}${tunnel}[link.a]\nport = "5080"\n`, [
    '7:8: error: link.a.port: expected a whole number from 1 to 65535, found "5080" (write the number without quotes)',
  ]],
  ["a rate of fast", `${top}${tunnel}${link}bandwidth_upload = "fast"\n`, [
    '8:20: error: link.a.bandwidth_upload: expected a rate from 8 kbit/s to 1000 Gbit/s, such as "50 Mbit/s", found "fast"',
  ]],
  ["a rate in Mbps", `${top}${tunnel}${link}bandwidth_upload = "50 Mbps"\n`, [
    "8:20: error: link.a.bandwidth_upload: expected a rate",
  ]],
  ["a bare rate", `${top}${tunnel}${link}bandwidth_upload = 125000\n`, [
    "8:20: warning: link.a.bandwidth_upload: 125000 has no unit and is taken as bytes per second",
  ]],
  ["a bare time", `${top}${tunnel}${link}timeout = 30\n`, [
    "8:11: warning: link.a.timeout: 30 has no unit and is taken as seconds",
  ]],
  ["a negative rate", `${top}${tunnel}${link}bandwidth_upload = -5\n`, [
    "8:20: error: link.a.bandwidth_upload: expected a rate",
  ]],
  ["two links with one name", `${top}${tunnel}${link}[link.a]\nport = 5081\n`, [
    "8:7: error: [link.a] is defined twice, first in line 6 (give each its own name",
  ]],
  ["a key twice", `${top}${tunnel}${link}port = 5081\n`, [
    "8:1: error: port is defined twice, first in line 7 (remove one of the two)",
  ]],
  ["links that cannot be told apart", `${top}${tunnel}${link}[link.b]\nport = 5080\n`, [
    "8:7: error: link.b: has the same remote 192.0.2.1:5080 and the same source as link.a (tell them apart by bind, interface or rdomain)",
  ]],
  ["links that leave the same way", `${top}${tunnel}${link}[link.b]\nport = 5081\n`, [
    "8:7: warning: link.b: leaves by the same way as link.a (set bind, interface, rdomain or mark, unless routing tells them apart by destination)",
  ]],
  [
    "one source port twice",
    `${top}${tunnel}[link.a]\nport=1\nlocal_port=4000\nmark=1\n[link.b]\nport=1\nlocal_port=4000\nmark=2`,
    [
      "12:1: error: link.b.local_port: 4000 is taken by link.a",
    ],
  ],
  ["no link", `${top}${tunnel}`, ["0:0: error: link: missing, a client needs at least one"]],
  ["an empty link table", `${top}${tunnel}[link]\n`, ["6:2: error: link: missing"]],
  ["link as a value", `link = 3\n${top}${tunnel}`, [
    "1:8: error: link: expected a table such as [link.dsl1], found 3",
  ]],
  [
    "keys in [link] itself",
    `${top}${tunnel}[link]\nport = 5080\n`,
    [
      "7:8: error: link.port: expected a table such as [link.dsl1], found 5080",
      "6:2: error: link: missing",
    ].toSorted(),
  ],
  ["a bad link name", `${top}${tunnel}[link."a b"]\nport = 5080\n`, [
    '6:7: error: link: expected a name of 1 to 32 letters, digits, dashes and underscores, found "a b"',
  ]],
  ["no port", `${top}${tunnel}[link.a]\n`, ["6:7: error: link.a.port: missing"]],
  ["two ports", `${top}${tunnel}${link}remote = "192.0.2.2:1"\n`, [
    "7:1: error: link.a.port: expected a port only once",
  ]],
  ["no server", `mode = "client"\npassword_file = "x"\n${tunnel}${link}`, [
    "5:7: error: link.a: expected remote here or server at the top, found neither",
  ]],
  ["a bad one of several servers", servers('["a.example", "b..example"]'), [
    '3:24: error: server: expected a host name or address, such as "vpn.example.net"',
  ]],
  ["a server twice", servers('["192.0.2.1", "192.0.2.1"]'), [
    "3:1: error: server: 192.0.2.1 is listed twice (remove one of the two)",
  ]],
  ["an empty list of servers", servers("[]"), [
    "3:1: error: server: expected 1 to 8 hosts, found 0",
  ]],
  ["servers of two families", servers('["192.0.2.1", "a.example", "2001:db8::1"]'), [
    "3:1: warning: server: 192.0.2.1 and 2001:db8::1 are of two families: a link that works with one cannot ask the other",
  ]],
  [
    "too few remotes for the servers",
    `${servers('["192.0.2.1", "b.example"]')}remote = "192.0.2.9"\n`,
    [
      "8:1: error: link.a.remote: expected 2 hosts, one for each server, found 1 (the order is that of server)",
    ],
  ],
  [
    "too many remotes for the server",
    `${servers('"a.example"')}remote = ["b.example", "c.example"]\n`,
    [
      "8:1: error: link.a.remote: expected 1 host, one for each server, found 2",
    ],
  ],
  [
    "links with different numbers of remotes",
    `mode = "client"\npassword_file = "x"\n${tunnel}${link}remote = ["a.example", "b.example"]\n[link.b]\nport = 5081\nremote = "a.example"\n`,
    [
      "10:1: error: link.b.remote: expected 2 hosts, one for each server, found 1",
    ],
  ],
  ["a second server in the tunnel", servers('["192.0.2.1", "10.44.43.2"]'), [
    "6:7: error: link.a: expected a remote outside the tunnel, found 10.44.43.2",
  ]],
  [
    "routes that cover the second server",
    `mode = "client"\npassword_file = "x"\nserver = ["192.0.2.1", "198.51.100.1"]\n${tunnel}routes = ["198.51.100.0/24"]\n${link}`,
    [
      "6:11: warning: tunnel.routes: 198.51.100.0/24 covers the server, so link.a would go into the tunnel",
    ],
  ],
  [
    "a source of another family than the second server",
    `${servers('["192.0.2.1", "2001:db8::1"]')}bind = "192.0.2.9"\n`,
    [
      "3:1: warning: server: 192.0.2.1 and 2001:db8::1 are of two families",
      "8:1: error: link.a.bind: expected an IPv6 address to reach 2001:db8::1 from, found 192.0.2.9",
    ],
  ],
  ["a bad server", `mode = "client"\npassword_file = "x"\nserver = "http://x"\n${tunnel}${link}`, [
    '3:10: error: server: expected a host name or address, such as "vpn.example.net"',
  ]],
  [
    "IPv4 source to an IPv6 remote",
    `${top}${tunnel}[link.a]\nremote="[2001:db8::1]:1"\nbind="192.0.2.9"`,
    [
      "8:1: error: link.a.bind: expected an IPv6 address to reach 2001:db8::1 from, found 192.0.2.9",
    ],
  ],
  ["a source with a prefix", `${top}${tunnel}${link}bind = "192.0.2.9/24"\n`, [
    '8:8: error: link.a.bind: expected an IP address such as "192.0.2.1" or "2001:db8::1", found "192.0.2.9/24" (did you mean "192.0.2.9"?)',
  ]],
  ["a long interface name", `${top}${tunnel}${link}interface = "sixteen-letters-"\n`, [
    "8:13: error: link.a.interface: expected an interface name of at most 15",
  ]],
  ["vrf and interface", `${top}${tunnel}${link}interface = "eth0"\nvrf = "red"\n`, [
    "9:1: error: link.a.vrf: expected either this or interface, found both (a socket is bound to one device: remove one of them)",
  ]],
  ["an unknown tier", `${top}${tunnel}${link}tier = "backpu"\n`, [
    '8:8: error: link.a.tier: expected "primary", "overflow" or "backup", found "backpu" (did you mean "backup"?)',
  ]],
  ["a metered that is a text", `${top}${tunnel}${link}metered = "yes"\n`, [
    '8:11: error: link.a.metered: expected true or false, found "yes" (write true, without quotes)',
  ]],
  ["a metered that is a number", `${top}${tunnel}${link}metered = 0\n`, [
    "8:11: error: link.a.metered: expected true or false, found 0 (write false, without quotes)",
  ]],
  ["a time without a unit", `${top}${tunnel}${link}timeout = "1"\n`, [
    '8:11: error: link.a.timeout: expected a time from 200 ms to 10 min, such as "2 s", found "1" (write a unit, one of ms, s, min, h behind the number)',
  ]],
  ["an MTU of 100", `${top}${tunnel}mtu = 100\n${link}`, [
    "6:7: error: tunnel.mtu: expected a whole number from 576 to 1900, found 100",
  ]],
  ["a small MTU with IPv6", `${top}${tunnel}address6 = "fd00::1/64"\nmtu = 1279\n${link}`, [
    "7:1: error: tunnel.mtu: expected at least 1280 because IPv6 is used, found 1279",
  ]],
  ["an MTU beyond the link's", `${top}${tunnel}mtu = 1450\n${link}mtu = 1500\n`, [
    "9:1: error: link.a.mtu: expected at least 1516, tunnel.mtu and 66 bytes around each packet, found 1500",
  ]],
  ["an address without prefix", `${top}[tunnel]\naddress = "10.44.43.1"\n${link}`, [
    '5:11: error: tunnel.address: expected an IPv4 address of a host with a prefix length, such as "10.44.43.1/30", found "10.44.43.1" (did you mean "10.44.43.1/30"?)',
  ]],
  ["the network as address", `${top}[tunnel]\naddress = "10.44.43.4/30"\n${link}`, [
    '5:11: error: tunnel.address: expected an IPv4 address of a host with a prefix length, such as "10.44.43.1/30", found "10.44.43.4/30" (did you mean "10.44.43.5/30"?)',
  ]],
  ["a gateway elsewhere", `${top}${tunnel}gateway = "10.44.44.2"\n${link}`, [
    "6:1: error: tunnel.gateway: expected an address in 10.44.43.0/30, the network of address, found 10.44.44.2",
  ]],
  ["a gateway that is this end", `${top}${tunnel}gateway = "10.44.43.1"\n${link}`, [
    "6:1: error: tunnel.gateway: expected another address than address",
  ]],
  ["a gateway that is broadcast", `${top}${tunnel}gateway = "10.44.43.3"\n${link}`, [
    "6:1: error: tunnel.gateway: expected the address of a host, found 10.44.43.3",
  ]],
  ["a gateway6 without address6", `${top}${tunnel}gateway6 = "fd00::2"\n${link}`, [
    "6:1: error: tunnel.gateway6: expected tunnel.address6 beside it, found fd00::2",
  ]],
  ["a route with host bits", `${top}${tunnel}routes = ["10.0.0.1/8"]\n${link}`, [
    '6:11: error: tunnel.routes: expected a network such as "192.0.2.0/24", "2001:db8::/32" or "default", found "10.0.0.1/8" (did you mean "10.0.0.0/8"?)',
  ]],
  ["a route twice", `${top}${tunnel}routes = ["10.0.0.0/8", "10.0.0.0/8"]\n${link}`, [
    "6:25: error: tunnel.routes: 10.0.0.0/8 is listed twice",
  ]],
  ["an IPv6 route without address", `${top}${tunnel}routes = ["2001:db8::/32"]\n${link}`, [
    "6:11: warning: tunnel.routes: 2001:db8::/32 is routed to an interface without tunnel.address6",
  ]],
  ["the default route through the tunnel", `${top}${tunnel}routes = "default"\n${link}`, [
    "6:10: warning: tunnel.routes: 0.0.0.0/0 covers the server, so link.a would go into the tunnel (set interface, table, vrf, mark or rdomain of link.a)",
  ]],
  [
    "the default route, which is of both families",
    `${top}${tunnel}address6 = "fd00::1/64"\nroutes = "default"\n${link}`.replace(
      "192.0.2.1",
      "2001:db8::1",
    ),
    [
      "7:10: warning: tunnel.routes: ::/0 covers the server, so link.a would go into the tunnel (set interface, table, vrf, mark or rdomain of link.a)",
    ],
  ],
  ["a remote in the tunnel", `${top}${tunnel}[link.a]\nremote = "10.44.43.2:5080"\n`, [
    "6:7: error: link.a: expected a remote outside the tunnel, found 10.44.43.2",
  ]],
  ["an unknown key", `${top}lisen = 1\n${tunnel}${link}`, [
    '4:1: error: unknown key "lisen" (did you mean "listen"?)',
  ]],
  ["an unknown key like nothing", `${top}${tunnel}${link}[client]`, [
    '8:2: error: client: belongs to mode = "server", this is a client',
  ]],
  ["links that nobody can find", `${top}links = "auto"\nlinks_exclude = ["a b"]\n${tunnel}`, [
    "5:18: error: links_exclude: expected an interface name of at most 15 letters",
    "3:1: error: server: expected a port with each host",
  ]],
  [
    "a pattern with a table",
    `${top}${tunnel}[link.lte]\nport = 1\ninterface = "wwan*"\ntable = 7\n`,
    [
      '9:1: error: link.lte.table: expected one interface beside it, found the pattern "wwan*"',
    ],
  ],
  ["exclusions from nothing", `${top}links_exclude = ["eth0"]\n${tunnel}${link}`, [
    '4:1: warning: links_exclude: has no effect without links = "auto"',
  ]],
  [
    "two links with one pattern",
    `${top}${tunnel}${
      ["a", "b"].map((name) => `[link.${name}]\nport = 1\ninterface = "wwan*"\n`).join("")
    }`,
    [],
  ],
  ["a table with an s", `${top}${tunnel}${link}[links.b]\nport = 1\n`, [
    '8:2: error: links: expected "auto", found a table (the table of a link is [link.NAME])',
  ]],
  ["a key of another table", `mtu = 1400\n${top}${tunnel}${link}`, [
    '1:1: error: unknown key "mtu" ("mtu" belongs in [tunnel])',
  ]],
  ["a top key below a table", `${top}${tunnel}log_level = "info"\n${link}`, [
    '6:1: error: unknown key "log_level" in [tunnel] ("log_level" belongs at the top, before the first table)',
  ]],
  ["keys of mlvpn", `${top}${tunnel}${link}bindhost = "192.0.2.9"\nfallback_only = 1\n`, [
    '8:1: error: unknown key "bindhost" in [link.a] (aggvpn calls it "bind")',
    '9:1: error: unknown key "fallback_only" in [link.a] (aggvpn calls it "tier")',
  ]],
  ["a __proto__ key", `${top}__proto__ = 1\n${tunnel}${link}`, [
    '4:1: error: unknown key "__proto__"',
  ]],
  ["listen at a client", `${top}listen = ["192.0.2.1:1"]\n${tunnel}${link}`, [
    '4:1: error: listen: belongs to mode = "server", this is a client',
  ]],
  ["server and links at a server", `${server}server = "192.0.2.1"\n${tunnel}${link}`, [
    '4:1: error: server: belongs to mode = "client", this is a server',
    '7:2: error: link: belongs to mode = "client", this is a server',
  ]],
  ["a server without listen", `mode = "server"\npassword_file = "x"\n${tunnel}`, [
    "0:0: error: listen: missing, a server needs at least one address and port",
  ]],
  ["an empty listen", `mode = "server"\npassword_file = "x"\nlisten = []\n${tunnel}`, [
    "3:1: error: listen: missing",
  ]],
  ["listen without address", `mode = "server"\npassword_file = "x"\nlisten = ":5080"\n${tunnel}`, [
    '3:10: error: listen: expected an address and a port from 1 to 65535, such as "192.0.2.1:5080" or "[2001:db8::1]:5080", found ":5080" (did you mean "0.0.0.0:5080"?)',
  ]],
  ["listen on a name", `mode = "server"\npassword_file = "x"\nlisten = "a.example:1"\n${tunnel}`, [
    "3:10: error: listen: expected an address and a port",
  ]],
  [
    "listen twice",
    `mode="server"\npassword_file="x"\nlisten=["192.0.2.1:1","192.0.2.1:1"]\n${tunnel}`,
    [
      "3:23: error: listen: 192.0.2.1:1 is listed twice",
    ],
  ],
  [
    "listen covered",
    `mode="server"\npassword_file="x"\nlisten=["0.0.0.0:1","192.0.2.1:1"]\n${tunnel}`,
    [
      "3:21: error: listen: 192.0.2.1:1 is covered by 0.0.0.0:1",
    ],
  ],
  ["a password beside clients", `${server}${tunnel}[client.a]\npassword = "${KEY}"\n`, [
    "2:1: error: password_file: expected in [client.NAME] since there are such tables",
  ]],
  [
    "clients that share a key",
    `mode="server"\nlisten="192.0.2.1:1"\n${tunnel}[client.a]\npassword="${KEY}"\naddress="10.44.43.2"\n[client.b]\npassword="${KEY}"\naddress="10.44.43.2"`,
    [
      "8:9: error: client.b: 10.44.43.2/32 belongs to client.a too",
      "9:1: error: client.b.password: is the same as that of client.a",
    ],
  ],
  [
    "two clients without addresses",
    `mode="server"\nlisten="192.0.2.1:1"\n${tunnel}[client.a]\npassword="${KEY}"\n[client.b]\npassword_file="b"\n`,
    [
      "5:9: error: client.a.address: missing",
      "7:9: error: client.b.address: missing",
    ],
  ],
  ["a client without a password", `mode="server"\nlisten="192.0.2.1:1"\n${tunnel}[client.a]\n`, [
    "5:9: error: client.a.password: missing, and no client.a.password_file either",
  ]],
  ["a rule for no link", `${top}${tunnel}${link}[[rule]]\nlinks = ["b"]\n`, [
    '9:10: error: rule.1.links: expected the name of a link, found "b" (the links are a)',
  ]],
  [
    "a rule that duplicates as it once was written",
    `${top}${tunnel}${link}[[rule]]\nduplicate = true\n`,
    [
      '9:13: error: rule.1.duplicate: expected "off", "needed", "auto" or "all", found true',
    ],
  ],
  ["more rules than are looked at", `${top}${tunnel}${link}${"[[rule]]\n".repeat(65)}`, [
    "8:3: error: rule: expected at most 64, found 65",
  ]],
  ["rule as a table", `${top}${tunnel}${link}[rule]\n`, [
    "8:2: error: rule: expected tables [[rule]], found a table",
  ]],
  ["a percentage as a number", `${top}${tunnel}${link}max_loss = 5\n`, [
    '8:12: error: link.a.max_loss: expected a percentage from 0 % to 100 %, such as "5 %", found 5 (did you mean "5 %"?)',
  ]],
  ["a percentage without its sign", `${top}${tunnel}${link}max_loss = "0.5"\n`, [
    '8:12: error: link.a.max_loss: expected a percentage from 0 % to 100 %, such as "5 %", found "0.5" (did you mean "0.5 %"?)',
  ]],
  [
    "an address that cannot be read, and no second error about what needs it",
    `${top}[tunnel]\naddress = "10.44.43.1/30" "x"\ngateway = "10.44.43.2"\nroutes = ["10.0.0.0/8"]\n${link}`,
    ['5:27: error: expected the end of the line, found "\\"x\\""'],
  ],
  ["a small quota of a link that is not metered", `${top}${tunnel}${link}quota = "49 GB"\n`, [
    "8:1: warning: link.a.quota: an idle link that is not metered carries 2.4 GB of heartbeats a month (write metered = true, or false",
  ]],
  ["a large quota", `${top}${tunnel}${link}quota = "50 GB"\n`, []],
  ["a small quota of a metered link", `${top}${tunnel}${link}metered = true\nquota = 1\n`, []],
  ["a day without a quota", `${top}${tunnel}${link}quota_day = 3\nwhen_used_up = "off"\n`, [
    '8:1: warning: link.a.quota_day: has no effect without quota (write quota = "20 GB", or remove it',
    '9:1: warning: link.a.when_used_up: has no effect without quota (write quota = "20 GB", or remove it',
  ]],
  ["a quota of nothing", `${top}${tunnel}${link}metered = true\nquota = "0 GB"\n`, [
    '9:9: error: link.a.quota: expected a size from 1 B to 1000 TB, such as "20 GB", found "0 GB"',
  ]],
  ["no address at all", `${top}${link}`, ["0:0: warning: tunnel.address: missing"]],
  ["a control path that is relative", `${top}control = "x.sock"\n${tunnel}${link}`, [
    "4:11: error: control: expected an absolute path of at most 103 bytes",
  ]],
  [
    "values of every other kind",
    `${top}name = 1.5\nlog_level = 2026-11-23\ncontrol = ["a"]\n${tunnel}nat = "x"\n${link}mtu = true\nbind = { a = 1 }\n`,
    [
      "4:8: error: name: expected a name of 1 to 32 letters, digits, dashes and underscores, found 1.5",
      "5:13: error: log_level: expected",
      "6:11: error: control: expected an absolute path",
      '9:7: error: tunnel.nat: expected true or false, found "x"',
      "12:7: error: link.a.mtu: expected a whole number from 576 to 1900, found true",
      "13:8: error: link.a.bind: expected an IP address",
    ],
  ],
  [
    "an invalid DSCP",
    `${top}${tunnel}${link}[[rule]]\ndscp = "XX"\n[[rule]]\ndscp = 64\n[[rule]]\ndscp = "AF41"`,
    [
      '9:8: error: rule.1.dscp: expected a DSCP from 0 to 63, or a name such as "EF", "AF41" or "CS5", found "XX"',
      "11:8: error: rule.2.dscp: expected a DSCP",
    ],
  ],
  [
    "more links than there are ids",
    `${top}${tunnel}${
      Array.from({ length: 251 }, (_, i) => `[link.l${i}]\nport = 1\nmark = ${i + 1}\n`).join("")
    }`,
    [
      "6:2: error: link: expected at most 250, found 251",
    ],
  ],
  [
    "passwords that are no text",
    `mode="server"\nlisten="192.0.2.1:1"\n${tunnel}[client.a]\npassword=[]\n[client.b]\npassword={}\n[client.c]\npassword=2026-11-23\n[client.d]\npassword=true`,
    [
      "6:10: error: client.a.password: expected a key of `aggvpn genkey` or a pass phrase, in quotes, found a list",
      "8:10: error: client.b.password: expected a key of `aggvpn genkey` or a pass phrase, in quotes, found a table",
      "10:10: error: client.c.password: expected a key of `aggvpn genkey` or a pass phrase, in quotes, found a date",
      "12:10: error: client.d.password: expected a key of `aggvpn genkey` or a pass phrase, in quotes, found a boolean",
    ],
  ],
  ["a value that no message repeats", `${top}name = "\\u001b[31m\\u202e"\n${tunnel}${link}`, [
    '4:8: error: name: expected a name of 1 to 32 letters, digits, dashes and underscores, found "\\u001b[31m\\u202e"',
  ]],
];

for (const [what, text, expected] of CASES) {
  Deno.test(`parseConfig of ${what} reports exactly that`, () => {
    const lines = problemLines(parse(text));
    const shown = `\n${lines.join("\n")}\n`;
    assertEquals(lines.length, expected.length, shown);
    for (const beginning of expected) assertStringIncludes(shown, `\n${beginning}`);
  });
}

Deno.test("parseConfig of a client without tables finds its links by itself", () => {
  const auto = `mode = "client"
password = "${KEY}"
server = "192.0.2.1:5080"
links = "auto"
links_exclude = ["eth9", "lan*"]
[tunnel]
address = "10.44.43.1/30"
`;
  const { config, problems } = parse(auto);
  assertEquals(problems, []);
  assert(config?.mode === "client");
  assertEquals(config.links.length, SPARE_LINKS);
  assertEquals(new Set(config.links.map(({ options }) => options.spare)), new Set([true]));
  assertEquals(config.linksExclude?.slice(-2), ["eth9", "lan*"]);
  assert(config.linksExclude?.includes("docker*"));

  const tables = parse(`${auto}[link.eth1]\ntier = "backup"\n[link.lte]\ninterface = "wwan*"
[[rule]]\nports = [5060]\nlinks = ["eth1", "wlan0"]\n`).config;
  assert(tables?.mode === "client");
  assertEquals(
    tables.links.slice(0, 3).map(({ name, interface: by, auto }) => [name, by, auto]),
    [["eth1", "eth1", true], ["lte", "wwan*", undefined], ["wlan0", "wlan0", true]],
  );
  assertEquals(tables.links.length, 3 + SPARE_LINKS);
});

Deno.test("parseConfig reports problems of all kinds at once, in the order of the text", () => {
  const text = `mode = "client"
pasword = "x"
server = 192.0.2.1

[tunnel]
adress = "10.44.43.1/30"

[link.a]
port = 70000
port = 5080

[link.a]
bandwidth_upload = 50 Mbit/s

[link.b]
timeout = "1 day"
`;
  assertEquals(problemLines(parse(text)).map((line) => line.split(":", 2).join(":")), [
    "2:1",
    "3:15",
    "6:1",
    "9:8",
    "10:1",
    "12:7",
    "16:11",
  ]);
});

Deno.test("parseConfig says what is wrong with a password file, at the key that names it", () => {
  const lines = (file: Parameters<typeof parseConfig>[1]["readSecretFile"]): string[] =>
    problemLines(
      parseConfig(SMALL_CLIENT, { file: "x.toml", ...file && { readSecretFile: file } }),
    );
  assertEquals(lines(() => ({ error: "/x: no such file", hint: "make one" })), [
    "2:1: error: password_file: /x: no such file (make one)",
  ]);
  assertEquals(lines(() => ({ text: "one\ntwo\nthree\n" })), [
    '2:1: error: password_file: expected one line in "/etc/aggvpn/secret", found 3',
  ]);
  assertEquals(lines(() => ({ text: `${KEY}\r\n`, warning: "open to all", hint: "chmod" })), [
    "2:1: warning: password_file: open to all (chmod)",
  ]);
  assertStringIncludes(lines(() => ({ text: "" }))[0]!, "found none");
  assertStringIncludes(lines(undefined)[0]!, "cannot be read here");
});

Deno.test("parseConfig names a tunnel after its file", () => {
  for (
    const [file, name] of [
      ["/etc/aggvpn/home.toml", "home"],
      ["home", "home"],
      ["./my tunnel.v2.toml", "my-tunnel-v2"],
      ["/etc/aggvpn/.toml", "aggvpn"],
      ["x".repeat(100), "x".repeat(32)],
    ] as const
  ) {
    const readSecretFile = (): { text: string } => ({ text: KEY });
    assertEquals(parseConfig(SMALL_CLIENT, { file, readSecretFile }).config?.name, name);
  }
});

Deno.test("parseConfig() knows the name servers and the guard of a tunnel", () => {
  const read = (lines: string): ReturnType<typeof parse> =>
    parse(SMALL_CLIENT.replace(/^address = .*$/m, `$&\n${lines}`));
  const { config, problems } = read('routes = ["default"]\ndns = ["10.0.0.1"]\nleak_guard = true');
  assertEquals([config?.tunnel.dns.map(String), config?.tunnel.leakGuard], [["10.0.0.1"], true]);
  assertEquals(problems, []);
  const said = (lines: string): string[] =>
    read(lines).problems.map(({ severity, message }) => `${severity}: ${message}`);
  assertEquals(said('leak_guard = true\nroutes = ["10.0.0.0/8"]'), [
    'warning: tunnel.leak_guard: has no effect without "default" in tunnel.routes',
  ]);
  assertEquals(read("leak_guard = true").config?.tunnel.leakGuard, false);
  assertEquals(said('dns = ["192.0.2.53"]'), [
    "warning: tunnel.dns: 192.0.2.53 is not reached through the tunnel",
  ]);
  assertEquals(said('routes = ["default"]\ndns = ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]'), [
    "error: tunnel.dns: expected at most 3, found 4",
  ]);
  const wrong = said('dns = ["fe80::1%eth0"]')[0];
  assertEquals(wrong?.includes('expected an IP address such as "10.44.43.2"'), true, wrong);
});
