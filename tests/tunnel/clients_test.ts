import { assert, assertEquals } from "@std/assert";
import { prefix } from "../addresses.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

function twoClients(): Pair {
  return new Pair([
    { name: "alice", psk: key(1), allowed: ["10.7.0.1/32", "10.9.0.0/16"].map(prefix) },
    { name: "bob", psk: key(2), allowed: ["10.7.0.2/32", "10.9.1.0/24"].map(prefix) },
  ]);
}

Deno.test("Endpoint routes packets to the client with the longest prefix", () => {
  const pair = twoClients().connect();
  const to = ["10.7.0.1", "10.7.0.2", "10.9.0.5", "10.9.1.5", "10.10.0.1"];
  to.forEach((to, i) => pair.server.send(pair.now, udp4(i, { from: "10.7.0.254", to })));
  pair.run(500_000);
  const [alice, bob] = pair.clients;
  assertEquals(numbersOf(alice!.delivered).toSorted(), [0, 2]);
  assertEquals(numbersOf(bob!.delivered).toSorted(), [1, 3]);
  assertEquals(pair.server.drops("no-peer"), 1);
  pair.finish();
});

Deno.test("Endpoint drops what comes from an address that its client may not use", () => {
  const pair = twoClients().connect();
  const [alice, bob] = pair.clients;
  alice!.send(pair.now, udp4(0, { from: "10.7.0.1" }), udp4(1, { from: "10.7.0.2" }));
  bob!.send(pair.now, udp4(2, { from: "10.9.1.77" }), udp4(3, { from: "10.9.2.77" }));
  pair.run(500_000);
  assertEquals(numbersOf(pair.server.delivered).toSorted(), [0, 2]);
  assertEquals(pair.server.drops("source"), 2);
  pair.finish();
});

Deno.test("Endpoint gives a packet for a client that is away to nobody else", () => {
  const pair = twoClients().connect();
  const [alice, bob] = pair.clients;
  bob!.close(pair.now);
  pair.run(100_000);
  pair.server.send(pair.now, udp4(0, { to: "10.9.1.5" }));
  pair.run(100_000);
  assertEquals(alice!.delivered.length, 0);
  assertEquals(pair.server.drops("no-peer"), 1);
  pair.finish();
});

Deno.test("Endpoint does not let one client's troubles reach another", () => {
  const pair = twoClients().connect();
  const [alice, bob] = pair.clients;
  pair.lines[1]!.cut = true;
  for (const i of range(0, 200)) {
    alice!.send(pair.now, udp4(i, { from: "10.7.0.1", port: 7 }));
    pair.server.send(pair.now, udp4(i, { to: "10.7.0.1" }), udp4(i, { to: "10.7.0.2" }));
    bob!.restart();
    pair.run(2_000);
  }
  pair.run(200_000);
  assertEquals(numbersOf(pair.server.delivered), range(0, 200));
  assertEquals(numbersOf(alice!.delivered), range(0, 200));
  assertEquals(alice!.eventsOf("session"), ["up"]);
  pair.finish();
});

Deno.test("Endpoint says goodbye to every client, however many there are", () => {
  const specs = range(1, 71).map((i) => ({ name: `c${i}`, psk: key(i) }));
  const pair = new Pair(specs).connect();
  pair.server.close(pair.now);
  pair.run(50_000);
  const closed = pair.clients.filter((client) => client.eventsOf("session").includes("down"));
  assertEquals(closed.length, 70);
  pair.finish();
});

Deno.test("Endpoint.status() tells of every client and link", () => {
  const pair = twoClients().connect();
  pair.clients[0]!.send(pair.now, udp4(0, { from: "10.7.0.1" }));
  pair.run(100_000);
  const { role, peers, aead, mtu } = pair.server.endpoint.status(pair.now);
  assertEquals([role, aead, mtu, peers.length], ["server", "sim", 1400, 2]);
  const [alice, bob] = peers;
  assertEquals([alice!.name, bob!.name], ["alice", "bob"]);
  assertEquals([alice!.state, alice!.cipher, alice!.receivedPackets], ["up", "aes256gcm", 1]);
  assertEquals([bob!.receivedPackets, bob!.receivedBytes], [0, 0]);
  const [link] = alice!.links;
  assertEquals([link!.name, link!.state, link!.reason, link!.tier], ["l0", "up", "", "primary"]);
  assert(link!.srttUs > 19_000 && link!.srttUs < 45_000, `${link!.srttUs}`);
  assertEquals(link!.remote, pair.lines[0]!.client.toString());
  pair.finish();
});
