/**
 * A quota in a tunnel of two real ends: used up, the links keep to it, and the month ends.
 *
 * @module
 */

import { assert, assertEquals, fail } from "@std/assert";
import { Quotas } from "../../src/daemon/quotas.ts";
import type { ClientLink } from "../../src/tunnel/options.ts";
import { Pair } from "../pair/pair.ts";
import { udp4 } from "../tunnel/packets.ts";

const SECOND = 1_000_000;
const QUOTA_BYTES = 2e6;

/** Sends 12 Mbit/s to the client; returns how many packets each of the two links gets. */
function download(pair: Pair, quotas: Quotas, seconds: number): number[] {
  const before = pair.sent.length;
  for (let second = 0; second < seconds; second++) {
    for (let i = 0; i < 1500; i++) {
      pair.server.send(pair.now, udp4(i, { bytes: 1000, from: "10.7.0.2", to: "10.7.0.1" }));
      pair.run(SECOND / 1500);
    }
    quotas.handleTimeout();
    pair.client.turn(pair.now);
  }
  const data = pair.sent.slice(before).filter(({ bytes }) => bytes.length > 900);
  return pair.lines.map((line) => data.filter((datagram) => datagram.line === line).length);
}

Deno.test("a link whose quota is used up is left alone by both ends, except when it is the last, until the month ends", () => {
  const link = (): Partial<ClientLink> => ({ uploadBps: 8e6, downloadBps: 8e6 });
  const pair = new Pair([{ delaysUs: [10_000, 10_000], link }]).connect();
  let wall = "2026-11-23T12:00:00";
  const quotas = new Quotas({
    links: [{ id: 1, name: "l1", quotaBytes: QUOTA_BYTES, day: 1, whenUsedUp: "last" }],
    carrier: {
      carriedBytes: (link) => pair.client.endpoint.carriedBytes(link),
      setLinkTier: (...change) => pair.client.endpoint.setLinkTier(...change),
      setLinkOff: () => fail("nothing is to be off"),
    },
    onEvent: () => {},
    clock: () => pair.now,
    wallMs: () => new Date(wall).getTime(),
    file: { path: "", read: () => ({}), write: () => Promise.resolve() },
  });
  const lte = (): { tier: string; reason: string; quotaUsedBytes?: number } =>
    quotas.describe(pair.client.endpoint.status(pair.now)).peers[0]!.links[1]!;

  download(pair, quotas, 4);
  assertEquals([lte().tier, lte().reason], [
    "last",
    "quota of 2 MB is used up: last of all until 1 December",
  ]);
  const used = lte().quotaUsedBytes!;
  assert(used >= QUOTA_BYTES && used < QUOTA_BYTES + 1.2e6, `${used}: at most a second too much`);
  pair.run(SECOND);
  const [first, spent] = download(pair, quotas, 2);
  assert(first! > 1500 && spent === 0, `${first} ${spent}`);
  assert(lte().quotaUsedBytes! - used < 300e3, "what was in flight, and heartbeats");

  pair.lines[0]!.cut = true;
  assert(download(pair, quotas, 2)[1]! > 1200, "the tunnel does not break");
  pair.lines[0]!.cut = false;
  pair.run(3 * SECOND);
  assertEquals(download(pair, quotas, 1)[1], 0);

  wall = "2026-12-01T00:00:01";
  quotas.handleTimeout();
  pair.client.turn(pair.now);
  pair.run(SECOND);
  assertEquals([lte().tier, lte().reason], ["primary", ""]);
  assert(download(pair, quotas, 2)[1]! > 500, "both links again");
  pair.finish();
});
