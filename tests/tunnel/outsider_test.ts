/**
 * What somebody without keys can do who sees, changes, repeats and invents
 * datagrams: nothing, and it is counted.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { remoteOf } from "../../src/remote.ts";
import { type Datagram, Pair } from "../pair/pair.ts";
import { Rng } from "../pair/rng.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const OUTSIDER = remoteOf(Uint8Array.of(203, 0, 113, 9), 9);

function exchange(world: Pair, from: number, to: number): void {
  for (const i of range(from, to)) {
    world.client.send(world.now, udp4(i));
    world.server.send(world.now, udp4(i));
    world.run(3_000);
  }
  world.run(100_000);
}

/** What the user sees of a world: nothing of it may change. */
function stateOf(world: Pair): unknown {
  return [world.server, world.client].map((host) => ({
    sessions: host.eventsOf("session"),
    links: host.endpoint.status(world.now).peers[0]!.links.map(({ remote, state }) => [
      remote,
      state,
    ]),
    delivered: host.delivered.length,
    available: host.pool.available,
  }));
}

function dropsOf(world: Pair): number {
  const all = [world.server, world.client].map((host) => host.endpoint.status(0).drops);
  return all.flatMap((drops) => Object.values(drops)).reduce((sum, count) => sum + count, 0);
}

/** Hands a datagram to both ends, as from `from`. */
function throwAtBoth(world: Pair, bytes: Uint8Array): void {
  world.server.receive(world.now, 0, OUTSIDER, bytes);
  world.client.receive(world.now, 0, OUTSIDER, bytes);
}

Deno.test("garbage of any length and first byte is dropped", () => {
  const world = new Pair([{}]).connect();
  const before = stateOf(world);
  const first = fc.constantFrom(0, 1, 2, 3, 4, 255);
  const bytes = fc.uint8Array({ maxLength: 1_900, size: "max" });
  fc.assert(fc.property(first, bytes, (type, rest) => {
    throwAtBoth(world, rest.length === 0 ? rest : Uint8Array.of(type, ...rest.subarray(1)));
  }));
  assertEquals(stateOf(world), before);
  assert(dropsOf(world) >= 100, `${dropsOf(world)}`);
  world.finish();
});

Deno.test("truncations and single bit flips of every kind of datagram are dropped", () => {
  const world = new Pair([{}]).connect();
  exchange(world, 0, 4);
  world.client.restart();
  world.client.turn(world.now); // an INIT that the server has not seen
  const fresh = world.sent.at(-1)!;
  const genuine = [...oneOfEachType(world.sent), fresh];
  world.lines[0]!.cut = true;
  const before = stateOf(world);
  for (const { bytes } of genuine) {
    for (const length of range(0, bytes.length)) throwAtBoth(world, bytes.subarray(0, length));
    for (const bit of range(0, bytes.length * 8)) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      world.server.receive(world.now, 0, OUTSIDER, changed);
      world.client.receive(world.now, 0, OUTSIDER, changed);
    }
  }
  assertEquals(stateOf(world), before);
  world.lines[0]!.cut = false;
  world.run(2_000_000);
  assertEquals(world.server.eventsOf("session"), ["up", "up"]);
  world.finish();
});

Deno.test("a datagram that was changed in one bit on its way is dropped, and then the true one taken", () => {
  const world = new Pair([{}], { aead: nobleProvider() }).connect();
  const line = world.lines[0]!;
  line.lose = (): boolean => true;
  world.client.send(world.now, udp4(7));
  const fresh = world.sent.at(-1)!.bytes;
  const before = stateOf(world);
  for (const bit of range(0, fresh.length * 8)) {
    const changed = fresh.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    world.server.receive(world.now, 0, OUTSIDER, changed);
  }
  assertEquals(stateOf(world), before);
  world.server.receive(world.now, 0, line.client, fresh);
  assertEquals(numbersOf(world.server.delivered), [7]);
  line.lose = (): boolean => false;
  world.finish();
});

