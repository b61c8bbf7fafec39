/** What others change of a running tunnel on OpenBSD is seen in what the commands print, and put back. */

import { assertEquals } from "@std/assert";
import { Repair } from "../../../src/daemon/repair.ts";
import { networkChanges, readPlanState } from "../../../src/platform/openbsd/network.ts";
import type { NetworkPlan } from "../../../src/platform/platform.ts";
import { applyChanges } from "../../../src/platform/run_changes.ts";
import { address, prefix } from "../../addresses.ts";
import { logged } from "../../logged.ts";
import { FakeNetwork } from "./fake_network.ts";
import { gateway } from "./golden.ts";
import { FakeWorld } from "./fake_world.ts";

const PLAN: NetworkPlan = {
  interface: "tun0",
  mtu: 1434,
  addresses: [prefix("10.44.43.1/24"), prefix("2001:db8:44::1/64")],
  gateways: [address("10.44.43.2"), address("2001:db8:44::2")],
  routes: [
    { destination: prefix("0.0.0.0/0"), gateway: address("10.44.43.2") },
    { destination: prefix("198.51.100.0/24"), gateway: address("10.44.43.2") },
    { destination: prefix("2001:db8:99::/48"), gateway: address("2001:db8:44::2") },
  ],
  links: [],
  nat: true,
  mssClamp: true,
};

/** A tunnel that is set up, and what looks after it. */
function start(): { network: FakeNetwork; repair: Repair; ran: string[] } {
  const network = new FakeNetwork(gateway(new FakeWorld()));
  network.create("tun0").tun.open();
  const changes = networkChanges(PLAN, readPlanState((command) => network.read(command), PLAN));
  const run = (command: readonly string[], input?: string) => network.run(command, input);
  applyChanges(changes, () => {}, run);
  const ran: string[] = [];
  const repair = new Repair({
    changes: () => changes,
    mtu: () => PLAN.mtu,
    onTaken: () => {},
    onChange: (line) => ran.push(line.replace(/^\+ (?:printf .* \| )?/, "")),
    look: (command) => Promise.resolve(network.read(command)),
    run,
  });
  return { network, repair, ran };
}

Deno.test("Repair finds nothing to do on a host that is as the tunnel made it", async () => {
  const { repair, ran } = start();
  assertEquals(await logged(() => repair.repair()), []);
  assertEquals(ran, []);
});

Deno.test("Repair puts back addresses, routes, rules and forwarding", async () => {
  const harms: readonly (readonly [string, readonly string[]])[] = [
    ["route -n delete -inet 198.51.100.0/24 10.44.43.2", [
      "route -n add -inet 198.51.100.0/24 10.44.43.2",
    ]],
    ["route -n delete -inet 128.0.0.0/1 10.44.43.2", [
      "route -n add -inet 128.0.0.0/1 10.44.43.2",
    ]],
    ["route -n delete -inet6 2001:db8:99::/48 2001:db8:44::2", [
      "route -n add -inet6 2001:db8:99::/48 2001:db8:44::2",
    ]],
    ["ifconfig tun0 inet 10.44.43.1 delete", [
      "ifconfig tun0 inet 10.44.43.1 10.44.43.2 netmask 255.255.255.0",
      "route -n add -inet 10.44.43.0/24 10.44.43.2",
      "route -n add -inet 0.0.0.0/1 10.44.43.2",
      "route -n add -inet 128.0.0.0/1 10.44.43.2",
      "route -n add -inet 198.51.100.0/24 10.44.43.2",
    ]],
    ["pfctl -q -a aggvpn/tun0 -F rules", ["pfctl -q -a aggvpn/tun0 -f -"]],
    ["sysctl -q net.inet6.ip6.forwarding=0", ["sysctl -q net.inet6.ip6.forwarding=1"]],
  ];
  for (const [harm, remedy] of harms) {
    const { network, repair, ran } = start();
    assertEquals(network.run(harm.split(" ")), { success: true, message: "" });
    const lines = await logged(() => repair.repair());
    assertEquals(ran, remedy);
    assertEquals(lines.length, 1, lines.join("\n"));
    ran.length = 0;
    assertEquals(await logged(() => repair.repair()), [], `after ${harm}`);
    assertEquals(ran, []);
  }
});

Deno.test("Repair leaves an interface down that somebody has taken down", async () => {
  const { network, repair, ran } = start();
  network.run("ifconfig tun0 down".split(" "));
  network.run("route -n delete -inet 198.51.100.0/24 10.44.43.2".split(" "));
  assertEquals(await logged(() => repair.repair()), []);
  assertEquals(ran, []);
  network.run("ifconfig tun0 up".split(" "));
  await logged(() => repair.repair());
  assertEquals(ran, ["route -n add -inet 198.51.100.0/24 10.44.43.2"]);
});
