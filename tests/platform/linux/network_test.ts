import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { leastMtu } from "../../../src/daemon/interface_mtu.ts";
import { AggvpnError } from "../../../src/errors.ts";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { readCommand } from "../../../src/platform/command_output.ts";
import {
  type HostState,
  parseRoute,
  readHostState,
  readKept,
} from "../../../src/platform/linux/host_state.ts";
import { networkChanges } from "../../../src/platform/linux/network.ts";
import { openSocket } from "../../../src/platform/linux/socket.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import type { NetworkPlan, SystemChange } from "../../../src/platform/platform.ts";
import { applyChanges, commandLine } from "../../../src/platform/run_changes.ts";
import { address, prefix } from "../../addresses.ts";
import { batchOf, remoteAt } from "../openbsd/batches.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

const OFF: HostState = {
  forwarding: { ipv4: false, ipv6: false },
  routes: [],
  rulePreferences: new Set([0, 32766, 32767]),
  advertised: [],
};
const ON: HostState = { ...OFF, forwarding: { ipv4: true, ipv6: true } };

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
    { name: "fibre", mark: 102, table: 103, family: 6, remotePorts: [5082] },
    { name: "plain", interface: "eth1" },
    { name: "bound", address: address("192.0.2.11"), table: 104, remotePorts: [5084] },
  ],
  nat: false,
  mssClamp: false,
};

const ROUTER: NetworkPlan = { ...CLIENT, routes: [], links: [], nat: true, mssClamp: true };

/** One change on one line: `run <- undo`. */
function lines(plan: NetworkPlan, state: HostState): string[] {
  const changes = networkChanges(plan, state).filter(({ isDone }) => !isDone);
  return changes.map(({ run, undo, mayFail }) =>
    (mayFail ? "? " : "") + commandLine(run) + (undo ? ` <- ${commandLine(undo)}` : "")
  );
}

Deno.test("networkChanges() sets MTU, addresses and routes, and rules for links with a table", () => {
  assertEquals(lines(CLIENT, OFF), [
    "ip link set dev agg0 mtu 1434 txqueuelen 1000",
    "ip address add 10.44.43.1/30 dev agg0",
    "ip -6 address add 2001:db8:44::1/64 dev agg0 nodad",
    "ip link set dev agg0 up",
    "ip route add 198.51.100.0/24 via 10.44.43.2 dev agg0 onlink proto 78 metric 0" +
    " <- ip route del 198.51.100.0/24 dev agg0 proto 78",
    "ip -6 route add 2001:db8:99::/48 via 2001:db8:44::2 dev agg0 onlink proto 78 metric 1" +
    " <- ip -6 route del 2001:db8:99::/48 dev agg0 proto 78",
    "ip route add 203.0.113.7/32 dev agg0 proto 78 metric 0" +
    " <- ip route del 203.0.113.7/32 dev agg0 proto 78",
    "ip rule add from 192.0.2.10 lookup 101 pref 7800 protocol 78" +
    " <- ip rule del from 192.0.2.10 lookup 101 pref 7800 protocol 78",
    "ip rule add oif wwan0 lookup 102 pref 7801 protocol 78" +
    " <- ip rule del oif wwan0 lookup 102 pref 7801 protocol 78",
    "ip -6 rule add fwmark 102 lookup 103 pref 7802 protocol 78" +
    " <- ip -6 rule del fwmark 102 lookup 103 pref 7802 protocol 78",
    "? ip -6 rule add fwmark 102 ipproto udp dport 5082 unreachable pref 8200 protocol 78" +
    " <- ip -6 rule del fwmark 102 ipproto udp dport 5082 unreachable pref 8200 protocol 78",
    "ip rule add from 192.0.2.11 lookup 104 pref 7804 protocol 78" +
    " <- ip rule del from 192.0.2.11 lookup 104 pref 7804 protocol 78",
    "? ip rule add from 192.0.2.11 ipproto udp dport 5084 unreachable pref 8201 protocol 78" +
    " <- ip rule del from 192.0.2.11 ipproto udp dport 5084 unreachable pref 8201 protocol 78",
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
    "ip route add 0.0.0.0/1 via 10.44.43.2 dev agg0 onlink proto 78 metric 0",
    "ip route add 128.0.0.0/1 via 10.44.43.2 dev agg0 onlink proto 78 metric 0",
    "ip -6 route add ::/1 dev agg0 proto 78 metric 1",
    "ip -6 route add 8000::/1 dev agg0 proto 78 metric 1",
  ]);
});

Deno.test("networkChanges() switches forwarding on for NAT, each family if it was off", () => {
  const sysctl = (plan: NetworkPlan, state: HostState): string[] =>
    lines(plan, state).filter((line) => line.startsWith("sysctl"));
  const ipv4 = "sysctl -q -w net.ipv4.ip_forward=1 <- sysctl -q -w net.ipv4.ip_forward=0";
  const ipv6 = "sysctl -q -w net.ipv6.conf.all.forwarding=1" +
    " <- sysctl -q -w net.ipv6.conf.all.forwarding=0";
  assertEquals(sysctl(ROUTER, OFF), [ipv4, ipv6]);
  assertEquals(sysctl(ROUTER, ON), []);
  const watched = networkChanges(ROUTER, ON).filter(({ isDone }) => isDone);
  assertEquals(watched.map(({ look }) => look!.run.join(" ")), [
    "sysctl -n net.ipv4.ip_forward",
    "sysctl -n net.ipv6.conf.all.forwarding",
  ]);
  assertEquals(sysctl({ ...ROUTER, addresses: [prefix("10.44.43.1/30")] }, OFF), [ipv4]);
  assertEquals(sysctl({ ...ROUTER, nat: false }, OFF), []);
});

