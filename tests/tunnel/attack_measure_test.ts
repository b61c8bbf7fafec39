/**
 * What a peer with keys can do with FILL and ADDRESS: have its own line filled for a while, as far as
 * it says that something arrives.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { FRAME } from "../../src/wire/frame.ts";
import { control, fill, probe } from "./frames.ts";
import { range } from "./packets.ts";
import { RawClient } from "./raw_client.ts";

const SECOND = 1_000_000;

/** Bytes of frames that have come since the last call. */
function received(mallory: RawClient): number {
  return mallory.received.splice(0).reduce((sum, { frames }) => sum + frames.length, 0);
}

Deno.test("a FILL to somebody who reports nothing costs little, however often it is sent", () => {
  const mallory = new RawClient();
  received(mallory);
  for (const number of range(1, 41)) {
    mallory.send(0, fill(number, 0, 65_535));
    mallory.pair.run(SECOND);
  }
  assertLess(received(mallory), 3_000_000, "two fills of ten seconds, a second each");
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("a FILL that is repeated is one, and those beside it have no effect", () => {
  const mallory = new RawClient();
  received(mallory);
  mallory.send(0, fill(1, 0, 100), fill(1, 0, 100), fill(2, 0, 5_000));
  mallory.pair.run(200_000);
  assertGreater(received(mallory), 1_000);
  mallory.pair.run(SECOND);
  assertLess(received(mallory), 10_000);
  mallory.send(0, fill(1, 0, 100));
  mallory.pair.run(SECOND);
  assertLess(received(mallory), 10_000);
  mallory.pair.finish();
});

Deno.test("a FILL of one client keeps another from being filled meanwhile, and from nothing else", () => {
  const mallory = new RawClient();
  const { client, now } = mallory.pair;
  mallory.send(0, fill(1, 0, 5_000));
  client.endpoint.startLineTest(now, 0, "down", 2 * SECOND);
  mallory.assertOthersServed();
  mallory.pair.run(2 * SECOND);
  assert(!client.endpoint.lineTest(mallory.pair.now, 0)!.isServed);
  mallory.pair.run(8 * SECOND);
  client.endpoint.startLineTest(mallory.pair.now, 0, "down", 2 * SECOND);
  mallory.pair.run(2 * SECOND);
  assert(client.endpoint.lineTest(mallory.pair.now, 0)!.isServed);
  mallory.pair.finish();
});

Deno.test("waits of FILLs end with the session, and leave no more than one behind", () => {
  const mallory = new RawClient();
  for (const number of range(1, 200)) mallory.send(0, fill(number, 60_000, 1_000));
  mallory.pair.run(10 * SECOND);
  received(mallory);
  mallory.assertOthersServed();
  mallory.pair.finish();
});

Deno.test("FILLs that are too short are counted; an ADDRESS that is no question is ignored", () => {
  const mallory = new RawClient();
  received(mallory);
  mallory.send(0, control(FRAME.fill, [1, 0, 0, 9]));
  mallory.send(0, control(FRAME.address, [1, 2, 3, 4, 5, 6]), probe(1));
  assertEquals(mallory.pair.server.drops("frame"), 1);
  mallory.pair.run(50_000);
  assertLess(received(mallory), 500);
  mallory.pair.finish();
});
