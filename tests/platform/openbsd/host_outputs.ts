/**
 * A gateway that has everything, as its commands show it.
 *
 * @module
 */

import type { CommandOutput, ReadCommand } from "../../../src/platform/command_output.ts";

/** What commands print, by command line; as the sources of OpenBSD's base system print it. */
const OUTPUTS: Readonly<Record<string, string>> = {
  "netstat -R": `Rdomain 0
  Interfaces: lo0 enc0 pflog0 em2 tun0
  Routing tables: 0 5

Rdomain 1
  Interfaces: em0 lo1
  Routing table: 1

Rdomain 2
  Interface: lo2
  Routing table: 2

`,
  "route -n -T 1 show -inet": `Routing tables

Internet:
Destination        Gateway            Flags   Refs      Use   Mtu  Prio Iface
default            198.51.100.1       UGS        5     1234     -     8 em0
198.51.100/24      198.51.100.10      UCn        1        0     -     4 em0
198.51.100.10      02:00:00:00:00:01  UHLl       0       12     -     1 em0
`,
  "route -n -T 2 show -inet": "Routing tables\n",
  "pfctl -s info": `Status: Enabled for 3 days 01:02:03           Debug: err

State Table                          Total             Rate
  current entries                       27
`,
  "pfctl -s rules": `match in all scrub (no-df random-id max-mss 1440)
block return all
pass all flags S/SA
anchor "relayd/*" all
anchor "aggvpn/*" all
`,
  "sysctl -n net.inet.ip.forwarding": "1\n",
  "sysctl -n net.inet6.ip6.forwarding": "0\n",
  mount: `/dev/sd0a on / type ffs (local)
/dev/sd0e on /home type ffs (local, nodev, nosuid)
/dev/sd0d on /usr type ffs (local, nodev)
/dev/sd0h on /usr/local type ffs (local, nodev, wxallowed)
/dev/sd0g on /usr/localx type ffs (local, nodev)
`,
};

/** Answers commands; `changes` are answers of another host. */
export function reader(changes: Readonly<Record<string, string>> = {}): ReadCommand {
  const outputs: Record<string, string | undefined> = { ...OUTPUTS, ...changes };
  return (command): CommandOutput => {
    const output = outputs[command.join(" ")];
    return output === undefined ? { success: false, output: "" } : { success: true, output };
  };
}
