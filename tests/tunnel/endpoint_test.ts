import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

Deno.test("Endpoint brings a session up on every link in one round trip", () => {
  const pair = new Pair([{ delaysUs: [10_000, 30_000] }]);
  pair.client.turn(pair.now);
  const us = pair.runUntil(() => pair.client.eventsOf("session").length > 0);
  assert(us <= 21_000, `${us}`);
  pair.run(500_000);
  assertEquals(pair.server.eventsOf("session"), ["up"]);
  for (const host of [pair.client, pair.server]) {
    assertEquals(host.eventsOf("link").sort(), ["l0 up", "l1 up"]);
  }
  pair.finish();
});

Deno.test("Endpoint carries packets both ways, in order and once", () => {
  const pair = new Pair([{ delaysUs: [10_000, 30_000] }]).connect();
  for (const i of range(0, 300)) {
    pair.client.send(pair.now, udp4(i, { bytes: 1000 }));
    pair.server.send(pair.now, udp4(i, { bytes: 1000 }));
    pair.run(2_000);
  }
  pair.run(1_000_000);
  assertEquals(numbersOf(pair.server.delivered), range(0, 300));
  assertEquals(numbersOf(pair.client.delivered), range(0, 300));
  pair.finish();
});
