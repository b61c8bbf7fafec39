/**
 * Valid configurations, with every key, for tests to break.
 *
 * @module
 */

import { parseConfig, type ParseResult } from "../../src/config/parse.ts";

/** A visibly fake key. */
export const KEY = "aggvpn1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/** The client of design.md section 6. */
export const SMALL_CLIENT = `mode = "client"
password_file = "/etc/aggvpn/secret"
server = "1.2.3.4"

[tunnel]
address = "10.44.43.1/30"
gateway = "10.44.43.2"

[link.dsl1]
port = 5080
rdomain = 1

[link.dsl2]
port = 5081
rdomain = 2
`;

/** The server of design.md section 6. */
export const SMALL_SERVER = `mode = "server"
password_file = "/etc/aggvpn/secret"
listen = ["1.2.3.4:5080", "1.2.3.4:5081"]

[tunnel]
address = "10.44.43.2/30"
`;

/** A client with every key. */
export const FULL_CLIENT = `mode = "client"
name = "home"
password = "${KEY}"
server = "vpn.example.net:5080"
control = "/var/run/aggvpn/other.sock"
log_level = "debug"
log_format = "json"
status_command = "/etc/aggvpn/status"
sandbox = false

[tunnel]
interface = "agg0"
address = "10.44.43.1/30"
address6 = "fd00:44::1/64"
gateway = "10.44.43.2"
gateway6 = "fd00:44::2"
mtu = 1400
routes = ["10.99.0.0/16", "2001:db8:9::/48"]
nat = true
mss_clamp = false
offload = false
rdomain = 0
up = "/etc/aggvpn/up.sh"
down = "/etc/aggvpn/down.sh"
schedule = "steady"
duplicate = "auto"

[link.dsl]
bind = "198.51.100.10"
local_port = 4000
interface = "eth1"
table = 101
mark = 0x10
bandwidth_upload = "10 Mbit/s"
bandwidth_download = "6.25 MB/s"
mtu = 1492

[link.lte]
remote = "[2001:db8::1]:5081"
vrf = "vrf-lte"
tier = "backup"
metered = true
quota = "20 GB"
quota_day = 31
when_used_up = "off"
max_latency = "300 ms"
max_loss = "5 %"
timeout = "20 s"

[link.sat]
port = 5082
rdomain = 3
metered = true

[[rule]]
protocol = "udp"
ports = [53, 5060]
dscp = "EF"
source = "192.168.0.0/16"
destination = "default"
links = ["dsl"]
class = "interactive"
duplicate = "all"

[[rule]]
dscp = 8
`;

/** A server of several clients. */
export const FULL_SERVER = `mode = "server"
listen = ["192.0.2.1:5080", "[2001:db8::1]:5080"]

[tunnel]
address = "10.44.43.1/24"

[client.home]
password = "${KEY}"
address = "10.44.43.2/24"
address6 = "fd00:44::2"
routes = ["192.168.7.0/24"]

[client.office]
password_file = "/etc/aggvpn/office"
address = "10.44.43.3"
`;

/** Parses with password files that all hold a good pass phrase. */
export function parse(text: string): ParseResult {
  return parseConfig(text, {
    file: "/etc/aggvpn/sample.toml",
    readSecretFile: () => ({ text: "correct horse battery staple\n" }),
  });
}

/** Writes each problem on its own line, with its hint. */
export function problemLines(result: ParseResult): string[] {
  return result.problems.map(({ line, column, severity, message, hint }) =>
    `${line}:${column}: ${severity}: ${message}${hint === undefined ? "" : ` (${hint})`}`
  );
}
