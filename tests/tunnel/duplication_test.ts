import { assert, assertEquals } from "@std/assert";
import type { RuleOptions } from "../../src/rule_options.ts";
import type { ClientLink } from "../../src/tunnel/options.ts";
import type { Policy } from "../pair/endpoints.ts";
import { type ClientSpec, Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";
import { type SentData, sentData } from "./sent_data.ts";

const SECOND = 1_000_000;
const EF = 0xb8;
const CALLS: RuleOptions = { ports: [], dscp: 46, links: [] };

function openPair(policy: Policy, spec: ClientSpec = {}): Pair {
  return new Pair([{ delaysUs: [10_000, 12_000], ...spec }], { policy }).connect();
}

/** Sends a call of 50 packets/s from the client, and `bulk` full packets beside each. */
function call(pair: Pair, packets: number, bulk = 0): void {
  for (const i of range(0, packets)) {
    for (const k of range(0, bulk)) {
      pair.client.send(pair.now, udp4(i * bulk + k, { bytes: 1000, port: 4000 }));
    }
    pair.client.send(pair.now, udp4(i, { bytes: 200, tos: EF, port: 5060 }));
    pair.run(20_000);
  }
}

/** Datagrams that carry a packet which another one had carried before, but was not lost. */
function copiesIn(pair: Pair): SentData[] {
  const seen = new Set<number>();
  return sentData(pair).filter(({ toServer, resent, global }) => {
    if (!toServer || resent) return false;
    const copy = seen.has(global);
    seen.add(global);
    return copy;
  });
}

function duplicated(pair: Pair): number {
  return pair.client.endpoint.status(pair.now).peers[0]!.duplicatedPackets;
}

Deno.test("Endpoint with duplicate = all delivers once, at once, although a link loses everything", () => {
  for (
    const policy of [{ rules: [{ ...CALLS, duplicate: "all" as const }] }, {
      duplicate: "all" as const,
    }]
  ) {
    const pair = openPair(policy);
    const [first, second] = pair.lines;
    for (const i of range(0, 300)) {
      first!.lose = (): boolean => i >= 50 && i < 60 || i >= 200 && i < 205;
      second!.lose = (): boolean => i >= 120 && i < 130;
      pair.client.send(pair.now, udp4(i, { bytes: 200, tos: EF }));
      pair.run(13_000);
      assertEquals(numbersOf(pair.server.delivered), range(0, i + 1), "a gap");
      pair.run(7_000);
    }
    pair.run(SECOND);
    assertEquals(numbersOf(pair.server.delivered), range(0, 300));
    assert(duplicated(pair) > 280, `${duplicated(pair)}`);
    assert(pair.server.drops("duplicate") > 240);
    pair.finish();
  }
});

Deno.test("Endpoint with duplicate = all sends a copy on every other link", () => {
  const pair = openPair({ duplicate: "all" }, { delaysUs: [10_000, 12_000, 100_000] });
  call(pair, 50);
  pair.run(SECOND);
  assertEquals(copiesIn(pair).length, 100);
  assertEquals(duplicated(pair), 50);
  assertEquals(numbersOf(pair.server.delivered), range(0, 50));
  pair.finish();
});

Deno.test("Endpoint with duplicate = all leaves links alone that the packet may not use", () => {
  const link = (id: number): Partial<ClientLink> => id === 2 ? { tier: "backup" } : {};
  const delaysUs = [10_000, 12_000, 12_000];
  const free = openPair({ duplicate: "all" }, { delaysUs, link });
  call(free, 50);
  assertEquals(copiesIn(free).length, 50);
  const pinned = openPair({ rules: [{ ...CALLS, links: ["l1", "l2"], duplicate: "all" }] }, {
    delaysUs,
    link,
  });
  call(pinned, 50);
  assertEquals(copiesIn(pinned).length, 50);
  assert(sentData(pinned).every(({ line }) => line.socket > 0));
  const single = openPair({ rules: [{ ...CALLS, links: ["l1"], duplicate: "all" }] });
  call(single, 50);
  assertEquals(copiesIn(single).length, 0);
  assertEquals(duplicated(single), 0);
});

Deno.test("Endpoint duplicates interactive packets and no bulk, unless a rule says otherwise", () => {
  const portsOf = (policy: Policy): number[] => {
    const pair = openPair(policy);
    call(pair, 300, 12);
    return [...new Set(copiesIn(pair).slice(200).map(({ port }) => port))].toSorted();
  };
  assertEquals(portsOf({}), []);
  assertEquals(portsOf({ duplicate: "all" }), [5060]);
  assertEquals(portsOf({ duplicate: "all", rules: [{ ...CALLS, duplicate: "off" }] }), []);
  assertEquals(portsOf({ duplicate: "all", rules: [CALLS] }), [5060]);
  const rule: RuleOptions = { ports: [4000], links: [], class: "bulk", duplicate: "all" };
  assertEquals(portsOf({ rules: [rule] }), [4000]);
});

Deno.test("Endpoint duplicates what the server sends, through one socket too", () => {
  const pair = openPair({ duplicate: "all" });
  for (const i of range(0, 200)) {
    pair.server.send(pair.now, udp4(i, { bytes: 200, tos: EF }));
    pair.run(5_000);
  }
  pair.run(SECOND);
  assertEquals(numbersOf(pair.client.delivered), range(0, 200));
  assertEquals(pair.server.endpoint.status(pair.now).peers[0]!.duplicatedPackets, 200);
  pair.finish();
});

Deno.test("Endpoint with duplicate = auto stays within 3 % of what is sent", () => {
  const pair = openPair({ duplicate: "auto" });
  const firstBytes = sumOf(sentData(pair));
  call(pair, 500, 10);
  const sent = sumOf(sentData(pair).filter(({ toServer }) => toServer)) - firstBytes;
  const copies = sumOf(copiesIn(pair));
  assert(copies <= 0.03 * sent + 6_000, `${copies} of ${sent}`);
  assert(copies >= 0.5 * 0.03 * sent, `${copies} of ${sent}`);
  assertEquals(copiesIn(pair).length, duplicated(pair));
  pair.finish();
});

Deno.test("Endpoint with duplicate = auto copies to a metered link only when a rule names it", () => {
  const link = (id: number): Partial<ClientLink> => ({ metered: id === 1 });
  const delaysUs = [10_000, 30_000];
  const auto = { duplicate: "auto" as const };
  const free = openPair(auto, { delaysUs, link });
  call(free, 100, 10);
  assertEquals(copiesIn(free).length, 0);
  const named = openPair({ rules: [{ ...CALLS, links: ["l0", "l1"], ...auto }] }, {
    delaysUs,
    link,
  });
  call(named, 100, 10);
  assert(copiesIn(named).length > 50);
});

Deno.test("Endpoint with duplicate = auto copies to a far link only when the near one loses", () => {
  const pair = openPair({ duplicate: "auto" }, { delaysUs: [10_000, 60_000] });
  call(pair, 100, 10);
  assertEquals(copiesIn(pair).length, 0);
  let count = 0;
  pair.lines[0]!.lose = (): boolean => ++count % 50 === 0;
  call(pair, 200, 10);
  assert(copiesIn(pair).length > 50, `${copiesIn(pair).length}`);
  pair.finish();
});

function sumOf(data: readonly SentData[]): number {
  return data.reduce((sum, { bytes }) => sum + bytes, 0);
}
