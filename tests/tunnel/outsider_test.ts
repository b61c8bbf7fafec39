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

function exchange(pair: Pair, from: number, to: number): void {
  for (const i of range(from, to)) {
    pair.client.send(pair.now, udp4(i));
    pair.server.send(pair.now, udp4(i));
    pair.run(3_000);
  }
  pair.run(100_000);
}

/** What the user sees of a pair: nothing of it may change. */
function stateOf(pair: Pair): unknown {
  return [pair.server, pair.client].map((host) => ({
    sessions: host.eventsOf("session"),
    links: host.endpoint.status(pair.now).peers[0]!.links.map(({ remote, state }) => [
      remote,
      state,
    ]),
    delivered: host.delivered.length,
    available: host.pool.available,
  }));
}

function dropsOf(pair: Pair): number {
  const all = [pair.server, pair.client].map((host) => host.endpoint.status(0).drops);
  return all.flatMap((drops) => Object.values(drops)).reduce((sum, count) => sum + count, 0);
}

/** Hands a datagram to both ends, as from `from`. */
function throwAtBoth(pair: Pair, bytes: Uint8Array): void {
  pair.server.receive(pair.now, 0, OUTSIDER, bytes);
  pair.client.receive(pair.now, 0, OUTSIDER, bytes);
}

Deno.test("garbage of any length and first byte is dropped", () => {
  const pair = new Pair([{}]).connect();
  const before = stateOf(pair);
  const first = fc.constantFrom(0, 1, 2, 3, 4, 255);
  const bytes = fc.uint8Array({ maxLength: 1_900, size: "max" });
  fc.assert(fc.property(first, bytes, (type, rest) => {
    throwAtBoth(pair, rest.length === 0 ? rest : Uint8Array.of(type, ...rest.subarray(1)));
  }));
  assertEquals(stateOf(pair), before);
  assert(dropsOf(pair) >= 100, `${dropsOf(pair)}`);
  pair.finish();
});

Deno.test("truncations and single bit flips of every kind of datagram are dropped", () => {
  const pair = new Pair([{}]).connect();
  exchange(pair, 0, 4);
  pair.client.restart();
  pair.client.turn(pair.now); // an INIT that the server has not seen
  const fresh = pair.sent.at(-1)!;
  const genuine = [...oneOfEachType(pair.sent), fresh];
  pair.lines[0]!.cut = true;
  const before = stateOf(pair);
  for (const { bytes } of genuine) {
    for (const length of range(0, bytes.length)) throwAtBoth(pair, bytes.subarray(0, length));
    for (const bit of range(0, bytes.length * 8)) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      pair.server.receive(pair.now, 0, OUTSIDER, changed);
      pair.client.receive(pair.now, 0, OUTSIDER, changed);
    }
  }
  assertEquals(stateOf(pair), before);
  pair.lines[0]!.cut = false;
  pair.run(2_000_000);
  assertEquals(pair.server.eventsOf("session"), ["up", "up"]);
  pair.finish();
});

Deno.test("a datagram with one bit changed on its way is dropped, and the true one then accepted", () => {
  const pair = new Pair([{}], { aead: nobleProvider() }).connect();
  const line = pair.lines[0]!;
  line.lose = (): boolean => true;
  pair.client.send(pair.now, udp4(7));
  const fresh = pair.sent.at(-1)!.bytes;
  const before = stateOf(pair);
  for (const bit of range(0, fresh.length * 8)) {
    const changed = fresh.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    pair.server.receive(pair.now, 0, OUTSIDER, changed);
  }
  assertEquals(stateOf(pair), before);
  pair.server.receive(pair.now, 0, line.client, fresh);
  assertEquals(numbersOf(pair.server.delivered), [7]);
  line.lose = (): boolean => false;
  pair.finish();
});

