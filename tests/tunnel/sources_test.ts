/** Inner sources: at both ends a packet comes from where the other end may be, or not at all. */

import { assertEquals } from "@std/assert";
import { prefix } from "../addresses.ts";
import { Pair } from "../pair/pair.ts";
import { udp4 } from "./packets.ts";

const OURS = { allowed: [prefix("10.7.0.0/24")], own: [prefix("10.7.0.2/32")] };
const THEIRS = { allowed: [prefix("10.7.0.0/24")], own: [prefix("10.7.0.1/32")] };

function connected(): Pair {
  return new Pair([{ allowed: OURS.allowed, inner: THEIRS }], { own: OURS.own }).connect();
}

Deno.test("a server with one client drops what comes from elsewhere, and from its own address", () => {
  const pair = connected();
  for (const from of ["192.168.1.50", "127.0.0.1", "203.0.113.5", "10.7.0.2"]) {
    pair.client.send(pair.now, udp4(1, { from }));
  }
  pair.client.send(pair.now, udp4(2, { from: "10.7.0.1" }));
  pair.run(100_000);
  assertEquals(pair.server.delivered.length, 1);
  assertEquals(pair.server.drops("source"), 4);
  const said = pair.server.events.filter(({ type }) => type === "foreign-source");
  assertEquals(said, [{ type: "foreign-source", peer: "c0", source: "192.168.1.50" }]);
  pair.finish();
});

Deno.test("a client drops what its server sends from elsewhere, and from the client's address", () => {
  const pair = connected();
  for (const from of ["192.168.1.50", "127.0.0.1", "203.0.113.5", "10.7.0.1"]) {
    pair.server.send(pair.now, udp4(1, { from, to: "10.7.0.1" }));
  }
  pair.server.send(pair.now, udp4(2, { from: "10.7.0.2", to: "10.7.0.1" }));
  pair.run(100_000);
  assertEquals(pair.client.delivered.length, 1);
  assertEquals(pair.client.drops("source"), 4);
  pair.finish();
});

Deno.test("Endpoint.setServerSources() changes from where a client's server may send", () => {
  const pair = connected();
  const send = (): void => {
    pair.server.send(pair.now, udp4(1, { from: "192.168.7.5", to: "10.7.0.1" }));
    pair.run(50_000);
  };
  send();
  pair.client.endpoint.setServerSources([prefix("192.168.7.0/24")]);
  send();
  assertEquals([pair.client.drops("source"), pair.client.delivered.length], [1, 1]);
  pair.finish();
});
