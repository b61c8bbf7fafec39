/** The watch in a network of its own, whose changes the real kernel tells. */

import { assert, assertEquals } from "@std/assert";
import { openLibc } from "../../../src/platform/linux/libc.ts";
import { type LinuxNetworkWatch, watchNetwork } from "../../../src/platform/linux/network_watch.ts";
import { openTun } from "../../../src/platform/linux/tun.ts";
import type { WatchedLink } from "../../../src/platform/platform.ts";
import { address } from "../../addresses.ts";
import { inNewNetwork, ip, networkTest } from "./requirements.ts";

const REMOTE = address("203.0.113.1");
const LINKS: readonly WatchedLink[] = [
  {
    socket: { name: "both", family: 4, interface: "eth0", address: address("198.51.100.2") },
    remote: REMOTE,
  },
  { socket: { name: "address", family: 4, address: address("198.51.100.2") }, remote: REMOTE },
  { socket: { name: "mark", family: 4, mark: 7 }, remote: REMOTE },
  { socket: { name: "six", family: 6, interface: "eth0" }, remote: address("2001:db8:9::1") },
  { socket: { name: "listen", family: 4, address: address("198.51.100.2"), port: 5080 } },
  { socket: { name: "any", family: 4, address: address("0.0.0.0"), port: 5080 } },
];

/** Runs `body` with a watch in a network with the cable eth0, eth1. */
function watching(body: (watch: LinuxNetworkWatch) => void): void {
  inNewNetwork(() => {
    ip("link set lo up"); // until there is one address, Linux lets sockets bind to any
    const watch = watchNetwork(openLibc(), LINKS);
    try {
      body(watch);
    } finally {
      watch.close();
    }
  });
}

/** Kinds of changes after commands of ip(8). */
function after(watch: LinuxNetworkWatch, ...commands: readonly string[]): string[] {
  for (const command of commands) ip(command);
  return [...watch.drain().kinds].sort();
}

/** What is in the way of each link. */
function obstacles(watch: LinuxNetworkWatch): (string | undefined)[] {
  return LINKS.map((_, link) => watch.look(link).obstacle);
}

const PREPARE = [
  "link add eth0 type veth peer name eth1",
  "link set eth0 addrgenmode none",
  "link set eth1 addrgenmode none up",
  "link set eth0 up",
  "addr add 198.51.100.2/30 dev eth0",
  "addr add 2001:db8:1::2/64 dev eth0 nodad",
  "-6 route add 2001:db8:9::/48 via 2001:db8:1::1",
  "route add 203.0.113.1 via 198.51.100.1 dev eth0",
];
const FREE = LINKS.map(() => undefined);

Deno.test({
  ...networkTest("watchNetwork() hears of what may concern a link, and knows what is in its way"),
  fn: () =>
    watching((watch) => {
      assertEquals([...watch.drain().kinds], []);
      const gone = [
        "eth0 does not exist",
        "no interface has 198.51.100.2",
        "no route to 203.0.113.1",
        "eth0 does not exist",
        "no interface has 198.51.100.2",
        undefined,
      ];
      assertEquals(obstacles(watch), gone);
      assertEquals(after(watch, ...PREPARE), ["address", "interface", "route"]);
      untilFree(watch);

      assert(after(watch, "link set eth1 down").includes("interface"));
      const noCarrier = "eth0 has no carrier";
      const carried = [noCarrier, noCarrier, noCarrier, noCarrier, undefined, undefined];
      assertEquals(obstacles(watch), carried);
      after(watch, "link set eth1 up");
      untilFree(watch);

      assert(!after(watch, "route add 192.0.2.0/24 via 198.51.100.1").includes("route"));
      assert(after(watch, "route del 203.0.113.1").includes("route"));
      const noRoute = "no route to 203.0.113.1";
      const routed = [noRoute, noRoute, noRoute, undefined, undefined, undefined];
      assertEquals(obstacles(watch), routed);
      after(watch, "route add default via 198.51.100.1");
      assertEquals(obstacles(watch), FREE);
      after(watch, "route add unreachable 203.0.113.1");
      assertEquals(obstacles(watch), routed);
      after(watch, "route del unreachable 203.0.113.1");

      assert(after(watch, "addr del 198.51.100.2/30 dev eth0").includes("address"));
      assertEquals(obstacles(watch)[0], "no interface has 198.51.100.2");
      after(watch, "link del eth0");
      assertEquals(obstacles(watch), gone);
    }),
});

