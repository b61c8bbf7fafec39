import { assert, assertEquals } from "@std/assert";
import type { RuleOptions } from "../../src/rule_options.ts";
import type { ClientLink } from "../../src/tunnel/options.ts";
import { KIND } from "../../src/wire/ip.ts";
import type { Host } from "../pair/host.ts";
import { type ClientSpec, Pair } from "../pair/pair.ts";
import { numberOf, numbersOf, range, udp4 } from "./packets.ts";
import { sentData } from "./sent_data.ts";

const SECOND = 1_000_000;
/** Source port of the packets that rules are about. */
const CALL = 5060;
const OTHER = 4000;
const ON_L1: RuleOptions = { ports: [CALL], links: ["l1"] };

/** Two links, the second with another delay; both ends have `rules`. */
function openPair(rules: RuleOptions[], spec: ClientSpec = {}): Pair {
  return new Pair([{ delaysUs: [10_000, 20_000], ...spec }], { policy: { rules } }).connect();
}

/** Sends a packet of each port both ways, one per `stepUs`. */
function stream(pair: Pair, from: number, to: number, stepUs = 1_000): void {
  for (const i of range(from, to)) {
    for (const port of [CALL, OTHER]) {
      pair.client.send(pair.now, udp4(i, { port, bytes: 400 }));
      pair.server.send(pair.now, udp4(i, { port, bytes: 400 }));
    }
    pair.run(stepUs);
  }
}

function portOf(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint16(20);
}

/** Numbers of the packets of a port that came out. */
function received(host: Host, port: number): number[] {
  return numbersOf(host.delivered.filter((packet) => portOf(packet) === port));
}

/** Names of the links that carried packets of a port. */
function linksOf(pair: Pair, port: number): string[] {
  const links = sentData(pair).filter((data) => data.port === port)
    .map(({ line, toServer }) => `l${line.socket} ${toServer ? "up" : "down"}`);
  return [...new Set(links)].sort();
}

Deno.test("Endpoint sends pinned packets on their link only, in both directions", () => {
  const pair = openPair([ON_L1]);
  stream(pair, 0, 500);
  pair.run(SECOND);
  for (const host of [pair.client, pair.server]) {
    assertEquals(received(host, CALL), range(0, 500));
    assertEquals(received(host, OTHER), range(0, 500));
  }
  assertEquals(linksOf(pair, CALL), ["l1 down", "l1 up"]);
  assert(linksOf(pair, OTHER).includes("l0 up"));
  pair.finish();
});

Deno.test("Endpoint uses a metered backup link for packets whose rule names it", () => {
  const link = (id: number): Partial<ClientLink> =>
    id === 0 ? {} : { tier: "backup", metered: true };
  const pair = openPair([ON_L1], { link });
  stream(pair, 0, 200);
  pair.run(SECOND);
  assertEquals(received(pair.server, CALL), range(0, 200));
  assertEquals(linksOf(pair, CALL), ["l1 down", "l1 up"]);
  assertEquals(linksOf(pair, OTHER), ["l0 down", "l0 up"]);
  pair.finish();
});

Deno.test("Endpoint sends a lost pinned packet again on its own link", () => {
  const pair = openPair([ON_L1]);
  let count = 0;
  pair.lines[1]!.lose = (): boolean => ++count % 37 === 0;
  stream(pair, 0, 1_000);
  pair.lines[1]!.lose = (): boolean => false;
  pair.run(SECOND);
  assert(received(pair.server, CALL).length >= 998);
  assert(sentData(pair).some(({ port, resent }) => port === CALL && resent));
  assertEquals(linksOf(pair, CALL), ["l1 down", "l1 up"]);
  pair.finish();
});

