import { assert, assertEquals, assertGreater } from "@std/assert";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const BYTES = 1000;

/** Sends `count` packets from the client and returns how many it sent again. */
function sendAll(world: Pair, count: number): number {
  for (const i of range(0, count)) {
    world.client.send(world.now, udp4(i, { bytes: BYTES }));
    world.run(1_000);
  }
  world.run(2 * SECOND);
  return world.client.endpoint.status(world.now).peers[0]!.resentPackets;
}

Deno.test("Endpoint sends every lost packet again while few are lost", () => {
  const world = new Pair([{ delaysUs: [10_000, 10_000] }]).connect();
  let number = 0;
  for (const line of world.lines) {
    line.lose = ({ toServer, bytes }) => toServer && bytes.length > BYTES && ++number % 20 === 0;
  }
  const resent = sendAll(world, 3_000);
  assertEquals(numbersOf(world.server.delivered).toSorted((a, b) => a - b), range(0, 3_000));
  assertGreater(resent, 100);
  world.finish();
});

Deno.test("Endpoint sends at most a quarter more when much more is lost", () => {
  const world = new Pair([{ delaysUs: [10_000, 10_000] }]).connect();
  let number = 0;
  for (const line of world.lines) {
    line.lose = ({ toServer, bytes }) => toServer && bytes.length > BYTES && ++number % 5 < 2;
  }
  const count = 3_000;
  const resent = sendAll(world, count);
  const burst = 262_144 / BYTES;
  assertGreater(resent, 0.2 * count);
  assert(resent <= 0.25 * count + burst, `${resent}`);
  assertGreater(world.client.endpoint.status(world.now).drops["lost"]!, 0);
  world.finish();
});
