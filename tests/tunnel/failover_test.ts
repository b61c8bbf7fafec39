import { assert, assertEquals } from "@std/assert";
import type { ClientLink } from "../../src/tunnel/options.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

/** Sends packet after packet both ways, one per `stepUs`. */
function stream(pair: Pair, from: number, to: number, stepUs = 1_000): void {
  for (const i of range(from, to)) {
    pair.client.send(pair.now, udp4(i, { bytes: 400 }));
    pair.server.send(pair.now, udp4(i, { bytes: 400 }));
    pair.run(stepUs);
  }
}

function assertAll(pair: Pair, count: number): void {
  for (const host of [pair.server, pair.client]) {
    assertEquals(numbersOf(host.delivered).toSorted((a, b) => a - b), range(0, count));
  }
}

Deno.test("Endpoint sends what was in flight on a dead link on the other: nothing lost, nothing twice", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  stream(pair, 0, 500);
  pair.lines[0]!.cut = true;
  stream(pair, 500, 2_000);
  pair.run(2 * SECOND);
  assertAll(pair, 2_000);
  assertEquals(pair.client.eventsOf("link").slice(2), ["l0 suspect", "l0 down"]);
  assertEquals(pair.client.eventsOf("session"), ["up"]);
  pair.finish();
});

Deno.test("Endpoint leaves a dead link within 150 ms under load", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  stream(pair, 0, 500);
  pair.lines[0]!.cut = true;
  const cutAt = pair.now;
  let i = 500;
  const us = pair.runUntil(() => {
    stream(pair, i, ++i);
    return pair.client.eventsOf("link").includes("l0 suspect");
  });
  assert(us < 150_000, `${pair.now - cutAt}`);
  pair.finish();
});

Deno.test("Endpoint keeps sending on a link of which only the way back is dead", () => {
  const link = (): Partial<ClientLink> => ({ uploadBps: 10e6 });
  const pair = new Pair([{ delaysUs: [10_000, 10_000], link }]).connect();
  const upload = (from: number, to: number): void => {
    for (const i of range(from, to)) {
      // One for each link at the same moment, so that both are reported on at the same moment.
      pair.client.send(pair.now, udp4(2 * i, { bytes: 1100 }));
      pair.client.send(pair.now, udp4(2 * i + 1, { bytes: 1100 }));
      pair.run(SECOND / 1_000);
    }
  };
  upload(0, 500);
  pair.lines[0]!.lose = ({ toServer }) => !toServer;
  upload(500, 1_100);
  assertEquals(pair.client.eventsOf("link"), ["l0 up", "l1 up"]);
  pair.finish();
});

Deno.test("Endpoint takes a link back when it works again", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  pair.lines[0]!.cut = true;
  pair.run(2 * SECOND);
  pair.lines[0]!.cut = false;
  const us = pair.runUntil(() => pair.client.eventsOf("link").at(-1) === "l0 up");
  assert(us < 1.5 * SECOND, `${us}`);
  pair.run(SECOND);
  const states = pair.server.endpoint.status(pair.now).peers[0]!.links.map(({ state }) => state);
  assertEquals(states, ["up", "up"]);
  pair.finish();
});

Deno.test("Endpoint lives through a moment without any link", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  stream(pair, 0, 200);
  for (const line of pair.lines) line.cut = true;
  stream(pair, 200, 400);
  pair.run(3 * SECOND);
  for (const line of pair.lines) line.cut = false;
  pair.run(2 * SECOND);
  stream(pair, 400, 600);
  pair.run(SECOND);
  for (const host of [pair.server, pair.client]) {
    const numbers = numbersOf(host.delivered);
    assertEquals(new Set(numbers).size, numbers.length, "delivered twice");
    // What was in flight when the lines went down is sent three times, to nobody.
    assertEquals(numbers.filter((number) => number < 150 || number >= 400).length, 350);
  }
  pair.finish();
});

Deno.test("Endpoint resends lost packets, whatever is lost", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  let count = 0;
  for (const line of pair.lines) line.lose = (): boolean => ++count % 20 === 0;
  stream(pair, 0, 2_000);
  for (const line of pair.lines) line.lose = (): boolean => false;
  pair.run(2 * SECOND);
  for (const host of [pair.server, pair.client]) {
    const numbers = numbersOf(host.delivered);
    assertEquals(new Set(numbers).size, numbers.length, "delivered twice");
    assert(numbers.length >= 1_998, `${numbers.length}`);
  }
  pair.finish();
});

Deno.test("Endpoint.handleSendFailure() leaves a link that has no route at once", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  stream(pair, 0, 100);
  const { client, now } = pair;
  client.endpoint.handleSendFailure(now, 0, 0, "nobufs", 1000);
  client.endpoint.handleSendFailure(now, 0, -1, "unreachable", 1000);
  client.turn(now);
  assertEquals(client.eventsOf("link").slice(2), []);
  client.endpoint.handleSendFailure(now, 0, 0, "unreachable", 1000);
  client.turn(now);
  assertEquals(client.eventsOf("link").slice(2), ["l0 down"]);
  assertEquals(client.endpoint.status(now).peers[0]!.links[0]!.reason, "no route to the server");
  client.endpoint.handleSendFailure(now, 0, 0, "unreachable", 1000);
  client.turn(now);
  assertEquals(client.eventsOf("link").length, 3, "it is told once");
  stream(pair, 100, 200);
  pair.run(2 * SECOND);
  assertAll(pair, 200);
  assertEquals(client.drops("send"), 4);
  pair.finish();
});

Deno.test("Endpoint asks for a fresh socket when a link stays dead, and not too often", () => {
  const pair = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  pair.lines[1]!.cut = true;
  pair.run(2 * SECOND);
  assertEquals(pair.client.eventsOf("rebind"), []);
  pair.run(3 * SECOND);
  assertEquals(pair.client.eventsOf("rebind"), ["1"]);
  pair.run(12 * SECOND);
  assertEquals(pair.client.eventsOf("rebind"), ["1"]);
  pair.run(3 * SECOND);
  assertEquals(pair.client.eventsOf("rebind"), ["1", "1"]);
  pair.finish();
});