Deno.test({
  ...networkTest("LinuxNetworkWatch.look() asks in the table of a link's mark or address"),
  fn: () =>
    watching((watch) => {
      after(watch, ...PREPARE);
      untilFree(watch);
      after(watch, "route del 203.0.113.1", "rule add fwmark 7 lookup 1000");
      const noRoute = "no route to 203.0.113.1";
      assertEquals(obstacles(watch).slice(0, 3), [noRoute, noRoute, noRoute]);
      assert(after(watch, "route add default via 198.51.100.1 table 1000").includes("route"));
      assertEquals(obstacles(watch).slice(0, 3), [noRoute, noRoute, undefined]);
      after(watch, "rule add from 198.51.100.2 lookup 1000");
      assertEquals(obstacles(watch), FREE);
    }),
});

Deno.test({
  ...networkTest("LinuxNetworkWatch.look() tells the interface and its MTU"),
  fn: () =>
    watching((watch) => {
      after(watch, ...PREPARE);
      untilFree(watch);
      const before = watch.look(1);
      assert(after(watch, "link set eth0 mtu 1492").includes("interface"));
      assertEquals(watch.look(1), { ...before, mtu: 1492 });
      assertEquals(watch.look(0), watch.look(1));
      after(watch, "link del eth0", ...PREPARE);
      untilFree(watch);
      assert(watch.look(0).interface > before.interface);
    }),
});

Deno.test({
  ...networkTest("LinuxNetworkWatch needs no route where the other end is the only one"),
  fn: () =>
    watching((watch) => {
      after(watch, "tuntap add eth0 mode tun", "link set eth0 up");
      ip("addr add 198.51.100.2 peer 198.51.100.1 dev eth0");
      assertEquals(watch.look(0).obstacle, "eth0 has no carrier");
      // Something has to hold it open, which is its carrier.
      const tun = openTun(openLibc(), "eth0", "plain");
      assertEquals(obstacles(watch).slice(0, 2), [undefined, "no route to 203.0.113.1"]);
      tun.close();
    }),
});

Deno.test({
  ...networkTest("LinuxNetworkWatch.drain() leaves out thousands of routes, and survives more"),
  fn: () =>
    watching((watch) => {
      after(watch, ...PREPARE);
      untilFree(watch);
      const routes = (count: number): string =>
        Array.from({ length: count }, (_, i) =>
          `route add 10.${i >> 16 & 255}.${i >> 8 & 255}.${i & 255} dev eth0`).join("\n");
      watch.drain();
      batch(routes(1000));
      const start = performance.now();
      const { kinds: heard } = watch.drain();
      const tookMs = performance.now() - start;
      assert(tookMs < 1000, `${tookMs} ms`);
      assert(!heard.has("route") && !heard.has("lost"));
      ip("route flush root 10.0.0.0/8");
      while (watch.drain().kinds.size > 0);
      batch(routes(20_000));
      const kinds = new Set<string>();
      for (let i = 0; i < 100; i++) {
        for (const kind of watch.drain().kinds) {
          kinds.add(kind);
        }
      }
      assert(kinds.has("lost") && !kinds.has("route"));
      assert(after(watch, "route del 203.0.113.1").includes("route"));
    }),
});

/** Waits until Linux says that the interfaces have their carriers, which it does on its own time. */
function untilFree(watch: LinuxNetworkWatch): void {
  const end = performance.now() + 10_000;
  while (obstacles(watch).some((obstacle) => obstacle !== undefined)) {
    assert(performance.now() < end, `${obstacles(watch)}`);
  }
  watch.drain();
}

/** Runs many commands with one ip(8). */
function batch(lines: string): void {
  const file = Deno.makeTempFileSync();
  Deno.writeTextFileSync(file, lines + "\n");
  ip(`-batch ${file}`);
  Deno.removeSync(file);
}