Deno.test("networkChanges() routes IPv6 networks that are not unique local instead of translating", () => {
  const rules = (own: string): string => {
    const plan = { ...ROUTER, addresses: [prefix(own)], mssClamp: false };
    return lines(plan, ON).filter((line) => line.startsWith("nft")).join();
  };
  assertEquals(rules("2001:db8:44::1/64"), "");
  assertStringIncludes(rules("fdff:44::1/64"), "ip6 saddr fdff:44::1/64");
  assertStringIncludes(rules("fc00::1/8"), "masquerade");
  assertEquals(rules("fe00::1/8"), "");
});

Deno.test("networkChanges() puts NAT and MSS clamp into a table of the tunnel's own", () => {
  const local = { ...ROUTER, addresses: [prefix("10.44.43.1/30"), prefix("fd00:44::1/64")] };
  assertEquals(
    lines(local, ON).at(-1),
    "nft 'add table inet aggvpn_agg0; delete table inet aggvpn_agg0; table inet aggvpn_agg0 { " +
      "chain postrouting { type nat hook postrouting priority srcnat; " +
      'ip saddr 10.44.43.1/30 oifname != "agg0" masquerade; ' +
      'ip6 saddr fd00:44::1/64 oifname != "agg0" masquerade; }; ' +
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
  return ["address", "route show table all", "-6 route show table all", "rule", "-6 rule"]
    .map(ip).join("\n");
}

/** What this network is, to decide what to change. */
function hostState(): HostState {
  return readHostState(readCommand);
}

Deno.test({
  ...networkTest(
    "networkChanges() are commands that this system takes, that show, and that are undone",
  ),
  fn: () =>
    inNewNetwork(() => {
      const tun = openTun(openLibc(), "agg0");
      ip("link add eth0 type veth peer name wwan0");
      const before = state();
      const changes = networkChanges(CLIENT, hostState());
      const undo = applyChanges(changes, () => {});
      assertStringIncludes(ip("rule"), "7801:	from all oif wwan0 lookup 102");
      assertStringIncludes(ip("route get 198.51.100.1"), "via 10.44.43.2 dev agg0");
      const missing = changes.filter(({ look }) =>
        look && !look.shows.test(readCommand(look.run).output)
      );
      assertEquals(missing, []);
      undo();
      ip("link set dev agg0 down");
      const seen = changes.filter(({ look }) =>
        look && look.shows.test(readCommand(look.run).output)
      );
      // Addresses of IPv4 stay with the interface.
      assertEquals(seen.map(({ run }) => run[3]), ["10.44.43.1/30"]);
      ip("address flush dev agg0");
      ip("link set dev agg0 mtu 1500 txqueuelen 500");
      assertEquals(state().replace("pfifo_fast", "noop"), before);
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
        const link = { name: "dsl", ...bound, table: 101, remotePorts: [5081] };
        const before = ip("rule");
        const plan = { ...CLIENT, routes: [], links: [link] };
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

Deno.test({
  ...networkTest("networkChanges() refuses to replace a network or a route of the host"),
  fn: () =>
    inNewNetwork(() => {
      ip("link add eth0 type veth peer name eth1");
      for (const name of ["eth0", "eth1"]) ip(`link set ${name} up`);
      ip("address add 192.168.7.1/24 dev eth0");
      ip("-6 address add 2001:db8:7::1/64 dev eth0 nodad");
      ip("route add 10.50.0.0/16 via 192.168.7.254");
      ip("route add 10.60.0.0/16 via 192.168.7.254 metric 100");
      ip("-6 route add 2001:db8:60::/48 via 2001:db8:7::2");
      // Carriers and addresses of the link alone come when they come.
      const routes = (): string =>
        ["route", "-6 route"].map(ip).join("\n").replaceAll(/ linkdown|^fe80.*\n/gm, "");
      const before = routes();
      const tun = openTun(openLibc(), "agg0");
      const changes = (...routes: string[]): SystemChange[] =>
        networkChanges(
          { ...CLIENT, links: [], routes: routes.map((text) => ({ destination: prefix(text) })) },
          hostState(),
        );
      const refused: readonly (readonly [string, string])[] = [
        ["192.168.7.0/24", "192.168.7.0/24 dev eth0 proto kernel"],
        ["10.50.0.0/16", "10.50.0.0/16 via 192.168.7.254 dev eth0"],
        ["2001:db8:7::/64", "2001:db8:7::/64 dev eth0 proto kernel"],
      ];
      for (const [route, line] of refused) {
        const message = `Cannot route ${route} into the tunnel: this host has "${line}`;
        assertThrows(() => changes(route), AggvpnError, message);
      }
      // One that comes after the tunnel's stays, and is what it was when the tunnel ends.
      const undo = applyChanges(changes("10.60.0.0/16", "2001:db8:60::/48"), () => {});
      assertStringIncludes(ip("route get 10.60.0.1"), "dev agg0");
      assertStringIncludes(ip("route get 2001:db8:60::1"), "dev agg0");
      assertStringIncludes(ip("route"), "10.60.0.0/16 via 192.168.7.254 dev eth0 metric 100");
      undo();
      tun.close();
      assertEquals(routes(), before);
    }),
});

Deno.test({
  ...networkTest("an interface that stays keeps what others have given it, and nothing of ours"),
  fn: () =>
    inNewNetwork(() => {
      ip("tuntap add agg0 mode tun");
      ip("address add 10.44.43.1/30 dev agg0");
      ip("address add 198.18.0.1/24 dev agg0");
      ip("link set agg0 up");
      ip("route add 203.0.113.7 dev agg0 metric 5");
      ip("route add 198.51.100.0/24 dev agg0 proto 78"); // as after a crash
      const [kept] = readKept(readCommand, "agg0");
      const tun = openTun(openLibc(), "agg0");
      // The carrier and IPv6's own address come a moment after the device is opened.
      const given = (): string =>
        ["-4 -o address", "route", "rule", "-6 rule"].map(ip).join("\n")
          .replaceAll(/ linkdown|^198.51.100.*\n/gm, "");
      const before = given();
      const changes = networkChanges({ ...CLIENT, links: [], kept: kept! }, hostState());
      const undo = applyChanges(changes, () => {});
      assertStringIncludes(ip("route"), "198.51.100.0/24 via 10.44.43.2 dev agg0 proto 78 onlink");
      undo();
      assertEquals(given(), before);
      assertStringIncludes(ip("link show dev agg0"), "UP,LOWER_UP> mtu 1500");
      tun.close();
      ip("link del agg0");
    }),
});

Deno.test("parseRoute() reads what ip-route(8) shows", () => {
  const read = (line: string, family: 4 | 6): (string | number | undefined)[] => {
    const route = parseRoute(line, family);
    return route ? [`${route.destination}`, route.interface, route.protocol, route.metric] : [];
  };
  assertEquals(read("default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.9 metric 100 ", 4), [
    "0.0.0.0/0",
    "eth0",
    "dhcp",
    100,
  ]);
  assertEquals(read("203.0.113.7 dev agg0 scope link", 4), ["203.0.113.7/32", "agg0", "boot", 0]);
  assertEquals(read("unreachable 2001:db8::/32 dev lo metric 1024 pref medium", 6), [
    "2001:db8::/32",
    "lo",
    "boot",
    1024,
  ]);
  assertEquals(read("blackhole 198.51.100.0/24", 4), ["198.51.100.0/24", undefined, "boot", 0]);
  assertEquals(read("\tnexthop via 192.0.2.1 dev eth0 weight 1", 4), []);
  assertEquals(read("", 4), []);
});

Deno.test("networkChanges() guards the ports of all servers", () => {
  const links = [
    { name: "a", mark: 5, table: 101, remotePorts: [5080, 5090] },
    { name: "b", mark: 6, table: 102, remotePorts: [5081] },
  ];
  const guards = lines({ ...CLIENT, links }, OFF).filter((line) => line.includes("unreachable"));
  const numbers = guards.map((line) =>
    /mark (\d+).*? dport (\d+).*? pref (\d+)/.exec(line)!.slice(1)
  );
  assertEquals(numbers, [["5", "5080", "8200"], ["5", "5090", "8201"], ["6", "5081", "8202"]]);
});

Deno.test("networkChanges() takes preferences that no rule has", () => {
  const taken = new Set([...OFF.rulePreferences, 7800, 7802]);
  const rules = lines(CLIENT, { ...OFF, rulePreferences: taken }).filter((line) =>
    line.includes("rule")
  );
  assertEquals(rules.map((line) => /pref (\d+)/.exec(line)?.[1]), [
    "7801",
    "7803",
    "7804",
    "8200",
    "7806",
    "8201",
  ]);
});

Deno.test("networkChanges() keeps default routes of routers while this host forwards", () => {
  const plan = { ...ROUTER, addresses: [prefix("2001:db8:44::1/64")] };
  const sysctl = lines(plan, { ...OFF, advertised: ["eth0.5"] }).filter((line) =>
    line.startsWith("sysctl")
  );
  assertEquals(sysctl, [
    "sysctl -q -w net/ipv6/conf/eth0.5/accept_ra=2" +
    " <- sysctl -q -w net/ipv6/conf/eth0.5/accept_ra=1",
    "sysctl -q -w net.ipv6.conf.all.forwarding=1" +
    " <- sysctl -q -w net.ipv6.conf.all.forwarding=0",
  ]);
});

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
      const table = networkChanges(ROUTER, ON).slice(-1);
      applyChanges(table, () => {});
      const undo = applyChanges(table, () => {});
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
