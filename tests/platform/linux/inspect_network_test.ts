import { assertEquals } from "@std/assert";
import { readCommand } from "../../../src/platform/command_output.ts";
import { inspectNetwork } from "../../../src/platform/linux/inspect_network.ts";
import type { HostNeeds, LinkNeeds } from "../../../src/platform/platform.ts";
import { address, prefix } from "../../addresses.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

const SERVER = address("192.0.2.1");

interface Wanted {
  readonly routes?: readonly string[];
  readonly addresses?: readonly string[];
  readonly links?: readonly Partial<LinkNeeds>[];
}

/** `severity: message` of each finding. */
function inspect({ routes = [], addresses = [], links = [] }: Wanted): string[] {
  const needs: HostNeeds = {
    tunName: undefined,
    plan: {
      interface: "agg0",
      addresses: addresses.map(prefix),
      routes: routes.map((text) => ({ destination: prefix(text) })),
    },
    links: links.map((link) => ({ name: "dsl", family: 4, remotes: [SERVER], ...link })),
    listen: [],
    leakGuard: false,
    nat: false,
    mssClamp: false,
    forwarding: false,
    openFiles: 106,
  };
  return inspectNetwork(readCommand, needs).map(({ severity, message }) =>
    `${severity}: ${message.trimEnd()}`
  );
}

/** A LAN on eth0 and an uplink without anything on eth1. */
function buildHost(): void {
  for (const [name, peer] of [["eth0", "peer0"], ["eth1", "peer1"]]) {
    ip(`link add ${name} type veth peer name ${peer}`);
    for (const end of [name, peer]) ip(`link set ${end} up`);
  }
  ip("address add 192.168.7.1/24 dev eth0");
}

Deno.test({
  ...networkTest("inspectNetwork() finds routes that are taken, and those that wait"),
  fn: () =>
    inNewNetwork(() => {
      buildHost();
      ip("route add 10.50.0.0/16 via 192.168.7.254");
      ip("route add 10.60.0.0/16 via 192.168.7.254 metric 100");
      ip("route add default via 192.168.7.254");
      const routes = ["192.168.7.0/24", "10.50.0.0/16", "10.60.0.0/16", "10.70.0.0/16"];
      assertEquals(inspect({ routes: [...routes, "0.0.0.0/0"] }), [
        "error: Cannot route 192.168.7.0/24 into the tunnel: this host has " +
        '"192.168.7.0/24 dev eth0 proto kernel scope link src 192.168.7.1"',
        "error: Cannot route 10.50.0.0/16 into the tunnel: this host has " +
        '"10.50.0.0/16 via 192.168.7.254 dev eth0"',
        "warning: 10.60.0.0/16 goes into the tunnel while it runs, not by " +
        '"10.60.0.0/16 via 192.168.7.254 dev eth0 metric 100"',
      ]);
    }),
});

Deno.test({
  ...networkTest("inspectNetwork() finds a tunnel's network on another interface, not on its own"),
  fn: () =>
    inNewNetwork(() => {
      buildHost();
      ip("link add agg0 type veth peer name agg1");
      ip("address add 10.44.43.1/30 dev agg0");
      assertEquals(inspect({ addresses: ["192.168.7.9/30", "10.44.43.1/30"] }), [
        `warning: The tunnel's network 192.168.7.8/30 overlaps 192.168.7.1/24 of "eth0"`,
      ]);
    }),
});

Deno.test({
  ...networkTest("inspectNetwork() finds that IPv6 goes around the tunnel"),
  fn: () =>
    inNewNetwork(() => {
      buildHost();
      const routes = ["0.0.0.0/0"];
      assertEquals(inspect({ routes }), []);
      ip("-6 route add default via fe80::1 dev eth0 metric 1024");
      const message = 'IPv6 goes around the tunnel: this host has "default via fe80::1 dev eth0';
      const [found = "", ...more] = inspect({ routes });
      assertEquals([found.startsWith(`warning: ${message}`), more], [true, []]);
      assertEquals(inspect({ routes: [...routes, "::/0"] }), []);
      assertEquals(inspect({ routes: ["10.99.0.0/16"] }), []);
    }),
});

Deno.test({
  ...networkTest("inspectNetwork() finds links without a route or an address"),
  fn: () =>
    inNewNetwork(() => {
      buildHost();
      ip("route add 192.0.2.1/32 dev eth1 table 101");
      const links = [
        { interface: "eth1" },
        { interface: "eth0" },
        { address: address("192.168.7.1") },
        { table: 101 },
        { table: 102 },
      ];
      assertEquals(inspect({ links }), [
        'warning: Link "dsl": interface "eth1" has no IPv4 address',
        'warning: Link "dsl": this host has no route to 192.0.2.1 by "eth0"',
        'warning: Link "dsl": this host has no route to 192.0.2.1',
        'warning: Link "dsl": table 102 has no route to 192.0.2.1',
      ]);
      const remotes = [SERVER, address("198.51.100.1")];
      assertEquals(inspect({ links: [{ remotes }, { interface: "eth1", remotes }] }), [
        'warning: Link "dsl": this host has no route to 192.0.2.1',
        'warning: Link "dsl": this host has no route to 198.51.100.1',
        'warning: Link "dsl": interface "eth1" has no IPv4 address',
        'warning: Link "dsl": this host has no route to 198.51.100.1 by "eth1"',
      ]);
      ip("route add default via 192.168.7.254");
      ip("route add default dev eth1 metric 200");
      ip("address add 198.51.100.10/24 dev eth1");
      assertEquals(inspect({ links: links.slice(0, 3) }), []);
    }),
});
