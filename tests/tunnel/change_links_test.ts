/**
 * Links that are added, removed, switched off and changed while a session is up.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ClientLink, NO_LINK } from "../../src/tunnel/options.ts";
import { FEATURE } from "../../src/wire/handshake.ts";
import { linkTo } from "../pair/endpoints.ts";
import type { Host } from "../pair/host.ts";
import { type ClientSpec, Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const RATES = { uploadBps: 8e6, downloadBps: 8e6 };

/** Three lines, of which `links` have a link at first; the first ones are called l0, l1, l2. */
function pairWith(links: number, spec: Partial<ClientSpec> = {}): Pair {
  const delaysUs = [10_000, 15_000, 20_000];
  return new Pair([{ delaysUs, links, link: () => RATES, ...spec }]).connect();
}

/** A link over a line of the pair. */
function linkOver(pair: Pair, line: number, differences: Partial<ClientLink> = {}): ClientLink {
  const { name = `l${line}`, ...others } = differences;
  return linkTo(name, pair.lines[line]!.server, { ...RATES, ...others });
}

function setLink(pair: Pair, id: number, link: ClientLink): void {
  pair.client.endpoint.setLink(pair.now, id, link);
  pair.client.turn(pair.now);
}

/** Names and states of the links that an end shows. */
function shown(pair: Pair, host: Host): string[] {
  return host.endpoint.status(pair.now).peers[0]!.links.map(({ name, state }) =>
    `${name} ${state}`
  );
}

function sentOn(pair: Pair, line: number, from: number, toServer?: boolean): number {
  return pair.sent.slice(from).filter((datagram) =>
    datagram.line === pair.lines[line] &&
    (toServer === undefined || datagram.toServer === toServer)
  ).length;
}

/** Sends one packet each way every millisecond, `count` of them, with `during` before each. */
function exchange(
  pair: Pair,
  count: number,
  during: (i: number) => void = () => {},
  bytes = 600,
): void {
  for (const i of range(0, count)) {
    during(i);
    pair.client.send(pair.now, udp4(i, { bytes }));
    pair.server.send(pair.now, udp4(i, { bytes, to: "10.7.0.1", from: "10.7.0.2" }));
    pair.run(1_000);
  }
  pair.run(SECOND);
}

/** Asserts that each end got all of `count` packets once, in order. */
function assertComplete(pair: Pair, count: number): void {
  assertEquals(numbersOf(pair.server.delivered), range(0, count));
  assertEquals(numbersOf(pair.client.delivered), range(0, count));
}

Deno.test("Endpoint.setLink() with a new id adds a link a round trip later, in the same session", () => {
  const pair = pairWith(1);
  const from = pair.sent.length;
  setLink(pair, 1, linkOver(pair, 1));
  const us = pair.runUntil(() => pair.client.endpoint.isLinkUp(1));
  assert(us < 100_000, `${us} us`);
  pair.run(SECOND);
  assertEquals(shown(pair, pair.client), ["l0 up", "l1 up"]);
  assertEquals(shown(pair, pair.server), ["l0 up", "l1 up"]);
  exchange(pair, 1500, () => {}, 1200);
  assert(sentOn(pair, 1, from, true) > 100, "the client uses it");
  assert(sentOn(pair, 1, from, false) > 100, "so does the server");
  assertEquals(pair.client.eventsOf("session"), ["up", "rekeyed"]);
  assertEquals(pair.server.eventsOf("session"), ["up", "rekeyed"]);
  pair.finish();
});

Deno.test("a link that was added can be measured, and hears where the server sees it", () => {
  const pair = pairWith(1);
  setLink(pair, 1, linkOver(pair, 1));
  pair.run(SECOND);
  const { endpoint } = pair.client;
  assert(endpoint.startLineTest(pair.now, 1, "idle", SECOND));
  pair.run(3 * SECOND);
  const { done, unanswered, seenAs } = endpoint.lineTest(pair.now, 1)!;
  assertEquals([done, unanswered], [true, 0]);
  assertMatch(seenAs ?? "", /^[0-9.]+:[0-9]+$/);
  pair.finish();
});

