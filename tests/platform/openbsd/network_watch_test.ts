import { assert, assertEquals } from "@std/assert";
import {
  type OpenbsdNetworkWatch,
  watchNetwork,
} from "../../../src/platform/openbsd/network_watch.ts";
import { parseMessage } from "../../../src/platform/openbsd/route_messages.ts";
import { sandbox } from "../../../src/platform/openbsd/sandbox.ts";
import type { WatchedLink } from "../../../src/platform/platform.ts";
import { address } from "../../addresses.ts";
import { Rng } from "../../pair/rng.ts";
import { NUMBERS } from "./abi.ts";
import { makeTunnel, until, untilUp } from "./ends.ts";
import { FakeLibc } from "./fake_libc.ts";
import { FakeRouteSocket } from "./fake_routing.ts";
import { FakeWorld } from "./fake_world.ts";
import { gateway, goldenTest } from "./golden.ts";

const REMOTE = address("192.0.2.1");
const LINKS: readonly WatchedLink[] = [
  { socket: { name: "dsl1", family: 4, rdomain: 1 }, remote: REMOTE },
  {
    socket: { name: "dsl2", family: 4, rdomain: 2, address: address("203.0.113.20") },
    remote: REMOTE,
  },
  { socket: { name: "six", family: 6, rdomain: 1 }, remote: address("2001:db8::1") },
  { socket: { name: "listen", family: 4, address: address("192.168.7.1"), port: 5080 } },
];
const EM0 = { index: 2, name: "em0", isUp: true, linkState: NUMBERS.LINK_STATE_UP, mtu: 1500 };
const ROUTE = { table: 1, index: 2, flags: NUMBERS.RTF_UP, destination: REMOTE.bytes };

function obstacles(watch: OpenbsdNetworkWatch): (string | undefined)[] {
  return LINKS.map((_, link) => watch.look(link).obstacle);
}

function kinds(watch: OpenbsdNetworkWatch): string[] {
  return [...watch.drain().kinds].sort();
}

/** A watch in a process that has entered the sandbox. */
function watching(): { libc: FakeLibc; watch: OpenbsdNetworkWatch } {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  const watch = watchNetwork(libc, LINKS);
  sandbox(libc, { programs: [], files: [], directories: [], lookups: [] });
  return { libc, watch };
}

goldenTest(
  "network_watch",
  "watchNetwork() opens two routing sockets before pledge(2), and reads them after it",
  (record, make) => {
    const libc = make(gateway(new FakeWorld()));
    const watch = watchNetwork(libc, LINKS.slice(0, 2));
    record.step("open", libc);
    sandbox(libc, { programs: [], files: [], directories: [], lookups: [] });
    libc.takeCalls();
    watch.look(0);
    record.step("look at a link of a table", libc);
    watch.look(1);
    record.step("look at a link with an address", libc);
    libc.host.table(1).hasRoute = false;
    watch.look(0);
    record.step("look without a route", libc);
    libc.routing.interface({ ...EM0, linkState: NUMBERS.LINK_STATE_DOWN });
    libc.routing.announce(5, "ppp0", "IFAN_ARRIVAL");
    libc.routing.address("RTM_DELADDR", 2, 1);
    libc.routing.route("RTM_DELETE", { ...ROUTE, prefix: 24 });
    watch.drain();
    record.step("hear", libc);
    watch.close();
    record.step("close", libc);
    assertEquals([libc.files.open, libc.sandbox.refusals], [[], []]);
  },
);

Deno.test("OpenbsdNetworkWatch.look() knows what is in the way of a link", () => {
  const { libc, watch } = watching();
  assertEquals(obstacles(watch), [undefined, undefined, undefined, undefined]);
  libc.routing.interface({ ...EM0, linkState: NUMBERS.LINK_STATE_DOWN });
  libc.host.table(1).isRouteUp = false;
  assertEquals(kinds(watch), ["interface"]);
  const noCarrier = "em0 has no carrier";
  assertEquals(obstacles(watch), [noCarrier, undefined, noCarrier, undefined]);
  libc.routing.interface({ ...EM0, isUp: false });
  watch.drain();
  assertEquals(watch.look(0).obstacle, "em0 is down");
  libc.routing.interface(EM0);
  libc.host.table(1).isRouteUp = true;
  watch.drain();
  assertEquals(watch.look(0), { obstacle: undefined, interface: 2, mtu: 1500 });
  libc.routing.interface({ ...EM0, linkState: NUMBERS.LINK_STATE_UNKNOWN, mtu: 1492 });
  watch.drain();
  assertEquals(watch.look(0), { obstacle: undefined, interface: 2, mtu: 1492 });

  libc.routing.announce(2, "em0", "IFAN_DEPARTURE");
  libc.host.table(1).hasRoute = false;
  assertEquals(kinds(watch), ["interface"]);
  assertEquals(watch.look(0).obstacle, "no route to 192.0.2.1 in rdomain 1");
  libc.host.tables.delete(1);
  assertEquals(watch.look(0).obstacle, "rdomain 1 does not exist");
  libc.host.table(2).addresses.length = 0;
  assertEquals(watch.look(1).obstacle, "no interface has 203.0.113.20");
  assertEquals(libc.sandbox.refusals, []);
  watch.close();
});

