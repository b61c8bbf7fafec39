import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ReadCommand, readCommand } from "../../../src/platform/command_output.ts";
import { readUplinks } from "../../../src/platform/linux/host_state.ts";
import { leakGuardChange } from "../../../src/platform/linux/leak_guard.ts";
import type { GuardPlan } from "../../../src/platform/platform.ts";
import { runCommand } from "../../../src/platform/run_changes.ts";
import { address } from "../../addresses.ts";
import { inNewNetwork, networkTest } from "./requirements.ts";

const PLAN: GuardPlan = {
  name: "home-2",
  interface: "agg0",
  remotes: [
    { address: address("192.0.2.1"), port: 5081 },
    { address: address("192.0.2.1"), port: 5080 },
    { address: address("2001:db8::1"), port: 5080 },
    { address: address("192.0.2.1"), port: 5080 },
  ],
  uplinks: ["eth1"],
  asksNames: false,
};

const ADDRESSES = `1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever
2: eth0    inet 192.168.7.1/24 brd 192.168.7.255 scope global eth0\\       valid_lft forever
2: eth0    inet6 2001:db8:7::1/64 scope global \\       valid_lft forever
3: eth1    inet 198.51.100.10/24 scope global eth1\\       valid_lft forever
4: wlan0    inet 10.1.2.3/16 scope global wlan0\\       valid_lft forever
4: wlan0    inet 203.0.113.3/24 scope global wlan0\\       valid_lft forever
5: agg0    inet 10.44.43.1/30 scope global agg0\\       valid_lft forever
`;
const ROUTES = `default via 10.1.0.1 dev wlan0 proto dhcp metric 600
10.1.0.0/16 dev wlan0 proto kernel scope link src 10.1.2.3
`;

const read: ReadCommand = (command) => {
  const line = command.join(" ");
  const output = line === "ip -o address show"
    ? ADDRESSES
    : line === "ip -4 route show table all"
    ? ROUTES
    : "";
  return { success: true, output };
};

Deno.test("leakGuardChange() lets out what the tunnel, the LAN and the link need", () => {
  const { run, undo, look } = leakGuardChange(PLAN, read);
  const table = "inet aggvpn_guard_home-2";
  assertEquals(undo, ["nft", `delete table ${table}`]);
  assertEquals(look!.run, ["nft", "list", "tables", "inet"]);
  assert(look!.shows.test(`table inet other\ntable ${table}\n`));
  assert(!look!.shows.test(`table ${table}x\n`));
  const rules = run[1]!.split(/; |\{ (?=oifname|type|iifname)/);
  assertEquals(rules.slice(0, 2), [`add table ${table}`, `delete table ${table}`]);
  const has = (rule: string): boolean => rules.some((text) => text.startsWith(rule));
  for (
    const rule of [
      'oifname { lo, "agg0" } accept',
      "ip daddr . udp dport { 192.0.2.1 . 5080, 192.0.2.1 . 5081 } accept",
      "ip6 daddr . udp dport { 2001:db8::1 . 5080 } accept",
      'oifname "eth0" ip daddr 192.168.7.0/24 accept',
      'oifname "eth0" ip6 daddr 2001:db8:7::/64 accept',
      'oifname "wlan0" ip daddr 10.1.0.0/16 accept',
      'iifname "agg0" accept',
    ]
  ) assert(has(rule), `${rule} in\n${rules.join("\n")}`);
  assertEquals(rules.filter((rule) => /198\.51\.100|203\.0\.113|dport \{ 53/.test(rule)), []);
});

Deno.test("leakGuardChange() lets questions out only while a name is looked up", () => {
  const { run } = leakGuardChange({ ...PLAN, asksNames: true }, read);
  for (const protocol of ["udp", "tcp"]) {
    assertStringIncludes(run[1]!, `${protocol} dport { 53, 853 } accept`);
  }
});

Deno.test("readUplinks() finds default routes of every table, also over several interfaces", () => {
  const output = `default via 10.1.0.1 dev wlan0 proto dhcp metric 600
default table 101 via 198.51.100.1 dev eth1
default proto static metric 5
	nexthop via 192.0.2.1 dev ppp0 weight 1
	nexthop via 192.0.2.5 dev ppp1 weight 1
192.168.7.0/24 dev eth0 proto kernel scope link src 192.168.7.1
`;
  const names = readUplinks(() => ({ success: true, output }));
  assertEquals([...names].sort(), ["eth1", "ppp0", "ppp1", "wlan0"]);
});

Deno.test({
  ...networkTest("nft takes the guard of every plan, and replaces one by the other", "nft"),
  fn: () =>
    inNewNetwork(() => {
      const plans: GuardPlan[] = [
        { name: "home-2", remotes: [], uplinks: [], asksNames: false },
        PLAN,
        { ...PLAN, asksNames: true },
        { ...PLAN, interface: "agg.0-x", remotes: [{ address: address("fe80::1%eth1"), port: 1 }] },
      ];
      for (const plan of plans) {
        const { run, look } = leakGuardChange(plan, read);
        assertEquals(runCommand(run), { success: true, message: "" });
        assert(look!.shows.test(readCommand(look!.run).output));
      }
      const { undo } = leakGuardChange(PLAN, read);
      assertEquals(runCommand(undo!), { success: true, message: "" });
      assertEquals(readCommand(["nft", "list", "ruleset"]).output, "");
    }),
});
