/**
 * Tiers that change while the tunnel runs: the client decides, both ends act on it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { LinkOptions } from "../../src/tunnel/options.ts";
import { readU16 } from "../../src/wire/field.ts";
import { FRAME } from "../../src/wire/frame.ts";
import type { Host } from "../pair/host.ts";
import { type Datagram, Pair } from "../pair/pair.ts";
import { udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const REASON = "quota of 50 GB is used up: backup until 1 December";
/** Around the frames of a datagram. */
const HEADER_BYTES = 10;
const TAG_BYTES = 16;

/** Two primary links of 8 Mbit/s, connected; the packets of one transfer need both. */
function twoLinks(link: Partial<LinkOptions> = {}): Pair {
  const options = { uploadBps: 8e6, downloadBps: 8e6, ...link };
  return new Pair([{ delaysUs: [10_000, 10_000], link: () => options }]).connect();
}

/** Sends bulk both ways for `us`, 12 Mbit/s each; returns the packets on each link, up and down. */
function offerBoth(world: Pair, us: number): { up: number[]; down: number[] } {
  const before = world.sent.length;
  for (let i = 0; i * 667 < us; i++) {
    world.client.send(world.now, udp4(i, { bytes: 1000 }));
    world.server.send(world.now, udp4(i, { bytes: 1000, from: "10.7.0.2", to: "10.7.0.1" }));
    world.run(667);
  }
  const data = world.sent.slice(before).filter(({ bytes }) => bytes.length > 900);
  const count = (up: boolean): number[] =>
    world.lines.map((line) => data.filter((d) => d.line === line && d.toServer === up).length);
  return { up: count(true), down: count(false) };
}

/** Types of the control frames in a datagram; the cipher of the tests changes nothing. */
function framesOf({ bytes }: Datagram): number[] {
  const types: number[] = [];
  if (bytes[0] !== 4) return types;
  const end = bytes.length - TAG_BYTES;
  for (let at = HEADER_BYTES; at + 3 <= end && bytes[at]! < 128; at += 3 + readU16(bytes, at + 1)) {
    types.push(bytes[at]!);
  }
  return types;
}

/** Datagrams with a LINK in them. */
function linksSent(world: Pair): Datagram[] {
  return world.sent.filter((datagram) => framesOf(datagram).includes(FRAME.link));
}

function tiers(world: Pair, host: Host): string[] {
  return host.endpoint.status(world.now).peers[0]!.links.map(({ tier }) => tier);
}

function setTier(world: Pair, tier: LinkOptions["tier"] | undefined, reason = REASON): void {
  world.client.endpoint.setLinkTier(world.now, 1, tier, reason);
  world.client.turn(world.now);
}

Deno.test("Endpoint.setLinkTier() takes both ends off a link, and back to it", () => {
  const world = twoLinks();
  const before = offerBoth(world, SECOND);
  assert(before.up[1]! > 300 && before.down[1]! > 300, JSON.stringify(before));
  world.run(SECOND);

  setTier(world, "backup");
  world.run(10_000 + 1);
  assertEquals(tiers(world, world.server), ["primary", "backup"]);
  const during = offerBoth(world, SECOND);
  assertEquals([during.up[1], during.down[1]], [0, 0]);
  assert(during.up[0]! > 800 && during.down[0]! > 800, JSON.stringify(during));
  world.run(SECOND);

  setTier(world, undefined, "");
  world.run(10_000 + 1);
  assertEquals(tiers(world, world.server), ["primary", "primary"]);
  const after = offerBoth(world, SECOND);
  assert(after.up[1]! > 300 && after.down[1]! > 300, JSON.stringify(after));
  world.finish();
});

Deno.test("a link that was made a backup carries everything when the other one dies", () => {
  const world = twoLinks();
  setTier(world, "backup");
  world.run(SECOND);
  world.lines[0]!.cut = true;
  const { up, down } = offerBoth(world, SECOND);
  assert(up[1]! > 700 && down[1]! > 700, JSON.stringify([up, down]));
  world.lines[0]!.cut = false;
  world.run(3 * SECOND);
  const after = offerBoth(world, SECOND);
  assertEquals([after.up[1], after.down[1]], [0, 0]);
  world.finish();
});

Deno.test("links that are all made backups are all used", () => {
  const world = twoLinks();
  for (const link of [0, 1]) world.client.endpoint.setLinkTier(world.now, link, "backup", REASON);
  world.run(SECOND);
  assertEquals(tiers(world, world.server), ["backup", "backup"]);
  const { up, down } = offerBoth(world, SECOND);
  for (const count of [...up, ...down]) assert(count > 300, JSON.stringify([up, down]));
  world.finish();
});

Deno.test("status() says the reason of the tier at the client, and what it means at the server", () => {
  const world = twoLinks();
  setTier(world, "backup");
  world.run(SECOND);
  const reasons = (host: Host): string[] =>
    host.endpoint.status(world.now).peers[0]!.links.map(({ reason }) => reason);
  assertEquals(reasons(world.client), ["", REASON]);
  assertEquals(reasons(world.server), ["", "backup: used when no other link is up"]);
  setTier(world, undefined, "");
  assertEquals(reasons(world.client), ["", ""]);
  world.finish();
});

