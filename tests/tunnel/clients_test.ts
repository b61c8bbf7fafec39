import { assert, assertEquals } from "@std/assert";
import type { Network } from "../../src/wire/routes.ts";
import { Pair } from "../pair/pair.ts";
import { addressOf, numbersOf, range, udp4 } from "./packets.ts";

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

function networks(...texts: string[]): Network[] {
  return texts.map((text) => {
    const [address, prefix] = text.split("/");
    return { address: addressOf(address!), prefix: Number(prefix) };
  });
}

function twoClients(): Pair {
  return new Pair([
    { name: "alice", psk: key(1), allowed: networks("10.7.0.1/32", "10.9.0.0/16") },
    { name: "bob", psk: key(2), allowed: networks("10.7.0.2/32", "10.9.1.0/24") },
  ]);
}

Deno.test("Endpoint routes packets to the client with the longest prefix", () => {
  const world = twoClients().connect();
  const to = ["10.7.0.1", "10.7.0.2", "10.9.0.5", "10.9.1.5", "10.10.0.1"];
  to.forEach((to, i) => world.server.send(world.now, udp4(i, { from: "10.7.0.254", to })));
  world.run(500_000);
  const [alice, bob] = world.clients;
  assertEquals(numbersOf(alice!.delivered).toSorted(), [0, 2]);
  assertEquals(numbersOf(bob!.delivered).toSorted(), [1, 3]);
  assertEquals(world.server.drops("no-peer"), 1);
  world.finish();
});

Deno.test("Endpoint drops what comes from an address that its client may not use", () => {
  const world = twoClients().connect();
  const [alice, bob] = world.clients;
  alice!.send(world.now, udp4(0, { from: "10.7.0.1" }), udp4(1, { from: "10.7.0.2" }));
  bob!.send(world.now, udp4(2, { from: "10.9.1.77" }), udp4(3, { from: "10.9.2.77" }));
  world.run(500_000);
  assertEquals(numbersOf(world.server.delivered).toSorted(), [0, 2]);
  assertEquals(world.server.drops("source"), 2);
  world.finish();
});

Deno.test("Endpoint gives a packet for a client that is away to nobody else", () => {
  const world = twoClients().connect();
  const [alice, bob] = world.clients;
  bob!.close(world.now);
  world.run(100_000);
  world.server.send(world.now, udp4(0, { to: "10.9.1.5" }));
  world.run(100_000);
  assertEquals(alice!.delivered.length, 0);
  assertEquals(world.server.drops("no-peer"), 1);
  world.finish();
});

Deno.test("Endpoint does not let one client's troubles reach another", () => {
  const world = twoClients().connect();
  const [alice, bob] = world.clients;
  world.lines[1]!.cut = true;
  for (const i of range(0, 200)) {
    alice!.send(world.now, udp4(i, { from: "10.7.0.1", port: 7 }));
    world.server.send(world.now, udp4(i, { to: "10.7.0.1" }), udp4(i, { to: "10.7.0.2" }));
    bob!.restart();
    world.run(2_000);
  }
  world.run(200_000);
  assertEquals(numbersOf(world.server.delivered), range(0, 200));
  assertEquals(numbersOf(alice!.delivered), range(0, 200));
  assertEquals(alice!.eventsOf("session"), ["up"]);
  world.finish();
});

Deno.test("Endpoint says goodbye to every client, however many there are", () => {
  const specs = range(1, 71).map((i) => ({ name: `c${i}`, psk: key(i) }));
  const world = new Pair(specs).connect();
  world.server.close(world.now);
  world.run(50_000);
  const closed = world.clients.filter((client) => client.eventsOf("session").includes("down"));
  assertEquals(closed.length, 70);
  world.finish();
});

Deno.test("Endpoint.status() tells of every client and link", () => {
  const world = twoClients().connect();
  world.clients[0]!.send(world.now, udp4(0, { from: "10.7.0.1" }));
  world.run(100_000);
  const { role, peers, aead, mtu } = world.server.endpoint.status(world.now);
  assertEquals([role, aead, mtu, peers.length], ["server", "sim", 1400, 2]);
  const [alice, bob] = peers;
  assertEquals([alice!.name, bob!.name], ["alice", "bob"]);
  assertEquals([alice!.state, alice!.cipher, alice!.receivedPackets], ["up", "aes256gcm", 1]);
  assertEquals([bob!.receivedPackets, bob!.receivedBytes], [0, 0]);
  const [link] = alice!.links;
  assertEquals([link!.name, link!.state, link!.reason, link!.tier], ["l0", "up", "", "primary"]);
  assert(link!.srttUs > 19_000 && link!.srttUs < 45_000, `${link!.srttUs}`);
  assertEquals(link!.remote, world.lines[0]!.client.toString());
  world.finish();
});