Deno.test("datagrams as large as a slot are dropped", () => {
  const world = new Pair([{}], { aead: nobleProvider() }).connect();
  const genuine = world.sent.findLast(({ toServer, bytes }) => toServer && bytes[0] === 4)!;
  for (const length of [1_996, 2_022, 2_023, 2_048]) {
    const large = new Uint8Array(length);
    large.set(genuine.bytes.subarray(0, 10));
    large[9] = 200;
    world.server.receive(world.now, 0, OUTSIDER, large);
  }
  assertEquals(world.server.drops("auth"), 4);
  world.finish();
});

Deno.test("datagrams that are sent back to their sender are dropped", () => {
  const world = new Pair([{}]).connect();
  exchange(world, 0, 20);
  const before = stateOf(world);
  for (const { toServer, bytes } of [...world.sent]) {
    (toServer ? world.client : world.server).receive(world.now, 0, OUTSIDER, bytes);
  }
  assertEquals(stateOf(world), before);
  world.finish();
});

Deno.test("replays in any order, also of older keys, deliver nothing and move nothing", () => {
  const world = new Pair([{ delaysUs: [10_000, 15_000] }]).connect();
  exchange(world, 0, 30);
  world.run(121_000_000);
  exchange(world, 30, 60);
  assertEquals(world.client.eventsOf("session"), ["up", "rekeyed"]);
  world.settle(); // what has not arrived is no replay
  const before = stateOf(world);
  const rng = new Rng(5);
  const order = world.sent.map((datagram) => ({ datagram, at: rng.next() }));
  for (const { datagram } of order.toSorted((a, b) => a.at - b.at)) {
    const { toServer, bytes, line } = datagram;
    (toServer ? world.server : world.client).receive(world.now, line.socket, OUTSIDER, bytes);
  }
  assertEquals(stateOf(world), before);
  exchange(world, 60, 90);
  assertEquals(numbersOf(world.server.delivered), range(0, 90));
  assertEquals(numbersOf(world.client.delivered), range(0, 90));
  world.finish();
});

Deno.test("a flood of INITs, replayed or invented, changes nothing and amplifies nothing", () => {
  const world = new Pair([{}]).connect();
  const init = world.sent.find(({ bytes }) => bytes[0] === 1)!.bytes;
  const before = stateOf(world);
  let [sent, received] = [0, 0];
  world.onStray = (_to, _socket, bytes): void => void (sent += bytes.length);
  for (const i of range(0, 3_000)) {
    const bytes = init.slice();
    if (i % 2 === 1) bytes[20 + i % 60]! ^= 1;
    received += bytes.length;
    world.server.receive(world.now, 0, OUTSIDER, bytes);
  }
  assert(sent < received / 10, `${sent} of ${received}`);
  assert(world.server.drops("handshake-rate") > 2_500);
  assertEquals(stateOf(world), before);
  exchange(world, 0, 20);
  assertEquals(numbersOf(world.server.delivered), range(0, 20));
  world.finish();
});

Deno.test("an old INIT that is replayed to a server without memory ends nothing", () => {
  const world = new Pair([{}]).connect();
  const old = world.sent.find(({ bytes }) => bytes[0] === 1)!.bytes;
  world.server.restart();
  world.server.receive(world.now, 0, OUTSIDER, old);
  assertEquals(world.server.eventsOf("session"), ["up"], "from before the restart");
  world.runUntil(() => world.server.eventsOf("session").length === 2);
  world.run(500_000);
  world.server.receive(world.now, 0, OUTSIDER, old);
  assertEquals(world.server.drops("handshake-replay"), 1);
  exchange(world, 0, 20);
  assertEquals(numbersOf(world.server.delivered), range(0, 20));
  world.finish();
});

/** The last datagram of each type and direction. */
function oneOfEachType(sent: readonly Datagram[]): Datagram[] {
  return [...new Map(sent.map((one) => [`${one.toServer} ${one.bytes[0]}`, one])).values()];
}
