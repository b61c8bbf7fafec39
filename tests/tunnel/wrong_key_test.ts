import { assertEquals } from "@std/assert";
import { Pair } from "../pair/pair.ts";

const SECOND = 1_000_000;
const OTHER_PSK = new Uint8Array(32).fill(0x77);

function wrongKey(): Pair {
  const known = [{ name: "alice", psk: OTHER_PSK.slice(), allowed: [] }];
  return new Pair([{ delaysUs: [10_000, 20_000] }], { known });
}

Deno.test("Endpoint does not answer a client with another key", () => {
  const pair = wrongKey();
  pair.client.turn(pair.now);
  pair.run(30.9 * SECOND);
  assertEquals(pair.sent.filter(({ toServer }) => !toServer), []);
  assertEquals(pair.server.drops("unknown-client"), pair.sent.length);
  assertEquals(pair.client.endpoint.status(pair.now).peers[0]!.state, "connecting");
  pair.finish();
});

Deno.test("Endpoint tells both users that the keys differ, now and then", () => {
  const pair = wrongKey();
  pair.client.turn(pair.now);
  pair.run(35 * SECOND);
  assertEquals(pair.server.eventsOf("handshake-failed").length, 4);
  assertEquals(pair.client.eventsOf("handshake-failed"), [
    "192.0.2.1:5080, 192.0.2.1:5081",
    "192.0.2.1:5080, 192.0.2.1:5081",
    "192.0.2.1:5080, 192.0.2.1:5081",
  ]);
  assertEquals(pair.server.eventsOf("handshake-failed")[0], "198.51.100.10:40000");
  pair.finish();
});

Deno.test("Endpoint complains on the client only when the server cannot be reached", () => {
  const pair = new Pair([{}]);
  pair.lines[0]!.cut = true;
  pair.client.turn(pair.now);
  pair.run(5 * SECOND);
  assertEquals(pair.client.eventsOf("handshake-failed").length, 1);
  assertEquals(pair.server.events, []);
  pair.lines[0]!.cut = false;
  pair.run(2 * SECOND);
  assertEquals(pair.client.eventsOf("session"), ["up"]);
  pair.finish();
});