Deno.test("Endpoint.setLink() to none removes a link at both ends, and loses nothing", () => {
  const pair = pairWith(3);
  exchange(pair, 2000, (i) => {
    if (i === 1000) setLink(pair, 1, NO_LINK);
  });
  assertComplete(pair, 2000);
  assertEquals(shown(pair, pair.client), ["l0 up", "l2 up"]);
  assertEquals(shown(pair, pair.server), ["l0 up", "l2 up"]);
  const from = pair.sent.length;
  pair.run(5 * SECOND);
  assertEquals(sentOn(pair, 1, from), 0, "it is silent");
  pair.finish();
});

Deno.test("Endpoint.setLink() gives the place of a link that was removed to another", () => {
  const pair = pairWith(2);
  exchange(pair, 500);
  setLink(pair, 1, NO_LINK);
  pair.run(SECOND);
  setLink(pair, 1, linkOver(pair, 1, { name: "new" }));
  pair.run(SECOND);
  assertEquals(shown(pair, pair.client), ["l0 up", "new up"]);
  assertEquals(shown(pair, pair.server), ["l0 up", "new up"]);
  const [, fresh] = pair.client.endpoint.status(pair.now).peers[0]!.links;
  assert(fresh!.sentBytes < 20_000, `${fresh!.sentBytes} bytes are those of the new link only`);
  pair.finish();
});

Deno.test("Endpoint.setLink() of the same name replaces the only link", () => {
  const pair = pairWith(1);
  const from = pair.sent.length;
  setLink(pair, 0, NO_LINK);
  setLink(pair, 0, linkOver(pair, 0));
  pair.runUntil(() => pair.client.endpoint.isLinkUp(0));
  exchange(pair, 200);
  assertComplete(pair, 200);
  assert(sentOn(pair, 0, from) > 200);
  assertEquals(pair.client.eventsOf("session"), ["up", "rekeyed"]);
  pair.finish();
});

Deno.test("Endpoint.setLink() switches a link off at both ends, says why, and on again", () => {
  const pair = pairWith(2);
  setLink(pair, 1, linkOver(pair, 1, { off: "switched off by a test" }));
  pair.run(SECOND);
  assertEquals(shown(pair, pair.client), ["l0 up", "l1 down"]);
  const [, link] = pair.client.endpoint.status(pair.now).peers[0]!.links;
  assertEquals(link!.reason, "switched off by a test");
  assertEquals(shown(pair, pair.server), ["l0 up"]);
  const from = pair.sent.length;
  exchange(pair, 500);
  assertComplete(pair, 500);
  assertEquals(sentOn(pair, 1, from), 0);
  setLink(pair, 1, linkOver(pair, 1));
  pair.runUntil(() => pair.client.endpoint.isLinkUp(1));
  pair.run(SECOND);
  assertEquals(shown(pair, pair.server), ["l0 up", "l1 up"]);
  pair.finish();
});

Deno.test("Endpoint.setLink() may switch off the only link, and on again", () => {
  const pair = pairWith(1);
  setLink(pair, 0, linkOver(pair, 0, { off: "for a test" }));
  pair.run(20 * SECOND);
  const from = pair.sent.length;
  pair.run(2 * SECOND);
  assertEquals(sentOn(pair, 0, from, true), 0);
  setLink(pair, 0, linkOver(pair, 0));
  pair.runUntil(() => pair.client.endpoint.isLinkUp(0));
  pair.run(SECOND);
  exchange(pair, 100);
  assertComplete(pair, 100);
  pair.finish();
});

