/**
 * Tiers that change while the tunnel runs: the client decides, both ends act on it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { ClientLink } from "../../src/tunnel/options.ts";
import { isData } from "../../src/wire/data.ts";
import {
  OUTER_HEADER_BYTES,
  readDatagramType,
  TAG_BYTES,
  TRANSPORT_TYPE,
} from "../../src/wire/datagram.ts";
import { FRAME, FRAME_HEADER_BYTES, readFrameLength, readFrameType } from "../../src/wire/frame.ts";
import type { LinkTier } from "../../src/wire/handshake.ts";
import type { Host } from "../pair/host.ts";
import { type Datagram, Pair } from "../pair/pair.ts";
import { udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const REASON = "quota of 50 GB is used up: backup until 1 December";

/** Two primary links of 8 Mbit/s, connected; the packets of one transfer need both. */
function twoLinks(link: Partial<ClientLink> = {}): Pair {
  const options = { uploadBps: 8e6, downloadBps: 8e6, ...link };
  return new Pair([{ delaysUs: [10_000, 10_000], link: () => options }]).connect();
}

/** Sends bulk both ways for `us`, 12 Mbit/s each; returns the packets on each link, up and down. */
function offerBoth(pair: Pair, us: number): { up: number[]; down: number[] } {
  const before = pair.sent.length;
  for (let i = 0; i * 667 < us; i++) {
    pair.client.send(pair.now, udp4(i, { bytes: 1000 }));
    pair.server.send(pair.now, udp4(i, { bytes: 1000, from: "10.7.0.2", to: "10.7.0.1" }));
    pair.run(667);
  }
  const data = pair.sent.slice(before).filter(({ bytes }) => bytes.length > 900);
  const count = (up: boolean): number[] =>
    pair.lines.map((line) => data.filter((d) => d.line === line && d.toServer === up).length);
  return { up: count(true), down: count(false) };
}

/** Types of the control frames in a datagram; the cipher of the tests changes nothing. */
function framesOf({ bytes }: Datagram): number[] {
  const types: number[] = [];
  if (readDatagramType(bytes, 0) !== TRANSPORT_TYPE) return types;
  const end = bytes.length - TAG_BYTES;
  let at = OUTER_HEADER_BYTES;
  while (at + FRAME_HEADER_BYTES <= end && !isData(bytes, at)) {
    types.push(readFrameType(bytes, at));
    at += FRAME_HEADER_BYTES + readFrameLength(bytes, at);
  }
  return types;
}

/** Datagrams with a LINK in them. */
function linksSent(pair: Pair): Datagram[] {
  return pair.sent.filter((datagram) => framesOf(datagram).includes(FRAME.link));
}

function tiers(pair: Pair, host: Host): string[] {
  return host.endpoint.status(pair.now).peers[0]!.links.map(({ tier }) => tier);
}

function setTier(pair: Pair, tier: LinkTier | undefined, reason = REASON): void {
  pair.client.endpoint.setLinkTier(pair.now, 1, tier, reason);
  pair.client.turn(pair.now);
}

Deno.test("Endpoint.setLinkTier() takes both ends off a link, and back to it", () => {
  const pair = twoLinks();
  const before = offerBoth(pair, SECOND);
  assert(before.up[1]! > 300 && before.down[1]! > 300, JSON.stringify(before));
  pair.run(SECOND);

  setTier(pair, "backup");
  pair.run(10_000 + 1);
  assertEquals(tiers(pair, pair.server), ["primary", "backup"]);
  const during = offerBoth(pair, SECOND);
  assertEquals([during.up[1], during.down[1]], [0, 0]);
  assert(during.up[0]! > 800 && during.down[0]! > 800, JSON.stringify(during));
  pair.run(SECOND);

  setTier(pair, undefined, "");
  pair.run(10_000 + 1);
  assertEquals(tiers(pair, pair.server), ["primary", "primary"]);
  const after = offerBoth(pair, SECOND);
  assert(after.up[1]! > 300 && after.down[1]! > 300, JSON.stringify(after));
  pair.finish();
});

