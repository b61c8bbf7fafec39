/**
 * Clients that come and go while a server runs, and rules that change.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { RuleOptions } from "../../src/rule_options.ts";
import { prefix } from "../addresses.ts";
import { knownClient } from "../pair/endpoints.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

const ALICE = { name: "alice", psk: key(1), allowed: ["10.7.0.1/32"].map(prefix) };
const BOB = { name: "bob", psk: key(2), allowed: ["10.7.0.3/32"].map(prefix) };
const CAROL = { name: "carol", psk: key(3), allowed: ["10.7.0.4/32"].map(prefix) };

/** A server that knows alice and carol, who is away, and hosts of alice and bob. */
function aliceAndBob(): Pair {
  const known = [knownClient("alice", ALICE), knownClient("carol", CAROL)];
  const pair = new Pair([ALICE, BOB], { known });
  for (const client of pair.clients) client.turn(pair.now);
  pair.runUntil(() => pair.clients[0]!.eventsOf("session").includes("up"));
  pair.run(200_000);
  return pair;
}

Deno.test("Endpoint.addClient() lets a client in that was refused", () => {
  const pair = aliceAndBob();
  const [alice, bob] = pair.clients;
  pair.run(2 * SECOND);
  assertEquals(bob!.eventsOf("session"), []);
  pair.server.endpoint.addClient(knownClient("bob", BOB));
  pair.runUntil(() => bob!.eventsOf("session").includes("up"));
  pair.run(SECOND);
  pair.server.send(pair.now, udp4(1, { to: "10.7.0.3" }), udp4(2, { to: "10.7.0.1" }));
  pair.run(SECOND);
  assertEquals([numbersOf(alice!.delivered), numbersOf(bob!.delivered)], [[2], [1]]);
  pair.finish();
});

Deno.test("Endpoint.removeClient() says goodbye and forgets the client, and no other notices", () => {
  const pair = aliceAndBob();
  const [alice, bob] = pair.clients;
  pair.server.endpoint.addClient(knownClient("bob", BOB));
  pair.runUntil(() => bob!.eventsOf("session").includes("up"));
  for (const i of range(0, 400)) {
    alice!.send(pair.now, udp4(i, { from: "10.7.0.1" }));
    pair.server.send(pair.now, udp4(i, { to: "10.7.0.1" }), udp4(i, { to: "10.7.0.3" }));
    if (i === 200) {
      pair.server.endpoint.removeClient("bob");
      pair.server.turn(pair.now);
    }
    pair.run(1_000);
  }
  pair.run(SECOND);
  assertEquals(numbersOf(alice!.delivered), range(0, 400));
  assertEquals(numbersOf(pair.server.delivered), range(0, 400));
  assertEquals(bob!.eventsOf("session"), ["up", "down"]);
  assertEquals(pair.server.endpoint.status(pair.now).peers.map(({ name }) => name), [
    "alice",
    "carol",
  ]);
  assert(pair.server.drops("unknown-client") > 0, "it is refused from now on");
  pair.finish();
});

Deno.test("Endpoint.removeClient() and addClient() of another key change a client's secret", () => {
  const pair = aliceAndBob();
  const [, bob] = pair.clients;
  pair.server.endpoint.addClient(knownClient("bob", { ...BOB, psk: key(9) }));
  pair.run(SECOND);
  pair.server.endpoint.removeClient("bob");
  pair.server.endpoint.addClient(knownClient("bob", BOB));
  pair.runUntil(() => bob!.eventsOf("session").includes("up"));
  pair.finish();
});

Deno.test("Endpoint.setAllowed() changes what a client may use at once", () => {
  const pair = aliceAndBob();
  const [alice] = pair.clients;
  pair.server.endpoint.setAllowed("alice", ["10.9.0.0/16"].map(prefix));
  alice!.send(pair.now, udp4(1, { from: "10.7.0.1" }), udp4(2, { from: "10.9.0.1" }));
  pair.server.send(pair.now, udp4(3, { to: "10.9.3.3" }));
  pair.run(SECOND);
  assertEquals(numbersOf(pair.server.delivered), [2]);
  assertEquals(numbersOf(alice!.delivered), [3]);
  pair.finish();
});

const TO_L1: RuleOptions = { links: ["l1"], protocol: "udp", ports: [5201] };

Deno.test("Endpoint.setPolicy() moves what waits and loses, repeats and reorders nothing", () => {
  const rates = { uploadBps: 2e6, downloadBps: 2e6 };
  const pair = new Pair([{ delaysUs: [10_000, 10_000], link: () => rates }]).connect();
  const policies = [
    { rules: [TO_L1] },
    { schedule: "steady", duplicate: "all" },
    { schedule: "redundant" },
    { rules: [{ ...TO_L1, links: ["l0"] }], schedule: "fast" },
    {},
  ] as const;
  for (const i of range(0, 2000)) {
    pair.client.send(pair.now, udp4(i, { bytes: 500 }));
    if (i % 100 === 99) {
      pair.client.endpoint.setPolicy(pair.now, policies[i / 100 >>> 0 % policies.length] ?? {});
      pair.client.turn(pair.now);
    }
    pair.run(1_500);
  }
  pair.run(2 * SECOND);
  const numbers = numbersOf(pair.server.delivered);
  assertEquals(numbers.toSorted((a, b) => a - b), range(0, 2000));
  pair.finish();
});

Deno.test("Endpoint.setPolicy() pins what comes after it", () => {
  const pair = new Pair([{ delaysUs: [10_000, 30_000] }]).connect();
  pair.client.endpoint.setPolicy(pair.now, { rules: [TO_L1] });
  const from = pair.sent.length;
  for (const i of range(0, 100)) {
    pair.client.send(pair.now, udp4(i, { bytes: 900 }));
    pair.run(2_000);
  }
  const large = pair.sent.slice(from).filter(({ bytes, toServer }) =>
    toServer && bytes.length > 800
  );
  assertEquals(new Set(large.map(({ line }) => line.link)), new Set([pair.lines[1]!.link]));
  pair.run(SECOND);
  assertEquals(numbersOf(pair.server.delivered), range(0, 100));
  pair.finish();
});
