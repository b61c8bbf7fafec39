/**
 * Files of mlvpn as they are written: by who follows the article that made it known on OpenBSD, and
 * with every option of its manual.
 *
 * @module
 */

/** A gateway whose two uplinks are in routing domains of their own. */
export const DOMAINS_CLIENT = `[general]
statuscommand = "/etc/mlvpn/mlvpn_updown.sh"
mode = "client"
ip4 = "10.44.43.1/30"
ip4_gateway = "10.44.43.2"
ip4_routes = "0.0.0.0/0"
timeout = 30
password = "a phrase that both ends know"
reorder_buffer_size = 128
tuntap = "tun"
interface_name = "tun0"

[dsl1]
bindfib = 1
remotehost = "192.0.2.1"
remoteport = 5080
bandwidth_upload = 125000

[dsl2]
bindfib = 2
remotehost = "192.0.2.1"
remoteport = 5081
bandwidth_upload = 250000
`;

/** Its server. */
export const DOMAINS_SERVER = `[general]
statuscommand = "/etc/mlvpn/mlvpn_updown.sh"
mode = "server"
ip4 = "10.44.43.2/30"
ip4_gateway = "10.44.43.1"
password = "a phrase that both ends know"
tuntap = "tun"
interface_name = "tun0"

[dsl1]
bindhost = "192.0.2.1"
bindport = 5080
bandwidth_upload = 1250000

[dsl2]
bindhost = "192.0.2.1"
bindport = 5081
bandwidth_upload = 2500000
`;

/** Every option there is, with comments between them, as in the file that packages install. */
export const FULL = `# a whole file
[general]
statuscommand = "/etc/mlvpn/updown" # a script
mode = "client"
ip4 = "10.42.43.1/30"
ip6 = "fd00:42::1/64"
ip4_gateway = "10.42.43.2"
ip6_gateway = "fd00:42::2"
ip4_routes = "198.51.100.0/24 10.8/16"
ip6_routes = "2001:db8:8::/48"
mtu = 1444
tuntap = "tun"
interface_name = "mlvpn7"
timeout = 30
password = "please change me!"
cleartext_data = 0
control_unix_path = "/run/mlvpn.sock"
control_bind_host = "0.0.0.0"
control_bind_port = "1040"
reorder_buffer_size = 64
loss_tolerence = 10
latency_tolerence = 400

[filters]
dsl1 = "udp port 5060"
wifi = "udp port 5060"
wifi = "tcp dst port 25 and dst net 203.0.113.0/24"

[dsl1]
bindhost = "198.51.100.2"
bindport = 5082
remotehost = "192.0.2.1"
remoteport = 5080
bandwidth_upload = 61440
timeout = 25

[wifi]
bindhost = "0.0.0.0"
remotehost = "192.0.2.1"
remoteport = 5081
loss_tolerence = 30
latency_tolerence = 1000

[lte]
bindfib = 3
remotehost = "192.0.2.1"
remoteport = 5082
fallback_only = 1
`;