Deno.test("a link that was made a backup carries everything when the other one dies", () => {
  const pair = twoLinks();
  setTier(pair, "backup");
  pair.run(SECOND);
  pair.lines[0]!.cut = true;
  const { up, down } = offerBoth(pair, SECOND);
  assert(up[1]! > 700 && down[1]! > 700, JSON.stringify([up, down]));
  pair.lines[0]!.cut = false;
  pair.run(3 * SECOND);
  const after = offerBoth(pair, SECOND);
  assertEquals([after.up[1], after.down[1]], [0, 0]);
  pair.finish();
});

Deno.test("a link that was made the last of all waits for a backup to die, at both ends", () => {
  const options = { uploadBps: 8e6, downloadBps: 8e6 };
  const link = (id: number): Partial<ClientLink> =>
    id === 2 ? { ...options, tier: "backup" } : options;
  const pair = new Pair([{ delaysUs: [10_000, 10_000, 10_000], link }]).connect();
  setTier(pair, "last");
  pair.run(SECOND);
  assertEquals(tiers(pair, pair.server), ["primary", "last", "backup"]);
  pair.lines[0]!.cut = true;
  offerBoth(pair, SECOND / 2);
  const free = offerBoth(pair, SECOND);
  assertEquals([free.up[1], free.down[1]], [0, 0], "the backup has more to carry than it can");
  assert(free.up[2]! > 700 && free.down[2]! > 700, JSON.stringify(free));
  pair.lines[2]!.cut = true;
  offerBoth(pair, SECOND / 2);
  const last = offerBoth(pair, SECOND);
  assert(last.up[1]! > 700 && last.down[1]! > 700, JSON.stringify(last));
  pair.finish();
});

Deno.test("links that are all made backups are all used", () => {
  const pair = twoLinks();
  for (const link of [0, 1]) pair.client.endpoint.setLinkTier(pair.now, link, "backup", REASON);
  pair.run(SECOND);
  assertEquals(tiers(pair, pair.server), ["backup", "backup"]);
  const { up, down } = offerBoth(pair, SECOND);
  for (const count of [...up, ...down]) assert(count > 300, JSON.stringify([up, down]));
  pair.finish();
});

Deno.test("status() says the reason of the tier at the client, and what it means at the server", () => {
  const pair = twoLinks();
  setTier(pair, "backup");
  pair.run(SECOND);
  const reasons = (host: Host): string[] =>
    host.endpoint.status(pair.now).peers[0]!.links.map(({ reason }) => reason);
  assertEquals(reasons(pair.client), ["", REASON]);
  assertEquals(reasons(pair.server), ["", "backup: used when no other link is up"]);
  setTier(pair, undefined, "");
  assertEquals(reasons(pair.client), ["", ""]);
  pair.finish();
});

Deno.test("a server that loses LINKs on a busy link learns from later ones", () => {
  const pair = twoLinks({ metered: true, timeoutUs: 16_000_000 });
  offerBoth(pair, SECOND);
  let lost = 0;
  pair.lines[1]!.lose = (datagram): boolean =>
    framesOf(datagram).includes(FRAME.link) && ++lost <= 3;
  setTier(pair, "backup");
  offerBoth(pair, SECOND / 5);
  assertEquals(tiers(pair, pair.server), ["primary", "primary"], "the first ones are lost");
  offerBoth(pair, SECOND);
  assertEquals(tiers(pair, pair.server), ["primary", "backup"]);
  assert(lost >= 4, `${lost}`);
  const { down } = offerBoth(pair, SECOND);
  assertEquals(down[1], 0);
  pair.finish();
});

Deno.test("LINKs are sent with PROBEs from the first change on, also when it is undone, and repeated until answered", () => {
  const pair = twoLinks({ metered: true, timeoutUs: 16_000_000 });
  offerBoth(pair, SECOND);
  pair.run(20 * SECOND);
  assertEquals(linksSent(pair).length, 0, "nothing has changed");
  setTier(pair, "overflow");
  setTier(pair, undefined, "");
  pair.run(SECOND);
  const sent = linksSent(pair);
  assert(sent.length >= 2 && sent.length <= 4, `${sent.length}: it was told and answered`);
  assert(sent.every(({ line, toServer }) => line === pair.lines[1] && toServer));
  pair.run(30 * SECOND);
  const later = linksSent(pair).slice(sent.length);
  assert(later.length >= 4 && later.length <= 8, `${later.length}: with heartbeats`);
  for (const datagram of later) assertEquals(framesOf(datagram).slice(0, 2), [1, 6]);
  pair.finish();
});

