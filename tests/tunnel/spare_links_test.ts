/**
 * Spare links: places for links that come while the tunnel runs, with names of their own, and go.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { ClientLink } from "../../src/tunnel/options.ts";
import type { Host } from "../pair/host.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const WWAN = { name: "wwan0", metered: true };

/** A pair with one ordinary link, and two spare ones. */
function pairWithSpare(): Pair {
  const delaysUs = [10_000, 10_000, 10_000];
  const rates = { uploadBps: 8e6, downloadBps: 8e6 };
  const link = (id: number): Partial<ClientLink> =>
    id === 0 ? rates : { ...rates, name: "", spare: true };
  return new Pair([{ delaysUs, link }]);
}

function arrive(pair: Pair, link: number, arrival?: { name: string; metered: boolean }): void {
  pair.client.endpoint.setArrival(pair.now, link, arrival);
  pair.client.turn(pair.now);
}

/** Names and states of the links that an end shows. */
function shown(pair: Pair, host: Host): string[] {
  return host.endpoint.status(pair.now).peers[0]!.links.map(({ name, state, metered }) =>
    `${name} ${state}${metered ? " metered" : ""}`
  );
}

function both(pair: Pair): string[][] {
  return [shown(pair, pair.client), shown(pair, pair.server)];
}

/** Datagrams that left on a line since `from`. */
function sentOn(pair: Pair, line: number, from: number): number {
  return pair.sent.slice(from).filter((datagram) => datagram.line === pair.lines[line]).length;
}

Deno.test("Endpoint says nothing of spare links, and sends nothing there, before they stand for one", () => {
  const pair = pairWithSpare();
  pair.client.turn(pair.now);
  pair.runUntil(() => pair.client.endpoint.isLinkUp(0));
  pair.run(20 * SECOND);
  assertEquals(both(pair), [["l0 up"], ["l0 up"]]);
  assertEquals([sentOn(pair, 1, 0), sentOn(pair, 2, 0)], [0, 0]);
  assertEquals(pair.client.eventsOf("rebind"), []);
  const before = pair.sent.length;
  pair.run(2 * SECOND);
  assert(pair.sent.length - before < 60, "an end with nothing to do is quiet");
  pair.finish();
});

Deno.test("Endpoint.setArrival() makes a link, whose name and cost the server learns", () => {
  const pair = pairWithSpare();
  pair.client.turn(pair.now);
  pair.runUntil(() => pair.client.endpoint.isLinkUp(0));
  arrive(pair, 1, WWAN);
  const us = pair.runUntil(() => pair.client.endpoint.isLinkUp(1));
  assert(us < 100_000, `${us} us`);
  pair.run(SECOND);
  assertEquals(both(pair), [["l0 up", "wwan0 up metered"], ["l0 up", "wwan0 up metered"]]);
  const from = pair.sent.length;
  for (const i of range(0, 200)) {
    pair.client.send(pair.now, udp4(i, { bytes: 1000 }));
    pair.run(500);
  }
  pair.run(SECOND);
  assertEquals(numbersOf(pair.server.delivered).sort((a, b) => a - b), range(0, 200));
  assert(sentOn(pair, 1, from) > 50, "it carries traffic");
  pair.finish();
});

Deno.test("Endpoint.setArrival() of nothing ends a link at both ends, and resends what it had", () => {
  const pair = pairWithSpare();
  arrive(pair, 1, WWAN);
  pair.runUntil(() => [0, 1].every((link) => pair.client.endpoint.isLinkUp(link)));
  pair.run(SECOND);
  for (const i of range(0, 100)) {
    pair.client.send(pair.now, udp4(i, { bytes: 1000 }));
    pair.run(500);
  }
  pair.lines[1]!.cut = true;
  arrive(pair, 1);
  pair.run(20_000);
  assertEquals(both(pair), [["l0 up"], ["l0 up"]]);
  const from = pair.sent.length;
  pair.run(20 * SECOND);
  assertEquals(sentOn(pair, 1, from), 0, "neither end sends where nothing is");
  assertEquals(numbersOf(pair.server.delivered).sort((a, b) => a - b), range(0, 100));

  pair.lines[1]!.cut = false;
  arrive(pair, 1, { name: "eth5", metered: false });
  pair.runUntil(() => pair.client.endpoint.isLinkUp(1));
  pair.run(SECOND);
  assertEquals(both(pair), [["l0 up", "eth5 up"], ["l0 up", "eth5 up"]]);
  pair.finish();
});

Deno.test("Endpoint connects by a spare link alone, and a server that restarts learns its name again", () => {
  const pair = pairWithSpare();
  pair.lines[0]!.cut = true;
  pair.client.turn(pair.now);
  pair.run(3 * SECOND);
  arrive(pair, 2, WWAN);
  const us = pair.runUntil(() => pair.client.endpoint.isLinkUp(2));
  assert(us < SECOND, `${us} us`);
  pair.server.restart();
  pair.runUntil(() => shown(pair, pair.server).some((text) => text.includes("up")), 30 * SECOND);
  assertEquals(shown(pair, pair.server), ["l0 connecting", "wwan0 up metered"]);
  pair.finish();
});

Deno.test("Endpoint hides a spare link again whose last datagrams were late", () => {
  const pair = pairWithSpare();
  arrive(pair, 1, WWAN);
  pair.runUntil(() => [0, 1].every((link) => pair.client.endpoint.isLinkUp(link)));
  pair.run(SECOND);
  pair.lines[1]!.delayUs = 200_000;
  for (const i of range(0, 20)) pair.client.send(pair.now, udp4(i, { bytes: 1000 }));
  pair.run(1000);
  arrive(pair, 1);
  // They come after the server has been told; it is told again with each probe.
  pair.run(3 * SECOND);
  assertEquals(both(pair), [["l0 up"], ["l0 up"]]);
  pair.finish();
});
