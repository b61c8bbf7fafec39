import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

function exchange(world: Pair, from: number, to: number): void {
  for (const i of range(from, to)) {
    world.client.send(world.now, udp4(i));
    world.server.send(world.now, udp4(i));
    world.run(5_000);
  }
  world.run(500_000);
}

Deno.test("Endpoint takes a client that has started anew, its numbers beginning at zero", () => {
  const world = new Pair([{ delaysUs: [10_000, 15_000] }]).connect();
  exchange(world, 0, 200);
  world.client.restart();
  world.connect();
  world.runUntil(() => world.server.eventsOf("session").length === 2);
  world.run(SECOND);
  exchange(world, 200, 400);
  assertEquals(numbersOf(world.server.delivered), range(0, 400));
  assertEquals(numbersOf(world.client.delivered), range(0, 400));
  assertEquals(world.server.eventsOf("session"), ["up", "up"]);
  assertEquals(world.server.drops("duplicate"), 0);
  world.finish();
});

Deno.test("Endpoint finds a server that has started anew within two seconds", () => {
  const world = new Pair([{ delaysUs: [10_000, 15_000] }]).connect();
  exchange(world, 0, 200);
  world.server.restart();
  const us = world.runUntil(() => world.server.eventsOf("session").length === 2);
  assert(us < 2 * SECOND, `${us}`);
  world.run(SECOND);
  exchange(world, 200, 400);
  assertEquals(numbersOf(world.server.delivered), range(0, 400));
  assertEquals(numbersOf(world.client.delivered), range(0, 400));
  assertEquals(world.client.eventsOf("session"), ["up", "up"]);
  world.finish();
});

Deno.test("Endpoint understands nothing of a session from before the restart", () => {
  const world = new Pair([{}]).connect();
  const old = world.sent.filter(({ toServer, bytes }) => toServer && bytes[0] === 4);
  world.server.restart();
  world.runUntil(() => world.server.eventsOf("session").length === 2);
  const before = world.server.drops("unknown-session");
  for (const { bytes } of old) world.inject(world.lines[0]!, true, bytes);
  world.run(100_000);
  assertEquals(world.server.drops("unknown-session") - before, old.length);
  assertEquals(world.server.drops("auth"), 0);
  world.finish();
});

Deno.test("Endpoint.close() tells the other end, which comes back when it can", () => {
  const world = new Pair([{}]).connect();
  world.server.close(world.now);
  world.run(50_000);
  assertEquals(world.client.eventsOf("session"), ["up", "down"]);
  assertEquals(world.client.events.find((event) => event.type === "session" && event.reason), {
    type: "session",
    peer: "server",
    state: "down",
    reason: "the peer has closed it",
  });
  world.server.restart();
  world.runUntil(() => world.client.eventsOf("session").length === 3, 3 * SECOND);
  world.finish();
});

Deno.test("Endpoint.close() is followed by silence, whatever comes", () => {
  const world = new Pair([{}]).connect();
  const seen = world.sent.filter(({ toServer }) => toServer).map(({ bytes }) => bytes);
  const { now, server, client } = world;
  server.close(now);
  const count = world.sent.length;
  server.receive(now, 0, world.lines[0]!.client, ...seen);
  server.send(now, udp4(1));
  for (const host of [server, client]) {
    if (host === client) client.close(now);
    host.endpoint.handleTimeout(now + 10 * SECOND);
    for (const later of [10, 11, 200]) host.turn(now + later * SECOND);
    assertEquals(host.endpoint.pollTimeout(), Infinity);
    assertEquals(host.pool.available, host.free);
  }
  client.restart();
  client.turn(now);
  world.run(3 * SECOND);
  const said = world.sent.slice(count).filter(({ toServer }) => !toServer);
  assertEquals(said, []);
});
