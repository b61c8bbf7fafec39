import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { leastMtu } from "../../../src/daemon/interface_mtu.ts";
import { AggvpnError } from "../../../src/errors.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { type Forwarding, networkChanges } from "../../../src/platform/linux/network.ts";
import { openSocket } from "../../../src/platform/linux/socket.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import type { NetworkPlan } from "../../../src/platform/platform.ts";
import { applyChanges, commandLine } from "../../../src/platform/run_changes.ts";
import { address, prefix } from "../../addresses.ts";
import { batchOf, remoteAt } from "../openbsd/batches.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

const OFF: Forwarding = { ipv4: false, ipv6: false };
const ON: Forwarding = { ipv4: true, ipv6: true };

const CLIENT: NetworkPlan = {
  interface: "agg0",
  mtu: 1434,
  addresses: [prefix("10.44.43.1/30"), prefix("2001:db8:44::1/64")],
  gateways: [address("10.44.43.2"), address("2001:db8:44::2")],
  routes: [
    { destination: prefix("198.51.100.0/24"), gateway: address("10.44.43.2") },
    { destination: prefix("2001:db8:99::/48"), gateway: address("2001:db8:44::2") },
    { destination: prefix("203.0.113.7/32") },
  ],
  links: [
    { name: "dsl", address: address("192.0.2.10"), interface: "eth0", table: 101 },
    { name: "lte", interface: "wwan0", table: 102 },
    { name: "fibre", mark: 102, table: 103, family: 6, remotePort: 5082 },
    { name: "plain", interface: "eth1" },
    { name: "bound", address: address("192.0.2.11"), table: 104, remotePort: 5084 },
  ],
  nat: false,
  mssClamp: false,
};

const ROUTER: NetworkPlan = { ...CLIENT, routes: [], links: [], nat: true, mssClamp: true };

/** One change on one line: `run <- undo`. */
function lines(plan: NetworkPlan, forwarding: Forwarding): string[] {
  return networkChanges(plan, forwarding).map(({ run, undo, mayFail }) =>
    (mayFail ? "? " : "") + commandLine(run) + (undo ? ` <- ${commandLine(undo)}` : "")
  );
}

Deno.test("networkChanges() sets MTU, addresses and routes, and rules for links with a table", () => {
  assertEquals(lines(CLIENT, OFF), [
    "ip link set dev agg0 mtu 1434 txqueuelen 1000",
    "ip address replace 10.44.43.1/30 dev agg0",
    "ip -6 address replace 2001:db8:44::1/64 dev agg0 nodad",
    "ip link set dev agg0 up",
    "ip route replace 198.51.100.0/24 via 10.44.43.2 dev agg0 onlink" +
    " <- ip route del 198.51.100.0/24 via 10.44.43.2 dev agg0",
    "ip -6 route replace 2001:db8:99::/48 via 2001:db8:44::2 dev agg0 onlink" +
    " <- ip -6 route del 2001:db8:99::/48 via 2001:db8:44::2 dev agg0",
    "ip route replace 203.0.113.7/32 dev agg0 <- ip route del 203.0.113.7/32 dev agg0",
    "? ip rule del from 192.0.2.10 lookup 101 pref 7800",
    "ip rule add from 192.0.2.10 lookup 101 pref 7800" +
    " <- ip rule del from 192.0.2.10 lookup 101 pref 7800",
    "? ip rule del oif wwan0 lookup 102 pref 7801",
    "ip rule add oif wwan0 lookup 102 pref 7801 <- ip rule del oif wwan0 lookup 102 pref 7801",
    "? ip -6 rule del fwmark 102 lookup 103 pref 7802",
    "ip -6 rule add fwmark 102 lookup 103 pref 7802" +
    " <- ip -6 rule del fwmark 102 lookup 103 pref 7802",
    "? ip -6 rule del fwmark 102 ipproto udp dport 5082 unreachable pref 8202",
    "? ip -6 rule add fwmark 102 ipproto udp dport 5082 unreachable pref 8202" +
    " <- ip -6 rule del fwmark 102 ipproto udp dport 5082 unreachable pref 8202",
    "? ip rule del from 192.0.2.11 lookup 104 pref 7804",
    "ip rule add from 192.0.2.11 lookup 104 pref 7804" +
    " <- ip rule del from 192.0.2.11 lookup 104 pref 7804",
    "? ip rule del from 192.0.2.11 ipproto udp dport 5084 unreachable pref 8204",
    "? ip rule add from 192.0.2.11 ipproto udp dport 5084 unreachable pref 8204" +
    " <- ip rule del from 192.0.2.11 ipproto udp dport 5084 unreachable pref 8204",
  ]);
});