Deno.test("datagrams as large as a slot are dropped", () => {
  const pair = new Pair([{}], { aead: nobleProvider() }).connect();
  const genuine = pair.sent.findLast(({ toServer, bytes }) => toServer && bytes[0] === 4)!;
  for (const length of [1_996, 2_022, 2_023, 2_048]) {
    const large = new Uint8Array(length);
    large.set(genuine.bytes.subarray(0, 10));
    large[9] = 200;
    pair.server.receive(pair.now, 0, OUTSIDER, large);
  }
  assertEquals(pair.server.drops("auth"), 4);
  pair.finish();
});

Deno.test("datagrams that are sent back to their sender are dropped", () => {
  const pair = new Pair([{}]).connect();
  exchange(pair, 0, 20);
  const before = stateOf(pair);
  for (const { toServer, bytes } of [...pair.sent]) {
    (toServer ? pair.client : pair.server).receive(pair.now, 0, OUTSIDER, bytes);
  }
  assertEquals(stateOf(pair), before);
  pair.finish();
});

Deno.test("replays in any order, also of older keys, deliver nothing and move nothing", () => {
  const pair = new Pair([{ delaysUs: [10_000, 15_000] }]).connect();
  exchange(pair, 0, 30);
  pair.run(121_000_000);
  exchange(pair, 30, 60);
  assertEquals(pair.client.eventsOf("session"), ["up", "rekeyed"]);
  pair.settle(); // what has not arrived is no replay
  const before = stateOf(pair);
  const rng = new Rng(5);
  const order = pair.sent.map((datagram) => ({ datagram, at: rng.next() }));
  for (const { datagram } of order.toSorted((a, b) => a.at - b.at)) {
    const { toServer, bytes, line } = datagram;
    (toServer ? pair.server : pair.client).receive(pair.now, line.socket, OUTSIDER, bytes);
  }
  assertEquals(stateOf(pair), before);
  exchange(pair, 60, 90);
  assertEquals(numbersOf(pair.server.delivered), range(0, 90));
  assertEquals(numbersOf(pair.client.delivered), range(0, 90));
  pair.finish();
});

Deno.test("a flood of INITs, replayed or invented, changes nothing and amplifies nothing", () => {
  const pair = new Pair([{}]).connect();
  const init = pair.sent.find(({ bytes }) => bytes[0] === 1)!.bytes;
  const before = stateOf(pair);
  let [sent, received] = [0, 0];
  pair.onStray = (_to, _socket, bytes): void => void (sent += bytes.length);
  for (const i of range(0, 3_000)) {
    const bytes = init.slice();
    if (i % 2 === 1) bytes[20 + i % 60]! ^= 1;
    received += bytes.length;
    pair.server.receive(pair.now, 0, OUTSIDER, bytes);
  }
  assert(sent < received / 10, `${sent} of ${received}`);
  assert(pair.server.drops("handshake-rate") > 2_500);
  assertEquals(stateOf(pair), before);
  exchange(pair, 0, 20);
  assertEquals(numbersOf(pair.server.delivered), range(0, 20));
  pair.finish();
});

Deno.test("an old INIT that is replayed to a server without memory ends nothing", () => {
  const pair = new Pair([{}]).connect();
  const old = pair.sent.find(({ bytes }) => bytes[0] === 1)!.bytes;
  pair.server.restart();
  pair.server.receive(pair.now, 0, OUTSIDER, old);
  assertEquals(pair.server.eventsOf("session"), ["up"], "from before the restart");
  pair.runUntil(() => pair.server.eventsOf("session").length === 2);
  pair.run(500_000);
  pair.server.receive(pair.now, 0, OUTSIDER, old);
  assertEquals(pair.server.drops("handshake-replay"), 1);
  exchange(pair, 0, 20);
  assertEquals(numbersOf(pair.server.delivered), range(0, 20));
  pair.finish();
});

/** The last datagram of each type and direction. */
function oneOfEachType(sent: readonly Datagram[]): Datagram[] {
  return [...new Map(sent.map((one) => [`${one.toServer} ${one.bytes[0]}`, one])).values()];
}