Deno.test("Endpoint.setLink() changes options in place, at both ends", () => {
  const pair = pairWith(2);
  exchange(pair, 500);
  const from = pair.sent.length;
  setLink(pair, 1, linkOver(pair, 1, { tier: "backup", metered: true, uploadBps: 4e6 }));
  const tierOf = (host: Host): string[] =>
    host.endpoint.status(pair.now).peers[0]!.links.map(({ tier, metered }) =>
      `${tier}${metered ? " metered" : ""}`
    );
  assertEquals(tierOf(pair.client), ["primary", "backup metered"]);
  pair.run(100_000);
  assertEquals(tierOf(pair.server), ["primary", "backup metered"]);
  assertEquals(shown(pair, pair.client), ["l0 up", "l1 up"]);
  const between = sentOn(pair, 1, from);
  pair.client.delivered.length = pair.server.delivered.length = 0;
  exchange(pair, 500);
  assertComplete(pair, 500);
  assert(sentOn(pair, 1, from) - between < 50, "a backup carries no packets");
  assertEquals(pair.client.endpoint.status(pair.now).peers[0]!.links[1]!.rateBps, 4e6);
  pair.finish();
});

Deno.test("Endpoint.setLink() under traffic, 40 times, loses, repeats and reorders nothing", () => {
  const pair = pairWith(2);
  exchange(pair, 4000, (i) => {
    if (i % 100 !== 50) return;
    const turn = i / 100 >>> 0;
    if (turn % 2 === 0) setLink(pair, 2, linkOver(pair, 2, { name: `n${turn}` }));
    else setLink(pair, 2, NO_LINK);
    if (turn % 5 === 0) setLink(pair, 1, linkOver(pair, 1, { uploadBps: 6e6 + turn * 1e5 }));
  });
  assertComplete(pair, 4000);
  assertEquals(pair.client.eventsOf("session").filter((state) => state === "down"), []);
  pair.finish();
});

Deno.test("Endpoint.setLink() works while handshakes and their answers are lost", () => {
  const pair = pairWith(2);
  const isHandshake = (bytes: Uint8Array): boolean => bytes[0] === 1 || bytes[0] === 2;
  for (const line of pair.lines) line.lose = ({ bytes }) => isHandshake(bytes);
  exchange(pair, 1000, (i) => {
    if (i === 100) setLink(pair, 2, linkOver(pair, 2));
    if (i === 500) setLink(pair, 1, NO_LINK);
  });
  assertComplete(pair, 1000);
  for (const line of pair.lines) line.lose = () => false;
  pair.runUntil(() => pair.client.endpoint.isLinkUp(2));
  pair.run(SECOND);
  assertEquals(shown(pair, pair.server), ["l0 up", "l2 up"]);
  pair.finish();
});

Deno.test("Endpoint.setLinkTier() holds for a link that is added later, and while others change", () => {
  const pair = pairWith(2);
  const tiers = (host: Host): string[] =>
    host.endpoint.status(pair.now).peers[0]!.links.map(({ tier }) => tier);
  pair.client.endpoint.setLinkTier(pair.now, 1, "backup", "for a test");
  setLink(pair, 2, linkOver(pair, 2));
  pair.client.endpoint.setLinkTier(pair.now, 2, "overflow", "for a test");
  pair.runUntil(() => pair.client.endpoint.isLinkUp(2));
  pair.run(SECOND);
  assertEquals(tiers(pair.client), ["primary", "backup", "overflow"]);
  assertEquals(tiers(pair.server), ["primary", "backup", "overflow"]);
  pair.finish();
});

Deno.test("Endpoint.setLink() begins anew with a server that knows of no such change", () => {
  const features = FEATURE as { changingLinks: number };
  const known = features.changingLinks;
  features.changingLinks = 0;
  try {
    const pair = pairWith(1);
    exchange(pair, 100);
    setLink(pair, 1, linkOver(pair, 1));
    pair.runUntil(() => pair.client.endpoint.isLinkUp(1));
    pair.run(SECOND);
    assertEquals(shown(pair, pair.server), ["l0 up", "l1 up"]);
    assertEquals(pair.client.eventsOf("session"), ["up", "up"]);
    pair.client.delivered.length = pair.server.delivered.length = 0;
    exchange(pair, 100);
    assertComplete(pair, 100);
    pair.finish();
  } finally {
    features.changingLinks = known;
  }
});