Deno.test("networkChanges() splits a default route, so that the host's own stays", () => {
  const plan = {
    ...CLIENT,
    links: [],
    addresses: [],
    routes: [{ destination: prefix("0.0.0.0/0"), gateway: address("10.44.43.2") }, {
      destination: prefix("::/0"),
    }],
  };
  assertEquals(networkChanges(plan, OFF).slice(2).map(({ run }) => commandLine(run)), [
    "ip route replace 0.0.0.0/1 via 10.44.43.2 dev agg0 onlink",
    "ip route replace 128.0.0.0/1 via 10.44.43.2 dev agg0 onlink",
    "ip -6 route replace ::/1 dev agg0",
    "ip -6 route replace 8000::/1 dev agg0",
  ]);
});

Deno.test("networkChanges() switches forwarding on for NAT, each family if it was off", () => {
  const sysctl = (plan: NetworkPlan, forwarding: Forwarding): string[] =>
    lines(plan, forwarding).filter((line) => line.startsWith("sysctl"));
  const ipv4 = "sysctl -q -w net.ipv4.ip_forward=1 <- sysctl -q -w net.ipv4.ip_forward=0";
  const ipv6 = "sysctl -q -w net.ipv6.conf.all.forwarding=1" +
    " <- sysctl -q -w net.ipv6.conf.all.forwarding=0";
  assertEquals(sysctl(ROUTER, OFF), [ipv4, ipv6]);
  assertEquals(sysctl(ROUTER, ON), []);
  assertEquals(sysctl({ ...ROUTER, addresses: [prefix("10.44.43.1/30")] }, OFF), [ipv4]);
  assertEquals(sysctl({ ...ROUTER, nat: false }, OFF), []);
});

Deno.test("networkChanges() puts NAT and MSS clamp into a table of the tunnel's own", () => {
  assertEquals(
    lines(ROUTER, ON).at(-1),
    "nft 'add table inet aggvpn_agg0; delete table inet aggvpn_agg0; table inet aggvpn_agg0 { " +
      "chain postrouting { type nat hook postrouting priority srcnat; " +
      'ip saddr 10.44.43.1/30 oifname != "agg0" masquerade; ' +
      'ip6 saddr 2001:db8:44::1/64 oifname != "agg0" masquerade; }; ' +
      "chain forward { type filter hook forward priority mangle; " +
      'oifname "agg0" tcp flags syn tcp option maxseg size set rt mtu; ' +
      'iifname "agg0" tcp flags syn tcp option maxseg size set rt mtu; ' +
      'iifname "agg0" meta nfproto ipv4 tcp flags syn tcp option maxseg size set 1394; ' +
      'iifname "agg0" meta nfproto ipv6 tcp flags syn tcp option maxseg size set 1374; }; }\'' +
      " <- nft 'delete table inet aggvpn_agg0'",
  );
  assertEquals(lines({ ...ROUTER, nat: false }, OFF).filter((line) => line.startsWith("nft")), []);
  const clampOnly = lines({ ...ROUTER, nat: false, interface: "vpn-1.x" }, ON).at(-1)!;
  assertStringIncludes(clampOnly, "table inet aggvpn_vpn_1_x { chain forward");
});

/** A host's rules, routes and addresses. */
function state(): string {
  return ["address", "route show table all", "rule", "-6 rule"].map(ip).join("\n");
}

Deno.test({
  ...networkTest(
    "networkChanges() are commands that this system takes, twice, and that are undone",
  ),
  fn: () =>
    inNewNetwork(() => {
      const tun = openTun(openLibc(), "agg0");
      ip("link add eth0 type veth peer name wwan0");
      const rules = ip("rule");
      const report = (): void => {};
      const changes = networkChanges(CLIENT, OFF);
      const forgotten = applyChanges(changes, report);
      const first = state();
      // As after a crash: nothing was undone.
      const undo = applyChanges(changes, report);
      assertEquals(state(), first);
      assertStringIncludes(ip("rule"), "7801:	from all oif wwan0 lookup 102");
      assertStringIncludes(ip("route get 198.51.100.1"), "via 10.44.43.2 dev agg0");
      undo();
      assertEquals(ip("rule"), rules);
      assertEquals(ip("route show dev agg0 proto boot").includes("198.51.100"), false);
      forgotten();
      tun.close();
    }),
});

