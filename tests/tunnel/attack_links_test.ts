/**
 * What a peer with keys can do with LINK: anything to its own links, nothing to others.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FRAME } from "../../src/wire/frame.ts";
import { TIERS } from "../../src/wire/handshake.ts";
import { control, linkUpdate, probe } from "./frames.ts";
import { range } from "./packets.ts";
import { RawClient } from "./raw_client.ts";

/** Tier and metering of the raw client's links, as its server sees them. */
function links(mallory: RawClient): string[] {
  const { server, now } = mallory.pair;
  return server.endpoint.status(now).peers[1]!.links
    .map(({ tier, metered }) => metered ? `${tier} metered` : tier);
}

Deno.test("a LINK sets tier and metering of one link, whichever link it comes by", () => {
  const mallory = new RawClient({ links: 3 });
  mallory.send(0, probe(1), linkUpdate(0, "overflow"), probe(2));
  mallory.send(0, linkUpdate(2, "backup", true));
  assertEquals(links(mallory), ["overflow", "primary", "backup metered"]);
  mallory.send(2, control(FRAME.link, [2, 0, 0xfc, 0, 9, 9]), linkUpdate(1, "backup"));
  assertEquals(links(mallory), ["overflow", "backup", "primary"]);
  assertEquals(mallory.pair.server.drops("frame"), 0);
  assertEquals(mallory.pair.server.endpoint.status(0).peers[0]!.links[0]!.tier, "primary");
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a LINK that was overtaken by a later one is ignored", () => {
  const mallory = new RawClient({ links: 2 });
  const [first, second, third] = [
    mallory.seal(1, linkUpdate(1, "backup")),
    mallory.seal(1, linkUpdate(1, "overflow")),
    mallory.seal(1, probe(1)),
  ];
  mallory.deliver(second!, first!, third!);
  assertEquals(links(mallory), ["primary", "overflow"]);
  mallory.pair.finish();
});

Deno.test("a LINK of the previous session is ignored", () => {
  const mallory = new RawClient({ links: 2 });
  const old = mallory.seal(1, linkUpdate(1, "backup"));
  mallory.handshake({ links: 2, sessionId: mallory.sessionId + 1 });
  const [acks, drops] = [mallory.received.length, mallory.pair.server.endpoint.status(0).drops];
  mallory.deliver(old);
  assertEquals(links(mallory), ["primary", "primary"]);
  assertEquals(mallory.pair.server.endpoint.status(0).drops, drops, "it was read, and is too old");
  assertEquals(mallory.received.length, acks);
  mallory.pair.finish();
});

Deno.test("LINKs of unknown links and tiers, and those cut short, are counted and change nothing", () => {
  const mallory = new RawClient({ links: 2 });
  const bad = [
    linkUpdate(2, "backup"),
    linkUpdate(255, "backup"),
    control(FRAME.link, [1, 3, 0]),
    control(FRAME.link, [1, 255, 255]),
    control(FRAME.link, []),
    control(FRAME.link, [1, 2]),
    Uint8Array.of(FRAME.link, 0, 4, 1, 2, 0), // longer than the datagram
  ];
  const before = mallory.pair.server.drops("frame");
  for (const frame of bad) mallory.send(0, frame);
  assertEquals(mallory.pair.server.drops("frame") - before, bad.length);
  mallory.send(0, bad[2]!, linkUpdate(1, "overflow"));
  assertEquals(links(mallory), ["primary", "overflow"], "what follows a bad one counts");
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("any bytes as LINKs never throw and leave a valid tier", () => {
  const mallory = new RawClient({ links: 2 });
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.tuple(fc.nat(3), fc.nat(4), fc.nat(255)).map((bytes) => Uint8Array.from(bytes)),
  );
  fc.assert(
    fc.property(fc.nat(1), fc.array(payload, { maxLength: 40 }), (link, payloads) => {
      mallory.send(link, ...payloads.map((bytes) => control(FRAME.link, bytes)));
      for (const text of links(mallory)) {
        assert([...TIERS, "last"].some((tier) => text.startsWith(tier)), text);
      }
    }),
  );
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a flood of LINKs is not answered and not remembered, and serves others no worse", () => {
  const mallory = new RawClient({ links: 2 });
  mallory.pair.run(50_000);
  const { server } = mallory.pair;
  const [events, received] = [server.events.length, mallory.received.length];
  const flood = range(0, 2_000).map((i) =>
    mallory.seal(0, ...range(0, 60).map((k) => linkUpdate(i + k & 1, TIERS[(i + k) % 3]!, k > 30)))
  );
  const free = server.pool.available;
  mallory.deliver(...flood);
  assertEquals([server.events.length, mallory.received.length], [events, received]);
  assertEquals(server.pool.available, free);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("two links of a client never have one name", () => {
  const { pair } = new RawClient({ links: 3, names: ["link2", "link2", "$(x)"] });
  const { links } = pair.server.endpoint.status(pair.now).peers[1]!;
  assertEquals(links.map(({ name }) => name), ["link2", "link2_", "__x_"]);
  const again = new RawClient({ links: 3, names: ["link2", "", ""] }).pair;
  const named = again.server.endpoint.status(again.now).peers[1]!.links;
  assertEquals(named.map(({ name }) => name), ["link2", "link1", "link2_"]);
  pair.finish();
  again.finish();
});
