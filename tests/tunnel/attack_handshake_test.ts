/**
 * What a peer with keys can do with handshakes: have as many sessions as it likes,
 * one at a time.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { close, data, probe } from "./frames.ts";
import { range, udp4 } from "./packets.ts";
import { MALLORY_ADDRESS, RawClient } from "./raw_client.ts";

Deno.test("a peer may change its links at each handshake, up to 91 and back to one", () => {
  const mallory = new RawClient();
  const { server } = mallory.pair;
  for (const [i, links] of [91, 1, 2, 91, 3, 1].entries()) {
    mallory.handshake({ links, sessionId: 0x5000_0000 + i, name: `n${i}` });
    assertEquals(server.endpoint.status(0).peers[1]!.links.length, links);
    mallory.send(links - 1, data(udp4(i, { from: MALLORY_ADDRESS }), { global: i, sequence: i }));
    server.send(mallory.pair.now, udp4(i, { to: MALLORY_ADDRESS }));
  }
  mallory.pair.run(500_000);
  assertEquals(server.delivered.length, 6);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a link that the newest INIT did not offer belongs to nobody", () => {
  const mallory = new RawClient({ links: 3 });
  const { server } = mallory.pair;
  const old = mallory.seal(2, probe(1));
  mallory.handshake({ links: 1, sessionId: 0x5100_0000 });
  const before = server.drops("unknown-session");
  mallory.deliver(old);
  const beyond = mallory.seal(0, probe(1));
  beyond[1] = 1;
  mallory.deliver(beyond);
  beyond[1] = 255;
  mallory.deliver(beyond);
  assertEquals(server.drops("unknown-session") - before, 3);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a session that is used late, when a newer one was begun, is forgotten", () => {
  const mallory = new RawClient();
  const { server } = mallory.pair;
  const first = mallory.seal(0, probe(1));
  mallory.handshake({ sessionId: 0x4d4d_4d01 });
  mallory.handshake({ sessionId: 0x4d4d_4d02 });
  const before = server.drops("unknown-session");
  mallory.deliver(first);
  assertEquals(server.drops("unknown-session") - before, 1);
  assertEquals(server.eventsOf("session").slice(1), ["up", "rekeyed", "rekeyed"]);
  mallory.pair.finish();
});

Deno.test("the previous session is understood for ten seconds, and no longer", () => {
  const mallory = new RawClient();
  const { server } = mallory.pair;
  const [early, late] = range(0, 2).map(() => mallory.seal(0, probe(1)));
  mallory.handshake({ sessionId: 0x4d4d_4d01 });
  const refused = (): number => server.drops("unknown-session");
  const before = refused();
  mallory.pair.run(9_000_000);
  mallory.deliver(early!);
  assertEquals(refused() - before, 0);
  mallory.pair.run(2_000_000);
  mallory.deliver(late!);
  assertEquals(refused() - before, 1);
  mallory.pair.finish();
});

Deno.test("handshake after handshake leaves no memory behind and no id twice", () => {
  const mallory = new RawClient();
  const { server } = mallory.pair;
  const ids = new Set<number>();
  for (const i of range(0, 40)) {
    mallory.pair.run(200_000); // no more are answered
    mallory.handshake({ links: 91, sessionId: 0x6000_0000 + i * 256 });
    ids.add(mallory.remoteId);
    server.send(mallory.pair.now, udp4(i, { to: MALLORY_ADDRESS }));
  }
  assertEquals(ids.size, 40);
  assertEquals(new Set([...ids].map((id) => id >>> 8)).size, 40, "each time both begin anew");
  const again = mallory.remoteId;
  mallory.pair.run(200_000);
  mallory.handshake({ links: 91, sessionId: 0x6000_0000 + 39 * 256 + 1 });
  assertEquals(mallory.remoteId >>> 8, again >>> 8, "new keys alone change no instance");
  assert(server.free - server.pool.available < 64, `${server.free - server.pool.available}`);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a session that nobody has confirmed is not used, and ends when it is old", () => {
  const mallory = new RawClient();
  const { server } = mallory.pair;
  mallory.send(0, close());
  mallory.begin({ sessionId: 0x7000_0000 });
  const before = mallory.received.length;
  const probeUnderNewKeys = mallory.seal(0, probe(1));
  server.send(mallory.pair.now, udp4(1, { to: MALLORY_ADDRESS }));
  mallory.pair.run(1_000_000);
  assertEquals(mallory.received.length, before, "nothing comes under the new keys");
  assertEquals(server.drops("no-peer"), 1);
  mallory.pair.run(181_000_000);
  const refused = server.drops("unknown-session");
  mallory.deliver(probeUnderNewKeys);
  assertEquals(server.drops("unknown-session") - refused, 1);
  mallory.pair.finish();
});
