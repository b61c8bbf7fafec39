import { assert, assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

function exchange(pair: Pair, from: number, to: number): void {
  for (const i of range(from, to)) {
    pair.client.send(pair.now, udp4(i));
    pair.server.send(pair.now, udp4(i));
    pair.run(5_000);
  }
  pair.run(500_000);
}

Deno.test("Endpoint accepts a client that has restarted, its numbers beginning at zero", () => {
  const pair = new Pair([{ delaysUs: [10_000, 15_000] }]).connect();
  exchange(pair, 0, 200);
  pair.client.restart();
  pair.connect();
  pair.runUntil(() => pair.server.eventsOf("session").length === 2);
  pair.run(SECOND);
  exchange(pair, 200, 400);
  assertEquals(numbersOf(pair.server.delivered), range(0, 400));
  assertEquals(numbersOf(pair.client.delivered), range(0, 400));
  assertEquals(pair.server.eventsOf("session"), ["up", "up"]);
  assertEquals(pair.server.drops("duplicate"), 0);
  pair.finish();
});

Deno.test("Endpoint finds a server that has restarted within two seconds", () => {
  const pair = new Pair([{ delaysUs: [10_000, 15_000] }]).connect();
  exchange(pair, 0, 200);
  pair.server.restart();
  const us = pair.runUntil(() => pair.server.eventsOf("session").length === 2);
  assert(us < 2 * SECOND, `${us}`);
  pair.run(SECOND);
  exchange(pair, 200, 400);
  assertEquals(numbersOf(pair.server.delivered), range(0, 400));
  assertEquals(numbersOf(pair.client.delivered), range(0, 400));
  assertEquals(pair.client.eventsOf("session"), ["up", "up"]);
  pair.finish();
});

Deno.test("Endpoint understands nothing of a session from before the restart", () => {
  const pair = new Pair([{}]).connect();
  const old = pair.sent.filter(({ toServer, bytes }) => toServer && bytes[0] === 4);
  pair.server.restart();
  pair.runUntil(() => pair.server.eventsOf("session").length === 2);
  const before = pair.server.drops("unknown-session");
  for (const { bytes } of old) pair.inject(pair.lines[0]!, true, bytes);
  pair.run(100_000);
  assertEquals(pair.server.drops("unknown-session") - before, old.length);
  assertEquals(pair.server.drops("auth"), 0);
  pair.finish();
});

Deno.test("Endpoint.close() tells the other end, which comes back when it can", () => {
  const pair = new Pair([{}]).connect();
  pair.server.close(pair.now);
  pair.run(50_000);
  assertEquals(pair.client.eventsOf("session"), ["up", "down"]);
  assertEquals(pair.client.events.find((event) => event.type === "session" && event.reason), {
    type: "session",
    peer: "server",
    state: "down",
    reason: "the peer has closed it",
  });
  pair.server.restart();
  pair.runUntil(() => pair.client.eventsOf("session").length === 3, 3 * SECOND);
  pair.finish();
});

Deno.test("Endpoint.close() is followed by silence, whatever comes", () => {
  const pair = new Pair([{}]).connect();
  const seen = pair.sent.filter(({ toServer }) => toServer).map(({ bytes }) => bytes);
  const { now, server, client } = pair;
  server.close(now);
  const count = pair.sent.length;
  server.receive(now, 0, pair.lines[0]!.client, ...seen);
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
  pair.run(3 * SECOND);
  const said = pair.sent.slice(count).filter(({ toServer }) => !toServer);
  assertEquals(said, []);
});
