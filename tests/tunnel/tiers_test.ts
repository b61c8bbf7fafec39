import { assert, assertEquals } from "@std/assert";
import type { ClientLink } from "../../src/tunnel/options.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

/** Two links of 8 Mbit/s, the second of `tier`. */
function twoTiers(tier: ClientLink["tier"]): Pair {
  const link = (id: number): Partial<ClientLink> => ({
    tier: id === 0 ? "primary" : tier,
    metered: id > 0,
    uploadBps: 8e6,
    downloadBps: 8e6,
  });
  return new Pair([{ delaysUs: [10_000, 10_000], link }]).connect();
}

/** Whether a datagram holds one of the test's packets, which have 1000 bytes. */
function isPacket(datagram: Uint8Array): boolean {
  return datagram.length > 1000 && datagram.length < 1100;
}

/** Offers `mbps` for `us` from the client, as bulk; returns the packets on each link. */
function offer(pair: Pair, mbps: number, us: number): number[] {
  const before = pair.sent.length;
  const stepUs = 1000 * 8 / mbps;
  for (let at = 0, i = 0; at < us; at += stepUs) {
    pair.client.send(pair.now, udp4(i++, { bytes: 1000 }));
    pair.run(stepUs);
  }
  const data = pair.sent.slice(before).filter(({ toServer, bytes }) => toServer && isPacket(bytes));
  return pair.lines.map((line) => data.filter((datagram) => datagram.line === line).length);
}

Deno.test("Endpoint leaves an overflow link alone while the primary one suffices", () => {
  const pair = twoTiers("overflow");
  const [primary, overflow] = offer(pair, 4, SECOND);
  assertEquals(overflow, 0);
  assert(primary! >= 490, `${primary}`);
  pair.finish();
});

Deno.test("Endpoint uses an overflow link when the primary one is not enough", () => {
  const pair = twoTiers("overflow");
  const [primary, overflow] = offer(pair, 14, SECOND);
  assert(overflow! > 300 && primary! > 600, `${primary} ${overflow}`);
  pair.finish();
});

Deno.test("Endpoint uses a backup link only when no other works", () => {
  const pair = twoTiers("backup");
  const [, idle] = offer(pair, 14, SECOND);
  assertEquals(idle, 0);
  pair.run(SECOND);
  pair.lines[0]!.cut = true;
  const [, busy] = offer(pair, 4, SECOND);
  assert(busy! > 300, `${busy}`);
  pair.lines[0]!.cut = false;
  pair.run(3 * SECOND);
  const [, after] = offer(pair, 4, SECOND);
  assertEquals(after, 0);
  pair.finish();
});

Deno.test("Endpoint keeps to the tiers in the server's direction too", () => {
  const pair = twoTiers("backup");
  for (const i of range(0, 300)) {
    pair.server.send(pair.now, udp4(i, { bytes: 1000 }));
    pair.run(2_000);
  }
  pair.run(SECOND);
  assertEquals(numbersOf(pair.client.delivered), range(0, 300));
  const onBackup = pair.sent.filter(({ toServer, line, bytes }) =>
    !toServer && line === pair.lines[1] && isPacket(bytes)
  );
  assertEquals(onBackup, []);
  pair.finish();
});

Deno.test("Endpoint keeps the queue short beside a backup link that was never measured", () => {
  const link = (id: number): Partial<ClientLink> =>
    id === 0 ? { uploadBps: 8e6 } : { tier: "backup", uploadBps: 0 };
  const pair = new Pair([{ delaysUs: [10_000, 10_000], link }]).connect();
  offer(pair, 14, 3 * SECOND);
  const { drops } = pair.client.endpoint.status(pair.now);
  assert(drops["codel"]! > 10, JSON.stringify(drops));
  pair.finish();
});

Deno.test("Endpoint.status() says in words why a link that is up is not used", () => {
  const reasons = (pair: Pair): string[] =>
    pair.client.endpoint.status(pair.now).peers[0]!.links.map(({ reason }) => reason);
  assertEquals(reasons(twoTiers("overflow")), [
    "",
    "overflow: used when the links before it are full",
  ]);
  assertEquals(reasons(twoTiers("backup")), ["", "backup: used when no other link is up"]);
  const far = new Pair([{ delaysUs: [10_000, 35_000] }]).connect();
  far.client.send(far.now, udp4(0, { bytes: 1000 }));
  far.run(2 * SECOND);
  assertEquals(reasons(far), ["", "arrives 25 ms later: bulk uses it when nearer links are full"]);
});

Deno.test("Endpoint leaves alone a link whose packets come too late to be put in order", () => {
  const link = (): Partial<ClientLink> => ({ uploadBps: 8e6, downloadBps: 8e6 });
  const pair = new Pair([{ delaysUs: [10_000, 300_000], link }]).connect();
  pair.run(2 * SECOND); // the far one comes up later
  const [near, far] = offer(pair, 14, SECOND);
  assertEquals(far, 0);
  assert(near! > 600, `${near}`);
  const { links } = pair.client.endpoint.status(pair.now).peers[0]!;
  assertEquals(links[1]!.reason, "arrives 290 ms later: too late to be put back in order");
  pair.lines[0]!.cut = true;
  pair.run(SECOND);
  const [, alone] = offer(pair, 4, SECOND);
  assert(alone! > 300, `${alone}`);
  pair.finish();
});