Deno.test("OpenbsdNetworkWatch.drain() hears only what may concern a link", () => {
  const { libc, watch } = watching();
  const heard = (type: "RTM_ADD" | "RTM_DELETE" | "RTM_CHANGE", change: object): string[] => {
    libc.routing.route(type, { ...ROUTE, ...change });
    return kinds(watch);
  };
  assertEquals(heard("RTM_DELETE", {}), ["route"]);
  assertEquals(heard("RTM_ADD", { prefix: 24 }), ["route"]);
  assertEquals(heard("RTM_CHANGE", { destination: new Uint8Array(4), prefix: 0 }), ["route"]);
  assertEquals(heard("RTM_CHANGE", { destination: new Uint8Array(16), prefix: 0 }), ["route"]);
  assertEquals(heard("RTM_ADD", { table: 3 }), [], "another table");
  assertEquals(heard("RTM_ADD", { destination: address("192.0.2.2").bytes }), [], "another host");
  const network = { destination: address("192.0.2.128").bytes, prefix: 25 };
  assertEquals(heard("RTM_ADD", network), [], "another network");
  libc.routing.address("RTM_NEWADDR", 2, 1);
  assertEquals(kinds(watch), ["address"]);
  watch.close();
});

Deno.test("OpenbsdNetworkWatch.drain() says that messages were lost, and goes on", () => {
  const { libc, watch } = watching();
  for (let i = 0; i < 5000; i++) libc.routing.route("RTM_ADD", { ...ROUTE, table: 3 });
  const found = new Set<string>();
  for (let i = 0; i < 10; i++) for (const kind of kinds(watch)) found.add(kind);
  assertEquals([...found], ["lost"]);
  libc.routing.route("RTM_DELETE", ROUTE);
  assertEquals(kinds(watch), ["route"]);
  watch.close();
});

Deno.test("watchNetwork() cannot open its sockets once pledge(2) was called", () => {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  sandbox(libc, { programs: [], files: [], directories: [], lookups: [] });
  let message = "";
  try {
    watchNetwork(libc, LINKS);
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message, "Cannot open a routing socket: Function not implemented");
  assertEquals(libc.sandbox.refusals, ["socket(2) of route: ENOSYS"]);
});

Deno.test("parseMessage() returns undefined for what does not fit, and never throws", () => {
  const libc = new FakeLibc(gateway(new FakeWorld()));
  const socket = new FakeRouteSocket(NUMBERS.RTABLE_ANY);
  socket.receiveBuffer = 1 << 20;
  libc.host.routeSockets.push(socket);
  libc.routing.interface(EM0);
  libc.routing.announce(5, "ppp0", "IFAN_ARRIVAL");
  libc.routing.address("RTM_NEWADDR", 2, 1);
  libc.routing.route("RTM_CHANGE", { ...ROUTE, prefix: 24 });
  assertEquals(socket.queue.map((bytes) => parseMessage(bytes)?.kind), [
    "interface",
    "announce",
    "address",
    "route",
  ]);
  const rng = new Rng(3);
  const below = (bound: number): number => Math.floor(rng.next() * bound);
  for (const bytes of socket.queue) {
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(parseMessage(bytes.subarray(0, length)), undefined);
    }
    const other = bytes.slice();
    other[2] = 4;
    assertEquals(parseMessage(other), undefined, "another version");
    for (let i = 0; i < 3000; i++) {
      const changed = bytes.slice(0, 1 + below(bytes.length));
      for (let k = 0; k < 4; k++) changed[below(changed.length)] = below(256);
      if (changed.length > 1) new DataView(changed.buffer).setUint16(0, changed.length, true);
      parseMessage(changed);
    }
  }
});

Deno.test("a tunnel on OpenBSD leaves a link without a carrier within 100 ms, and takes it back", async () => {
  const ends = makeTunnel();
  const { world, client } = ends;
  await untilUp(ends);
  const lostAt = world.now + 500_000;
  world.at(lostAt, () => {
    client.host.table(2).isRouteUp = false;
    client.libc.routing.interface({
      ...EM0,
      index: 3,
      name: "em1",
      linkState: NUMBERS.LINK_STATE_DOWN,
    });
  });
  await until(world, "dsl2 is down", () => client.states() === "up down");
  assert(world.now - lostAt < 100_000, `${world.now - lostAt} us`);
  const reason = client.endpoint.status(world.now).peers[0]!.links[1]!.reason;
  assertEquals(reason, "em1 has no carrier");
  const backAt = world.now + 500_000;
  world.at(backAt, () => {
    client.host.table(2).isRouteUp = true;
    client.libc.routing.interface({ ...EM0, index: 3, name: "em1" });
  });
  await until(world, "dsl2 is up", () => world.now >= backAt && client.states() === "up up");
  assert(world.now - backAt < 300_000, `${world.now - backAt} us`);
  assertEquals(client.libc.sandbox.refusals, []);
  await client.stop();
  await ends.server.stop();
});