for (const way of ["address", "mark"] as const) {
  Deno.test({
    ...networkTest(
      `a link told apart by its ${way} leaves by no other line when its table is empty`,
    ),
    fn: () =>
      inNewNetwork(() => {
        const tun = openTun(openLibc(), "agg0");
        // eth0 is the link's; wwan0 has the default route of the main table.
        for (const [name, own] of [["eth0", "192.0.2.10"], ["wwan0", "198.51.100.10"]] as const) {
          ip(`link add ${name} type veth peer name ${name}p`);
          ip(`link set ${name}p addrgenmode none up`);
          ip(`link set ${name} addrgenmode none arp off up`);
          ip(`address add ${own}/24 dev ${name}`);
        }
        ip("route add default via 198.51.100.1 dev wwan0");
        ip("route add default via 192.0.2.1 dev eth0 table 101");
        const bound = way === "address" ? { address: address("192.0.2.10") } : { mark: 102 };
        const link = { name: "dsl", ...bound, table: 101, remotePort: 5081 };
        const before = ip("rule");
        const plan = { ...CLIENT, links: [link] };
        const undo = applyChanges(networkChanges(plan, OFF), () => {});
        const socket = openSocket(openLibc(), { name: "dsl", family: 4, ...bound });
        const sent = (): (string | number | undefined)[] => {
          const count = socket.send(batchOf(remoteAt("203.0.113.1", 5081), [1]), 0);
          return [count, socket.failure, sentBy("eth0"), sentBy("wwan0")];
        };
        assertEquals(sent(), [1, undefined, 1, 0]);
        ip("route del default table 101");
        assertEquals(sent(), [0, "unreachable", 1, 0]);
        const other = `route get 203.0.113.1 ipproto tcp dport 22`;
        assertStringIncludes(ip(other), "dev wwan0", "others are not kept from it");
        ip("route add default via 192.0.2.1 dev eth0 table 101");
        assertEquals(sent(), [1, undefined, 2, 0]);
        undo();
        assertEquals(ip("rule"), before);
        socket.close();
        tun.close();
      }),
  });
}

/** Packets that an interface has sent. */
function sentBy(name: string): number {
  const [{ stats64 }] = JSON.parse(ip(`-j -s link show dev ${name}`));
  return stats64.tx.packets;
}

/** The commands for another MTU, with what they read. */
function atMtu(plan: NetworkPlan, mtu: number): string[] {
  return networkChanges(plan, ON).flatMap(({ atMtu }) => atMtu ? commandLine(atMtu(mtu).run) : []);
}

Deno.test("networkChanges() are followed by the interface alone when the MTU changes", () => {
  assertEquals(atMtu(ROUTER, 1300), ["ip link set dev agg0 mtu 1300"]);
});

Deno.test({
  ...networkTest("an interface with IPv6 keeps its addresses down to an MTU of 1280, not below"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openTun(openLibc(), "agg0");
      const plan = { ...CLIENT, links: [], routes: [] };
      applyChanges(networkChanges(plan, OFF), () => {});
      const addresses = (mtu: number): boolean[] => {
        for (const line of atMtu(plan, mtu)) ip(line.replace(/^ip /, ""));
        const shown = ip("address show dev agg0");
        return ["10.44.43.1", "2001:db8:44::1"].map((address) => shown.includes(address));
      };
      assertEquals(addresses(leastMtu(plan)), [true, true]);
      assertStringIncludes(ip("link show dev agg0"), "mtu 1280");
      assertEquals(addresses(1279), [true, false]);
      tun.close();
    }),
});

Deno.test({
  ...networkTest("networkChanges() that fail half-way leave nothing behind"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openTun(openLibc(), "agg0");
      const rules = ip("rule");
      const links = [...CLIENT.links, {
        name: "bad",
        address: address("192.0.2.9"),
        table: 2 ** 32,
      }];
      const error = assertThrows(
        () => applyChanges(networkChanges({ ...CLIENT, links }, OFF), () => {}),
        AggvpnError,
      );
      assertStringIncludes(error.message, "ip rule add from 192.0.2.9");
      assertEquals(ip("rule"), rules);
      tun.close();
    }),
});

Deno.test({
  ...networkTest("networkChanges() has rules that nft loads twice and deletes", "nft", "sysctl"),
  fn: () =>
    inNewNetwork(() => {
      const tun = openTun(openLibc(), "agg0");
      const changes = networkChanges(ROUTER, OFF);
      applyChanges(changes, () => {});
      const undo = applyChanges(changes, () => {});
      const ruleset = (): string =>
        new TextDecoder().decode(
          new Deno.Command("nft", { args: ["list ruleset"] }).outputSync().stdout,
        );
      assertStringIncludes(ruleset(), `ip saddr 10.44.43.0/30 oifname != "agg0" masquerade`);
      undo();
      assertEquals(ruleset(), "");
      tun.close();
    }),
});
