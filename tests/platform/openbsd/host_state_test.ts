import { assertEquals } from "@std/assert";
import {
  hasDefaultRoute,
  readDefaultMtu,
  readHostState,
  readMountOptions,
  readRoutes,
  readRoutingTables,
} from "../../../src/platform/openbsd/host_state.ts";
import type { ReadCommand } from "../../../src/platform/command_output.ts";
import { reader } from "./host_outputs.ts";

Deno.test("readRoutes() reads networks as route(8) shortens them, and their gateways", () => {
  const outputs: Readonly<Record<string, string>> = {
    "-inet": "Routing tables\n\nInternet:\nDestination Gateway Flags Refs Use Mtu Prio Iface\n" +
      "default            10.44.43.2         UGS        0        0     -     8 tun0 \n" +
      "0/1                10.44.43.2         UGS        0        0     -     8 tun0 \n" +
      "198.51.100/24      10.44.43.2         UGS        0        0     -     8 tun0 \n" +
      "198.51.100.64/26   10.44.43.2         UGS        0        0     -     8 tun0 \n" +
      "203.0.113.7        10.44.43.2         UGHS       0        0     -     8 tun0 \n" +
      "192.168.7/24       192.168.7.1        UCn        0        0     -     4 em2  \n" +
      "192.168.7.1        00:00:5e:00:53:01  UHLl       0        0     -     1 em2  \n",
    "-inet6": "2001:db8:99::/48   2001:db8:44::2     UGS        0        0     -     8 tun0 \n",
  };
  const read: ReadCommand = (command) => ({ success: true, output: outputs[command.at(-1)!]! });
  assertEquals(readRoutes(read, 0).map(({ destination, gateway }) => `${destination} ${gateway}`), [
    "0.0.0.0/0 10.44.43.2",
    "0.0.0.0/1 10.44.43.2",
    "198.51.100.0/24 10.44.43.2",
    "198.51.100.64/26 10.44.43.2",
    "203.0.113.7/32 10.44.43.2",
    "192.168.7.0/24 192.168.7.1",
    "2001:db8:99::/48 2001:db8:44::2",
  ]);
});

Deno.test("readRoutingTables() reads domains, their tables and interfaces", () => {
  const tables = readRoutingTables(reader());
  const rdomain0 = { rdomain: 0, interfaces: ["lo0", "enc0", "pflog0", "em2", "tun0"] };
  assertEquals([...tables], [
    [0, rdomain0],
    [5, rdomain0],
    [1, { rdomain: 1, interfaces: ["em0", "lo1"] }],
    [2, { rdomain: 2, interfaces: ["lo2"] }],
  ]);
});

Deno.test("readHostState() tells a disabled pf, another anchor and switches that are not 1", () => {
  assertEquals(readHostState(reader()), {
    forwarding: { ipv4: "1", ipv6: "0" },
    pfEnabled: true,
    hasAnchor: true,
  });
  const other = readHostState(reader({
    "pfctl -s info": "Status: Disabled for 0 days 00:00:01\n",
    "pfctl -s rules": 'anchor "aggvpn" all\nanchor "aggvpn2/*" all\n',
    "sysctl -n net.inet.ip.forwarding": "2\n",
  }));
  assertEquals([other.pfEnabled, other.hasAnchor, other.forwarding.ipv4], [false, false, "2"]);
});

Deno.test("readDefaultMtu() is that of the interface that the default route leaves by", () => {
  const shown = (name: string, mtu: string): string =>
    `${name}: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>${mtu}\n\tindex 3 priority 0\n`;
  const mtu = (changes: Record<string, string>, table = 1): number | undefined =>
    readDefaultMtu(reader(changes), table, 4);
  assertEquals(mtu({ "ifconfig em0": shown("em0", " rdomain 1 mtu 1492") }), 1492);
  assertEquals(mtu({ "ifconfig em0": shown("em0", "") }), undefined);
  assertEquals(mtu({}), undefined);
  assertEquals(mtu({ "ifconfig em0": shown("em0", " mtu 1492") }, 2), undefined);
  const routes = "default  198.51.100.1  UGSP  5  1234  -  8 em0\n" +
    "default  pppoe0  USP  5  1234  -  8 pppoe0\n";
  assertEquals(
    mtu({
      "route -n -T 1 show -inet": routes,
      "ifconfig em0": shown("em0", " mtu 1500"),
      "ifconfig pppoe0": shown("pppoe0", " rdomain 1 mtu 1492"),
    }),
    1500,
  );
});

Deno.test("hasDefaultRoute() and readMountOptions() take the line that counts", () => {
  assertEquals([1, 2].map((table) => hasDefaultRoute(reader(), table, 4)), [true, false]);
  const options = (path: string): string => readMountOptions(reader(), path).join(" ");
  assertEquals(options("/usr/local/bin/deno"), "local nodev wxallowed");
  assertEquals(options("/usr/localy/deno"), "local nodev");
  assertEquals(options("/deno"), "local");
});
