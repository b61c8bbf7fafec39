import { assertEquals } from "@std/assert";
import { localNetworks } from "../../src/platform/local_networks.ts";
import { prefix } from "../addresses.ts";

/** The local ones of networks such as `eth0 192.168.7.1/24`, with eth1 as an uplink. */
function local(...addresses: readonly string[]): string[] {
  const given = addresses.map((text) => {
    const [name = "", address = ""] = text.split(" ");
    return { interface: name, address: prefix(address) };
  });
  return localNetworks(given, new Set(["eth1"]), "agg0").map(({ interface: name, network }) =>
    `${name} ${network}`
  );
}

Deno.test("localNetworks() takes every network of a LAN, and private ones of an uplink", () => {
  assertEquals(
    local(
      "eth0 192.168.7.1/24",
      "eth0 192.168.7.2/24",
      "eth0 2001:db8:7::1/64",
      "eth1 10.0.0.5/8",
      "eth1 172.31.0.5/20",
      "eth1 fd00:7::5/64",
      "eth1 198.51.100.10/24",
      "eth1 2001:db8:1::10/64",
    ),
    [
      "eth0 192.168.7.0/24",
      "eth0 2001:db8:7::/64",
      "eth1 10.0.0.0/8",
      "eth1 172.31.0.0/20",
      "eth1 fd00:7::/64",
    ],
  );
});

Deno.test("localNetworks() leaves out what an uplink only pretends to be private", () => {
  assertEquals(local("eth1 10.0.0.5/7", "eth1 192.168.0.1/15", "eth1 fd00::1/6"), []);
});

Deno.test("localNetworks() leaves out the tunnel, single addresses, loopback and link-local ones of IPv6", () => {
  assertEquals(
    local("agg0 10.44.43.1/30", "ppp0 10.0.0.5/32", "eth0 fe80::1/64", "lo 127.0.0.1/8"),
    [],
  );
});