Deno.test("a change is told in new sessions too, and new keys leave the tier as it is", () => {
  const pair = twoLinks();
  setTier(pair, "backup");
  pair.run(125 * SECOND);
  assertEquals(pair.client.eventsOf("session"), ["up", "rekeyed"]);
  assertEquals(tiers(pair, pair.server), ["primary", "backup"]);
  assertEquals(tiers(pair, pair.client), ["primary", "backup"]);
  pair.finish();
});

Deno.test("a server that restarts is told the tier at once", () => {
  const pair = twoLinks();
  setTier(pair, "backup");
  pair.run(SECOND);
  pair.server.restart();
  pair.runUntil(() => pair.server.eventsOf("session").length >= 2, 10 * SECOND);
  pair.run(100_000);
  assertEquals(tiers(pair, pair.server), ["primary", "backup"]);
});

Deno.test("a client that restarts begins with the configured tier", () => {
  const pair = twoLinks();
  setTier(pair, "backup");
  pair.run(SECOND);
  pair.client.restart();
  pair.client.turn(pair.now);
  pair.run(SECOND);
  assertEquals(tiers(pair, pair.server), ["primary", "primary"]);
  assertEquals(tiers(pair, pair.client), ["primary", "primary"]);
});

Deno.test("Endpoint.setLinkTier() before the first session is told with the first PROBE", () => {
  const pair = new Pair([{ delaysUs: [10_000, 10_000] }]);
  pair.client.endpoint.setLinkTier(pair.now, 1, "backup", REASON);
  pair.connect();
  assertEquals(tiers(pair, pair.client), ["primary", "backup"]);
  assertEquals(tiers(pair, pair.server), ["primary", "backup"]);
  pair.finish();
});

Deno.test("Endpoint.setLinkTier() of a server does nothing: its client decides", () => {
  const pair = twoLinks();
  pair.server.endpoint.setLinkTier(pair.now, 1, "backup", REASON);
  pair.run(SECOND);
  assertEquals(tiers(pair, pair.server), ["primary", "primary"]);
  pair.finish();
});

Deno.test("a client ignores LINKs", () => {
  const pair = twoLinks();
  let count = 0;
  pair.lines[1]!.lose = (datagram): boolean => {
    const [first] = framesOf(datagram);
    if (datagram.toServer || first !== FRAME.probe && first !== FRAME.probeAck) return false;
    datagram.bytes.set([FRAME.link, 0, 7, 1, 2, 1], OUTER_HEADER_BYTES); // in place of all of it
    return ++count > 1000;
  };
  pair.run(300_000);
  assert(count > 0);
  assertEquals(tiers(pair, pair.client), ["primary", "primary"]);
  assertEquals(pair.client.drops("frame"), 0);
  pair.finish();
});

Deno.test("Endpoint.carriedBytes() counts IP packets of both directions", () => {
  const pair = twoLinks();
  const before = pair.sent.length;
  const start = pair.client.endpoint.carriedBytes(1);
  offerBoth(pair, SECOND);
  pair.settle();
  const bytes = pair.sent.slice(before).filter(({ line }) => line === pair.lines[1])
    .reduce((sum, datagram) => sum + datagram.bytes.length + 28, 0);
  assertEquals(pair.client.endpoint.carriedBytes(1) - start, bytes);
  pair.finish();
});

Deno.test("holes are not reported by a backup link, however fast it is", () => {
  const link = (id: number): Partial<ClientLink> => ({
    downloadBps: 8e6,
    metered: id === 1,
    timeoutUs: 16_000_000,
    tier: id === 1 ? "backup" : "primary",
  });
  const pair = new Pair([{ delaysUs: [20_000, 2_000], link }]).connect();
  let count = 0;
  pair.lines[0]!.lose = ({ toServer }): boolean => !toServer && ++count % 10 === 0;
  const before = pair.sent.length;
  for (let i = 0; i < 500; i++) {
    pair.server.send(pair.now, udp4(i, { bytes: 1000, from: "10.7.0.2", to: "10.7.0.1" }));
    pair.run(2_000);
  }
  const onBackup = pair.sent.slice(before).filter(({ line }) => line === pair.lines[1]);
  assert(onBackup.length < 10, `${onBackup.length}`);
  pair.finish();
});
