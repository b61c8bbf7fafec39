import { assertEquals } from "@std/assert";
import { survey } from "../../../src/platform/openbsd/survey.ts";
import { reader } from "./host_outputs.ts";

const IFCONFIG = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 32768
	index 4 priority 0 llprio 3
	inet 127.0.0.1 netmask 0xff000000
em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> rdomain 1 mtu 1500
	lladdr 02:00:00:00:00:01
	inet 198.51.100.10 netmask 0xffffff00 broadcast 198.51.100.255
em2: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	inet 192.168.7.1 netmask 0xffffff00 broadcast 192.168.7.255
tun0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1434
	inet 10.44.43.1 --> 10.44.43.2 netmask 0xfffffffc
`;

Deno.test("survey() finds the uplinks of every routing domain, and all addresses", () => {
  const found = survey(reader({
    ifconfig: IFCONFIG,
    "route -n -T 0 show -inet": "Destination Gateway Flags Refs Use Mtu Prio Iface\n" +
      "10.60/16           192.168.7.254      UGS        0        0     -     8 em2  \n",
    "route -n -T 1 show -inet6":
      "default            fe80::1%em0        UGS        0        0     -     8 em0  \n",
  }));
  assertEquals(found.interfaces, ["lo0", "em0", "em2", "tun0"]);
  assertEquals(
    found.uplinks.map(({ interface: name, rdomain, gateway }) => `${name} ${rdomain} ${gateway}`),
    ["em0 1 198.51.100.1"],
  );
  assertEquals(
    found.addresses.map(({ interface: name, address }) => `${name} ${address}`),
    ["lo0 127.0.0.1/8", "em0 198.51.100.10/24", "em2 192.168.7.1/24", "tun0 10.44.43.1/30"],
  );
  assertEquals(found.routes.map(String).includes("10.60.0.0/16"), true);
});

Deno.test("survey() of a host whose commands tell nothing is empty", () => {
  const found = survey(() => ({ success: false, output: "" }));
  assertEquals(found, { interfaces: [], addresses: [], routes: [], uplinks: [] });
});
