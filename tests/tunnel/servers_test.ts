/**
 * A client with several servers: which one it uses, how soon it gets away from one that is dead, and
 * that nothing is lost when it returns to a better one.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Pair, type PairOptions } from "../pair/pair.ts";
import { Rng } from "../pair/rng.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;

/** A client with links of 10 and 25 ms to each of its servers, and an endless uplink stream. */
class Choice {
  readonly pair: Pair;
  #sent = 0;

  constructor(
    servers: number,
    options: PairOptions = {},
    link: (id: number) => { metered?: boolean } = () => ({}),
  ) {
    this.pair = new Pair([{ delaysUs: [10_000, 25_000], link }], { ...options, servers });
  }

  /** A server is not reached from now on, or (false) it is. */
  cut(server: number, isCut = true): void {
    for (const line of this.pair.linesTo(server)) line.cut = isCut;
  }

  /** The name of the server in use, and why it is. */
  get used(): string {
    const { state, name, serverReason = "" } = this.pair.client.endpoint.status(this.pair.now)
      .peers[0]!;
    return state === "up" ? `${name} ${serverReason}`.trim() : state;
  }

  /** Sends a packet each 5 ms until `done`, and returns how long that took. */
  stream(done: () => boolean, us = 600 * SECOND): number {
    const { pair } = this;
    const start = pair.now;
    for (; !done(); this.#sent++) {
      assert(pair.now - start < us, `it has not happened: ${this.used}`);
      pair.client.send(pair.now, udp4(this.#sent % 60_000));
      pair.run(5_000);
    }
    return pair.now - start;
  }

  /** Streams for a time. */
  run(us: number): this {
    const end = this.pair.now + us;
    this.stream(() => this.pair.now >= end);
    return this;
  }

  get sent(): number {
    return this.#sent;
  }

  /** INITs that the client has sent to a server since `us`, by link. */
  inits(server: number, link: number): number {
    const line = this.pair.linesTo(server)[link];
    return this.pair.sent.filter((sent) => sent.line === line && sent.bytes[0] === 1).length;
  }
}

function connected(servers: number): Choice {
  const choice = new Choice(servers);
  choice.pair.connect();
  choice.run(SECOND);
  assertEquals(choice.used, "s0");
  return choice;
}

Deno.test("a client uses the first server, and says nothing to the others", () => {
  const choice = connected(3);
  choice.run(20 * SECOND);
  assertEquals([choice.used, choice.inits(1, 0), choice.inits(2, 1)], ["s0", 0, 0]);
  choice.pair.finish();
});

Deno.test("a client gets to the second server within 5 s of the death of the first", () => {
  const choice = connected(3);
  choice.cut(0);
  const { delivered } = choice.pair.servers[1]!;
  const gapUs = choice.stream(() => delivered.length > 0);
  assert(gapUs < 3.5 * SECOND, `${gapUs} us`);
  assertEquals(choice.used, "s1 s0 does not answer");
  assertEquals(choice.pair.client.eventsOf("server"), ["s0 does not answer: s1"]);
  assertEquals(choice.pair.servers[2]!.eventsOf("session"), []);
  assertEquals(choice.pair.client.eventsOf("session"), ["up", "down", "up"]);
  choice.pair.finish();
});

Deno.test("a client gets to the third server within 5 s when two are dead", () => {
  const choice = connected(3);
  choice.cut(1);
  choice.cut(0);
  const gapUs = choice.stream(() => choice.pair.servers[2]!.delivered.length > 0);
  assert(gapUs < 4 * SECOND, `${gapUs} us`);
  choice.pair.finish();
});

Deno.test("a client that starts finds the server that answers", () => {
  const choice = new Choice(2);
  choice.cut(0);
  choice.pair.client.turn(choice.pair.now);
  const us = choice.stream(() => choice.used.startsWith("s1"));
  assert(us < 3.5 * SECOND, `${us} us`);
  choice.pair.finish();
});

Deno.test("a client returns to the first server, and not a packet is lost or comes twice", () => {
  const choice = connected(2);
  const { pair } = choice;
  choice.cut(0);
  pair.server.restart();
  choice.stream(() => choice.used.startsWith("s1"));
  choice.run(3 * SECOND);
  choice.cut(0, false);
  const first = choice.sent;
  const before = pair.servers[1]!.delivered.length;
  const us = choice.stream(() => choice.used === "s0");
  assert(us < 40 * SECOND, `${us} us`);
  choice.run(5 * SECOND);
  const last = choice.sent;
  pair.run(SECOND);
  const numbers = [
    ...numbersOf(pair.servers[1]!.delivered).slice(before),
    ...numbersOf(pair.server.delivered),
  ];
  const expected = range(first, last);
  // What was on its way when the stream was first looked at belongs to the time before.
  const got = numbers.filter((number) => number >= first).sort((a, b) => a - b);
  assertEquals(got, expected);
  assertEquals(pair.client.eventsOf("server"), [
    "s0 does not answer: s1",
    "s0 answers again: s0",
  ]);
  assertEquals(pair.servers[1]!.eventsOf("session"), ["up", "down"], "it is told goodbye");
  pair.finish();
});

Deno.test("a client gets what the server before still sends after the return", () => {
  const choice = connected(2);
  const { pair } = choice;
  choice.cut(0);
  choice.stream(() => choice.used.startsWith("s1"));
  choice.cut(0, false);
  let sent = 0;
  const isBack = (): boolean => {
    if (choice.used === "s0") return true;
    pair.servers[1]!.send(pair.now, udp4(sent++));
    return false;
  };
  const before = pair.client.delivered.length;
  choice.stream(isBack);
  choice.run(SECOND);
  assertEquals(numbersOf(pair.client.delivered.slice(before)), range(0, sent));
  pair.finish();
});

Deno.test("a client does not return to a server that answers once and is gone again", () => {
  const choice = connected(2);
  choice.cut(0);
  choice.stream(() => choice.used.startsWith("s1"));
  const asked = choice.inits(0, 0);
  choice.stream(() => choice.inits(0, 0) > asked);
  choice.cut(0, false);
  choice.run(1.5 * SECOND);
  choice.cut(0);
  choice.run(100 * SECOND);
  assertEquals(choice.used, "s1 s0 does not answer");
  assertEquals(choice.pair.client.eventsOf("server").length, 1);
  choice.pair.finish();
});

Deno.test("a client asks a server that is away ever less often, every 2 min at last", () => {
  const choice = new Choice(2);
  const { pair } = choice;
  choice.cut(0);
  pair.client.turn(pair.now);
  pair.runUntil(() => choice.used.startsWith("s1"));
  const start = pair.now;
  const times: number[] = [];
  for (let asked = choice.inits(0, 0); pair.now < start + 600 * SECOND; pair.run(100_000)) {
    const count = choice.inits(0, 0);
    const at = Math.round((pair.now - start) / SECOND);
    if (count > asked && !(at - times.at(-1)! < 5)) times.push(at);
    asked = count;
  }
  assertEquals(times, [30, 63, 126, 249, 372, 495]);
  pair.finish();
});

Deno.test("a client asks a better server by links that cost nothing, or else seldom", () => {
  const choice = new Choice(2, {}, (id) => ({ metered: id === 1 }));
  const { pair } = choice;
  choice.cut(0);
  pair.client.turn(pair.now);
  pair.runUntil(() => choice.used.startsWith("s1"));
  const [free, metered] = [choice.inits(0, 0), choice.inits(0, 1)];
  pair.run(100 * SECOND);
  assert(choice.inits(0, 0) > free);
  assertEquals(choice.inits(0, 1), metered);
  pair.linesTo(1)[0]!.cut = true;
  pair.run(700 * SECOND);
  const cost = choice.inits(0, 1) - metered;
  assert(cost > 0 && cost < 25, `${cost} INITs`);
  pair.finish();
});

Deno.test("a client stays with its server when the network is away for a while", () => {
  const choice = connected(2);
  for (let i = 0; i < 10; i++) {
    choice.cut(0);
    choice.cut(1);
    choice.run((3 + i * 0.37) * SECOND);
    choice.cut(0, false);
    choice.cut(1, false);
    choice.stream(() => choice.used.startsWith("s"), 5 * SECOND);
    assertEquals(choice.used, "s0");
    choice.run(SECOND);
  }
  choice.pair.finish();
});

Deno.test("two addresses of one server are no two hosts to it", () => {
  const choice = new Choice(2, { isOneHost: true });
  const { pair } = choice;
  pair.connect();
  for (let i = 0; i < 3; i++) {
    choice.cut(0);
    choice.stream(() => choice.used.startsWith("s1"));
    choice.run(SECOND);
    choice.cut(0, false);
    choice.stream(() => choice.used === "s0");
    choice.run(5 * SECOND);
  }
  const { delivered } = pair.server;
  const before = delivered.length;
  choice.run(SECOND);
  pair.run(SECOND);
  const numbers = numbersOf(delivered.slice(before));
  assertEquals(numbers, range(choice.sent - numbers.length, choice.sent));
  assert(numbers.length >= 200, `${numbers.length}`);
  assertEquals(pair.server.eventsOf("conflict"), []);
  pair.finish();
});

Deno.test("a client finds whichever server is there, and the best one in the end, whatever happened", () => {
  for (const seed of range(1, 7)) {
    const rng = new Rng(seed);
    const choice = new Choice(3);
    const { pair } = choice;
    pair.client.turn(pair.now);
    for (const _ of range(0, 25)) {
      for (const server of range(0, 3)) {
        choice.cut(server, rng.next() < 0.5);
        if (rng.next() < 0.1) pair.servers[server]!.restart();
      }
      for (const line of pair.lines) if (rng.next() < 0.1) line.cut = true;
      if (rng.next() < 0.1) pair.client.restart();
      pair.run(Math.ceil(rng.next() * 40 * SECOND));
    }
    const left = seed % 3;
    for (const server of range(0, 3)) choice.cut(server, server !== left);
    pair.runUntil(() => choice.used.startsWith(`s${left}`), 10 * SECOND);
    for (const server of range(0, 3)) choice.cut(server, false);
    pair.run(1_300 * SECOND);
    assertEquals(choice.used, "s0");
    const sent = choice.sent;
    const before = pair.server.delivered.length;
    choice.run(SECOND);
    pair.run(SECOND);
    assertEquals(numbersOf(pair.server.delivered.slice(before)), range(sent, choice.sent));
    pair.finish();
  }
});