Deno.test("Endpoint drops and counts pinned packets while their link is down, and only those", () => {
  const pair = openPair([ON_L1]);
  stream(pair, 0, 200);
  pair.lines[1]!.cut = true;
  stream(pair, 200, 1_700);
  for (const host of [pair.client, pair.server]) {
    assertEquals(host.endpoint.status(pair.now).peers[0]!.links[1]!.state, "down");
    assertEquals(host.endpoint.status(pair.now).peers[0]!.queuedPackets, 0);
  }
  pair.run(SECOND);
  pair.lines[1]!.cut = false;
  pair.run(3 * SECOND);
  stream(pair, 1_700, 1_900);
  pair.run(SECOND);
  for (const [from, to] of [[pair.client, pair.server], [pair.server, pair.client]] as const) {
    assertEquals(received(to, OTHER), range(0, 1_900));
    const calls = received(to, CALL);
    assertEquals(new Set(calls).size, calls.length, "delivered twice");
    // What had just arrived when the line went down was not reported: it counts as dropped too.
    const missing = 1_900 - calls.length;
    const dropped = from.drops("no-link");
    assert(missing > 1_000 && dropped >= missing && dropped < missing + 30, `${dropped}`);
    assertEquals(calls.slice(-200), range(1_700, 1_900));
  }
  assertEquals(linksOf(pair, CALL), ["l1 down", "l1 up"]);
  pair.finish();
});

Deno.test("Endpoint drops what a rule binds to links that this client does not have", () => {
  const pair = openPair([{ ports: [CALL], links: ["fibre"] }]);
  stream(pair, 0, 100);
  pair.run(SECOND);
  for (const host of [pair.client, pair.server]) {
    assertEquals(received(host, CALL), []);
    assertEquals(received(host, OTHER), range(0, 100));
    assertEquals(host.drops("no-link"), 100);
  }
  pair.finish();
});

Deno.test("Endpoint sends on the links that there are when a rule names others too", () => {
  const pair = openPair([{ ports: [CALL], links: ["fibre", "l1", "l1"] }]);
  stream(pair, 0, 100);
  pair.run(SECOND);
  assertEquals(received(pair.server, CALL), range(0, 100));
  assertEquals(linksOf(pair, CALL), ["l1 down", "l1 up"]);
  pair.finish();
});

Deno.test("Endpoint moves pinned packets to another link of their rule when one dies", () => {
  const rule = { ports: [CALL], links: ["l0", "l1"] };
  const pair = openPair([rule], { delaysUs: [10_000, 20_000, 5_000] });
  stream(pair, 0, 200);
  pair.lines[0]!.cut = true;
  stream(pair, 200, 1_000);
  pair.run(2 * SECOND);
  assertEquals(received(pair.server, CALL).toSorted((a, b) => a - b), range(0, 1_000));
  assert(!linksOf(pair, CALL).includes("l2 up"));
  assertEquals(pair.client.drops("no-link"), 0);
  pair.finish();
});

Deno.test("Endpoint lets no pinned backlog block others, or be blocked by them", () => {
  const link = (id: number): Partial<ClientLink> => ({
    uploadBps: id === 0 ? 8e6 : 1e6,
    tier: id === 0 ? "primary" : "backup",
  });
  for (const [blocked, free] of [[CALL, OTHER], [OTHER, CALL]] as const) {
    const pair = openPair([ON_L1], { link });
    const mbps = blocked === CALL ? 4 : 16;
    for (let at = 0, i = 0; at < 4 * SECOND; at += 8_000 / mbps, i++) {
      pair.client.send(pair.now, udp4(i, { port: blocked, bytes: 1000 }));
      if (i % mbps === 0) pair.client.send(pair.now, udp4(i, { port: free, bytes: 100 }));
      pair.run(8_000 / mbps);
    }
    assert(pair.client.drops("codel") + pair.client.drops("queue-full") > 20);
    pair.run(45_000);
    const sent = sentData(pair).filter(({ port, resent }) => port === free && !resent);
    const numbers = received(pair.server, free);
    assertEquals(numbers.length, sent.length);
    assertEquals(numbers, range(0, sent.length).map((i) => i * mbps));
    pair.finish();
  }
});