Deno.test("a server that loses LINKs on a busy link learns from later ones", () => {
  const world = twoLinks({ metered: true, timeoutUs: 16_000_000 });
  offerBoth(world, SECOND);
  let lost = 0;
  world.lines[1]!.lose = (datagram): boolean =>
    framesOf(datagram).includes(FRAME.link) && ++lost <= 3;
  setTier(world, "backup");
  offerBoth(world, SECOND / 5);
  assertEquals(tiers(world, world.server), ["primary", "primary"], "the first ones are lost");
  offerBoth(world, SECOND);
  assertEquals(tiers(world, world.server), ["primary", "backup"]);
  assert(lost >= 4, `${lost}`);
  const { down } = offerBoth(world, SECOND);
  assertEquals(down[1], 0);
  world.finish();
});

Deno.test("LINKs are sent with PROBEs from the first change on, also when it is undone, and repeated until answered", () => {
  const world = twoLinks({ metered: true, timeoutUs: 16_000_000 });
  offerBoth(world, SECOND);
  world.run(20 * SECOND);
  assertEquals(linksSent(world).length, 0, "nothing has changed");
  setTier(world, "overflow");
  setTier(world, undefined, "");
  world.run(SECOND);
  const sent = linksSent(world);
  assert(sent.length >= 2 && sent.length <= 4, `${sent.length}: it was told and answered`);
  assert(sent.every(({ line, toServer }) => line === world.lines[1] && toServer));
  world.run(30 * SECOND);
  const later = linksSent(world).slice(sent.length);
  assert(later.length >= 4 && later.length <= 8, `${later.length}: with heartbeats`);
  for (const datagram of later) assertEquals(framesOf(datagram).slice(0, 2), [1, 6]);
  world.finish();
});

Deno.test("a change is told in new sessions too, and new keys leave the tier as it is", () => {
  const world = twoLinks();
  setTier(world, "backup");
  world.run(125 * SECOND);
  assertEquals(world.client.eventsOf("session"), ["up", "rekeyed"]);
  assertEquals(tiers(world, world.server), ["primary", "backup"]);
  assertEquals(tiers(world, world.client), ["primary", "backup"]);
  world.finish();
});

Deno.test("a server that starts anew hears of the tier at once", () => {
  const world = twoLinks();
  setTier(world, "backup");
  world.run(SECOND);
  world.server.restart();
  world.runUntil(() => world.server.eventsOf("session").length >= 2, 10 * SECOND);
  world.run(100_000);
  assertEquals(tiers(world, world.server), ["primary", "backup"]);
});

Deno.test("a client that starts anew begins with what is configured", () => {
  const world = twoLinks();
  setTier(world, "backup");
  world.run(SECOND);
  world.client.restart();
  world.client.turn(world.now);
  world.run(SECOND);
  assertEquals(tiers(world, world.server), ["primary", "primary"]);
  assertEquals(tiers(world, world.client), ["primary", "primary"]);
});

Deno.test("Endpoint.setLinkTier() before the first session is told with the first PROBE", () => {
  const world = new Pair([{ delaysUs: [10_000, 10_000] }]);
  world.client.endpoint.setLinkTier(world.now, 1, "backup", REASON);
  world.connect();
  assertEquals(tiers(world, world.client), ["primary", "backup"]);
  assertEquals(tiers(world, world.server), ["primary", "backup"]);
  world.finish();
});

Deno.test("Endpoint.setLinkTier() of a server does nothing: its client decides", () => {
  const world = twoLinks();
  world.server.endpoint.setLinkTier(world.now, 1, "backup", REASON);
  world.run(SECOND);
  assertEquals(tiers(world, world.server), ["primary", "primary"]);
  world.finish();
});

Deno.test("a client ignores LINKs", () => {
  const world = twoLinks();
  let count = 0;
  world.lines[1]!.lose = (datagram): boolean => {
    const [first] = framesOf(datagram);
    if (datagram.toServer || first !== FRAME.probe && first !== FRAME.probeAck) return false;
    datagram.bytes.set([FRAME.link, 0, 7, 1, 2, 1], HEADER_BYTES); // in place of all of it
    return ++count > 1000;
  };
  world.run(300_000);
  assert(count > 0);
  assertEquals(tiers(world, world.client), ["primary", "primary"]);
  assertEquals(world.client.drops("frame"), 0);
  world.finish();
});

Deno.test("Endpoint.carriedBytes() counts IP packets of both directions", () => {
  const world = twoLinks();
  const before = world.sent.length;
  const start = world.client.endpoint.carriedBytes(1);
  offerBoth(world, SECOND);
  world.settle();
  const bytes = world.sent.slice(before).filter(({ line }) => line === world.lines[1])
    .reduce((sum, datagram) => sum + datagram.bytes.length + 28, 0);
  assertEquals(world.client.endpoint.carriedBytes(1) - start, bytes);
  world.finish();
});

Deno.test("holes are not reported by a backup link, however fast it is", () => {
  const link = (id: number): Partial<LinkOptions> => ({
    downloadBps: 8e6,
    metered: id === 1,
    timeoutUs: 16_000_000,
    tier: id === 1 ? "backup" : "primary",
  });
  const world = new Pair([{ delaysUs: [20_000, 2_000], link }]).connect();
  let count = 0;
  world.lines[0]!.lose = ({ toServer }): boolean => !toServer && ++count % 10 === 0;
  const before = world.sent.length;
  for (let i = 0; i < 500; i++) {
    world.server.send(world.now, udp4(i, { bytes: 1000, from: "10.7.0.2", to: "10.7.0.1" }));
    world.run(2_000);
  }
  const onBackup = world.sent.slice(before).filter(({ line }) => line === world.lines[1]);
  assert(onBackup.length < 10, `${onBackup.length}`);
  world.finish();
});
