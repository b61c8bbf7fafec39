import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

Deno.test("Endpoint brings a session up on every link in one round trip", () => {
  const world = new Pair([{ delaysUs: [10_000, 30_000] }]);
  world.client.turn(world.now);
  const us = world.runUntil(() => world.client.eventsOf("session").length > 0);
  assert(us <= 21_000, `${us}`);
  world.run(500_000);
  assertEquals(world.server.eventsOf("session"), ["up"]);
  for (const host of [world.client, world.server]) {
    assertEquals(host.eventsOf("link").sort(), ["l0 up", "l1 up"]);
  }
  world.finish();
});

Deno.test("Endpoint carries packets both ways, in order and once", () => {
  const world = new Pair([{ delaysUs: [10_000, 30_000] }]).connect();
  for (const i of range(0, 300)) {
    world.client.send(world.now, udp4(i, { bytes: 1000 }));
    world.server.send(world.now, udp4(i, { bytes: 1000 }));
    world.run(2_000);
  }
  world.run(1_000_000);
  assertEquals(numbersOf(world.server.delivered), range(0, 300));
  assertEquals(numbersOf(world.client.delivered), range(0, 300));
  world.finish();
});