Deno.test("Endpoint serves the lanes of a link in turn", () => {
  const link = (): Partial<ClientLink> => ({ uploadBps: 8e6 });
  const pair = openPair([{ ports: [CALL], links: ["l0"] }], { delaysUs: [10_000], link });
  const receivedAfter = (from: number, to: number): number[] => {
    for (const i of range(from, to)) {
      pair.client.send(pair.now, udp4(i, { port: CALL, bytes: 1000 }));
      pair.client.send(pair.now, udp4(i, { port: OTHER, bytes: 1000 }));
      pair.run(1_000);
    }
    return [CALL, OTHER].map((port) => received(pair.server, port).length);
  };
  const before = receivedAfter(0, 500); // both are known for bulk
  const after = receivedAfter(500, 2_500);
  const [calls, others] = after.map((count, i) => count - before[i]!);
  assert(Math.abs(calls! - others!) < 20 && calls! > 850, `${calls} ${others}`);
  pair.finish();
});

Deno.test("Endpoint lets the links of a rule add up", () => {
  const link = (): Partial<ClientLink> => ({ uploadBps: 8e6 });
  const rule = { ports: [CALL], links: ["l0", "l1"] };
  const pair = openPair([rule], { delaysUs: [10_000, 12_000, 10_000], link });
  for (const i of range(0, 2_000)) {
    pair.client.send(pair.now, udp4(i, { port: CALL, bytes: 1000 }));
    pair.run(600);
  }
  const mbps = received(pair.server, CALL).length * 8_000 / 1.2e6;
  assert(mbps > 12, `${mbps}`);
  pair.finish();
});

Deno.test("Endpoint takes the class that a rule says", () => {
  const kinds = (rule: Partial<RuleOptions>, port: number, tos = 0): number[] => {
    const pair = openPair([{ ports: [port], links: [], ...rule }]);
    for (const i of range(0, 100)) {
      pair.client.send(pair.now, udp4(i, { port, tos, bytes: 1000 }));
      pair.run(1_000);
    }
    pair.run(SECOND);
    assertEquals(pair.server.delivered.length, 100);
    pair.finish();
    return [...new Set(sentData(pair).map(({ kind }) => kind))].toSorted();
  };
  const EF = 0xb8;
  assertEquals(kinds({}, OTHER), [KIND.bulk, KIND.interactive], "the first packets are sparse");
  assertEquals(kinds({ class: "bulk" }, OTHER), [KIND.bulk]);
  assertEquals(kinds({ class: "interactive" }, OTHER), [KIND.interactive]);
  assertEquals(kinds({}, OTHER, EF), [KIND.interactive]);
  assertEquals(kinds({ class: "bulk" }, OTHER, EF), [KIND.bulk]);
  assertEquals(kinds({}, 53), [KIND.unordered]);
  assertEquals(kinds({ class: "bulk" }, 53), [KIND.bulk]);
  assertEquals(kinds({ class: "interactive" }, 53), [KIND.unordered], "it is interactive already");
});

Deno.test("Endpoint never gives two lanes the same flow bucket", () => {
  const rules = range(0, 3).map((i) => ({ ports: [CALL + i], links: [`l${i}`] }));
  const pair = openPair(rules, { delaysUs: [10_000, 10_000, 10_000] });
  for (const i of range(0, 2_000)) {
    const port = i % 2 === 0 ? CALL + i % 6 / 2 : 6_000 + i;
    pair.client.send(pair.now, udp4(i, { port, to: `10.8.${i >> 8}.${i & 255}` }));
    if (i % 20 === 0) pair.run(1_000);
  }
  pair.run(SECOND);
  const lanes = new Map<number, Set<number>>();
  for (const { flow, port } of sentData(pair)) {
    const lane = port < 6_000 ? port : 0;
    lanes.set(flow, (lanes.get(flow) ?? new Set()).add(lane));
    assert(flow < 1024);
  }
  assert(lanes.size > 700, `${lanes.size}`);
  assert([...lanes.values()].every((set) => set.size === 1));
  assertEquals(pair.server.delivered.map(numberOf).toSorted((a, b) => a - b), range(0, 2_000));
  pair.finish();
});
