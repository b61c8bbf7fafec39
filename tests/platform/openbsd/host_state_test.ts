import { assertEquals } from "@std/assert";
import {
  hasDefaultRoute,
  readDefaultMtu,
  readHostState,
  readMountOptions,
  readRoutingTables,
} from "../../../src/platform/openbsd/host_state.ts";
import { reader } from "./host_outputs.ts";

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
    "pfctl -s rules": 'anchor "aggvpn/*" all\nanchor "aggvpn2" all\n',
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
