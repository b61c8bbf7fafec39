/**
 * A client whose clock is behind its last handshake is not answered: the server has to say so.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { knownClient } from "../pair/endpoints.ts";
import { Pair } from "../pair/pair.ts";
import { range } from "./packets.ts";

const SECOND = 1_000_000;

function complaints(pair: Pair): string[] {
  return pair.server.events.flatMap((event) =>
    event.type === "handshake-failed" ? [event.reason] : []
  );
}

Deno.test("the server says that a client's clock has gone back, less and less often", () => {
  let errorUs = 0;
  const pair = new Pair([{ delaysUs: [10_000, 20_000], clockErrorUs: () => errorUs }], {
    known: [knownClient("home")],
  }).connect();
  errorUs = -3600 * SECOND;
  pair.client.restart();
  pair.client.turn(pair.now);
  pair.run(60 * SECOND);
  assertEquals(
    complaints(pair),
    new Array(3).fill(
      "the handshake of home is older than its last one: is its clock right?",
    ),
  );
  errorUs = 0;
  pair.runUntil(() => pair.client.eventsOf("session").length === 2, 6 * SECOND);
  pair.finish();
});

Deno.test("the server does not believe a replayed INIT while the client is there", () => {
  const pair = new Pair([{}]).connect();
  const old = pair.sent.find(({ bytes }) => bytes[0] === 1)!;
  pair.client.restart();
  pair.connect();
  pair.runUntil(() => pair.server.eventsOf("session").length === 2);
  pair.run(SECOND);
  for (const _ of range(0, 1000)) {
    pair.inject(old.line, true, old.bytes);
    pair.run(10_000);
  }
  const looked = pair.server.drops("handshake-replay");
  assertEquals([complaints(pair), looked + pair.server.drops("handshake-rate")], [[], 1000]);
  pair.client.close(pair.now);
  for (const _ of range(0, 1000)) {
    pair.inject(old.line, true, old.bytes);
    pair.run(10_000);
  }
  assertEquals(complaints(pair).length, 1, "in ten seconds");
});
