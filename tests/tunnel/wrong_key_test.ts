import { assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";

const SECOND = 1_000_000;
const OTHER_PSK = new Uint8Array(32).fill(0x77);

function wrongKey(): Pair {
  const known = [{ name: "alice", psk: OTHER_PSK.slice(), allowed: [] }];
  return new Pair([{ delaysUs: [10_000, 20_000] }], { known });
}

Deno.test("Endpoint answers nothing to a client with another key", () => {
  const world = wrongKey();
  world.client.turn(world.now);
  world.run(30.9 * SECOND);
  assertEquals(world.sent.filter(({ toServer }) => !toServer), []);
  assertEquals(world.server.drops("unknown-client"), world.sent.length);
  assertEquals(world.client.endpoint.status(world.now).peers[0]!.state, "connecting");
  world.finish();
});

Deno.test("Endpoint tells both users that the keys differ, once in ten seconds", () => {
  const world = wrongKey();
  world.client.turn(world.now);
  world.run(35 * SECOND);
  assertEquals(world.server.eventsOf("handshake-failed").length, 4);
  assertEquals(world.client.eventsOf("handshake-failed"), [
    "192.0.2.1:5080, 192.0.2.1:5081",
    "192.0.2.1:5080, 192.0.2.1:5081",
    "192.0.2.1:5080, 192.0.2.1:5081",
    "192.0.2.1:5080, 192.0.2.1:5081",
  ]);
  assertEquals(world.server.eventsOf("handshake-failed")[0], "198.51.100.10:40000");
  world.finish();
});

Deno.test("Endpoint complains on the client only when the server cannot be reached", () => {
  const world = new Pair([{}]);
  world.lines[0]!.cut = true;
  world.client.turn(world.now);
  world.run(5 * SECOND);
  assertEquals(world.client.eventsOf("handshake-failed").length, 1);
  assertEquals(world.server.events, []);
  world.lines[0]!.cut = false;
  world.run(2 * SECOND);
  assertEquals(world.client.eventsOf("session"), ["up"]);
  world.finish();
});
