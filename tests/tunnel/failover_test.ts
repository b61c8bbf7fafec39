import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

/** Sends packet after packet both ways, one per `stepUs`. */
function stream(world: Pair, from: number, to: number, stepUs = 1_000): void {
  for (const i of range(from, to)) {
    world.client.send(world.now, udp4(i, { bytes: 400 }));
    world.server.send(world.now, udp4(i, { bytes: 400 }));
    world.run(stepUs);
  }
}

function assertAll(world: Pair, count: number): void {
  for (const host of [world.server, world.client]) {
    assertEquals(numbersOf(host.delivered).toSorted((a, b) => a - b), range(0, count));
  }
}

Deno.test("Endpoint sends what was under way on a dead link on the other: nothing lost, nothing twice", () => {
  const world = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  stream(world, 0, 500);
  world.lines[0]!.cut = true;
  stream(world, 500, 2_000);
  world.run(2 * SECOND);
  assertAll(world, 2_000);
  assertEquals(world.client.eventsOf("link").slice(2), ["l0 suspect", "l0 down"]);
  assertEquals(world.client.eventsOf("session"), ["up"]);
  world.finish();
});

Deno.test("Endpoint leaves a dead link within 150 ms under load", () => {
  const world = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  stream(world, 0, 500);
  world.lines[0]!.cut = true;
  const cutAt = world.now;
  let i = 500;
  const us = world.runUntil(() => {
    stream(world, i, ++i);
    return world.client.eventsOf("link").includes("l0 suspect");
  });
  assert(us < 150_000, `${world.now - cutAt}`);
  world.finish();
});

Deno.test("Endpoint takes a link back when it works again", () => {
  const world = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  world.lines[0]!.cut = true;
  world.run(2 * SECOND);
  world.lines[0]!.cut = false;
  const us = world.runUntil(() => world.client.eventsOf("link").at(-1) === "l0 up");
  assert(us < 1.5 * SECOND, `${us}`);
  world.run(SECOND);
  const states = world.server.endpoint.status(world.now).peers[0]!.links.map(({ state }) => state);
  assertEquals(states, ["up", "up"]);
  world.finish();
});

Deno.test("Endpoint lives through a moment without any link", () => {
  const world = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  stream(world, 0, 200);
  for (const line of world.lines) line.cut = true;
  stream(world, 200, 400);
  world.run(3 * SECOND);
  for (const line of world.lines) line.cut = false;
  world.run(2 * SECOND);
  stream(world, 400, 600);
  world.run(SECOND);
  for (const host of [world.server, world.client]) {
    const numbers = numbersOf(host.delivered);
    assertEquals(new Set(numbers).size, numbers.length, "delivered twice");
    // What was under way when the lines went is sent three times, to nobody.
    assertEquals(numbers.filter((number) => number < 150 || number >= 400).length, 350);
  }
  world.finish();
});

Deno.test("Endpoint resends lost packets, whatever is lost", () => {
  const world = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  let count = 0;
  for (const line of world.lines) line.lose = (): boolean => ++count % 20 === 0;
  stream(world, 0, 2_000);
  for (const line of world.lines) line.lose = (): boolean => false;
  world.run(2 * SECOND);
  for (const host of [world.server, world.client]) {
    const numbers = numbersOf(host.delivered);
    assertEquals(new Set(numbers).size, numbers.length, "delivered twice");
    assert(numbers.length >= 1_998, `${numbers.length}`);
  }
  world.finish();
});

Deno.test("Endpoint.handleSendFailure() leaves a link that has no route at once", () => {
  const world = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  stream(world, 0, 100);
  const { client, now } = world;
  client.endpoint.handleSendFailure(now, 0, 0, "nobufs");
  client.endpoint.handleSendFailure(now, 0, -1, "unreachable");
  client.turn(now);
  assertEquals(client.eventsOf("link").slice(2), []);
  client.endpoint.handleSendFailure(now, 0, 0, "unreachable");
  client.turn(now);
  assertEquals(client.eventsOf("link").slice(2), ["l0 down"]);
  assertEquals(client.endpoint.status(now).peers[0]!.links[0]!.reason, "no route to the server");
  client.endpoint.handleSendFailure(now, 0, 0, "unreachable");
  client.turn(now);
  assertEquals(client.eventsOf("link").length, 3, "it is told once");
  stream(world, 100, 200);
  world.run(2 * SECOND);
  assertAll(world, 200);
  assertEquals(client.drops("send"), 4);
  world.finish();
});

Deno.test("Endpoint asks for a fresh socket when a link stays dead, and not too often", () => {
  const world = new Pair([{ delaysUs: [10_000, 20_000] }]).connect();
  world.lines[1]!.cut = true;
  world.run(2 * SECOND);
  assertEquals(world.client.eventsOf("rebind"), []);
  world.run(3 * SECOND);
  assertEquals(world.client.eventsOf("rebind"), ["1"]);
  world.run(12 * SECOND);
  assertEquals(world.client.eventsOf("rebind"), ["1"]);
  world.run(3 * SECOND);
  assertEquals(world.client.eventsOf("rebind"), ["1", "1"]);
  world.finish();
});
