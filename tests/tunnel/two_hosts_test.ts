/**
 * Two hosts with one key: the server serves one of them at a time, and whoever is left can both
 * send and receive.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { knownClient } from "../pair/endpoints.ts";
import { Pair } from "../pair/pair.ts";
import { Rng } from "../pair/rng.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const HOSTS = [0, 1] as const;

/** Two hosts that know one key, with two links each. */
class TwoHosts {
  readonly pair = new Pair([{ delaysUs: [10_000, 15_000] }, { delaysUs: [12_000, 40_000] }], {
    known: [knownClient("home")],
  });
  #sent = 0;

  constructor() {
    this.connect(0);
  }

  /** From now on only these hosts have lines. */
  connect(...hosts: readonly number[]): void {
    for (const line of this.pair.lines) {
      line.cut = !hosts.some((host) => this.pair.clients[host] === line.clientEnd);
    }
  }

  /** Every end sends a packet each 5 ms. Returns the numbers of the packets. */
  exchange(us: number): number[] {
    const { pair } = this;
    const from = this.#sent;
    for (const end = pair.now + us; pair.now < end; this.#sent++) {
      for (const host of HOSTS) pair.clients[host]!.send(pair.now, udp4(2 * this.#sent + host));
      pair.server.send(pair.now, udp4(this.#sent));
      pair.run(5_000);
    }
    return range(from, this.#sent);
  }

  /** Asserts that host `only` can send and receive, and that nothing has come twice. */
  assertServed(only: number): void {
    const { pair } = this;
    this.connect(only);
    this.exchange(5 * SECOND);
    const numbers = this.exchange(SECOND);
    pair.run(SECOND);
    const [down, up] = [pair.clients[only]!, pair.server].map((end) => numbersOf(end.delivered));
    assertEquals(down!.slice(-numbers.length), numbers, "downlink");
    assertEquals(up!.slice(-numbers.length), numbers.map((i) => 2 * i + only), "uplink");
    this.assertOnce();
  }

  assertOnce(): void {
    const { clients, server } = this.pair;
    const down = clients.flatMap(({ delivered }) => numbersOf(delivered));
    const up = numbersOf(server.delivered);
    assertEquals([down.length, up.length], [new Set(down).size, new Set(up).size], "once");
  }
}

Deno.test("a host gets its downlink back after another one used its key", () => {
  const both = new TwoHosts();
  both.exchange(5 * SECOND);
  const before = both.pair.client.delivered.length;
  assert(before > 900, `${before}`);
  both.connect(0, 1);
  both.exchange(3 * SECOND);
  both.assertServed(0);
  both.pair.finish();
});

Deno.test("two hosts with one key may alternate as they like: nothing comes twice, nobody is left out", () => {
  for (const seed of range(1, 9)) {
    const rng = new Rng(seed);
    const both = new TwoHosts();
    for (const _ of range(0, 12)) {
      both.connect(...HOSTS.filter(() => rng.next() < 0.6));
      both.exchange(Math.ceil(rng.next() * 2.5 * SECOND));
      if (rng.next() < 0.1) both.pair.server.restart();
    }
    both.assertServed(seed % 2);
    both.pair.finish();
  }
});

Deno.test("the server names both addresses of a key, at most once in ten seconds", () => {
  const both = new TwoHosts();
  const { pair } = both;
  const conflicts = (): string[] => pair.server.eventsOf("conflict");
  both.exchange(2 * SECOND);
  both.connect(0, 1);
  both.exchange(9 * SECOND);
  assertEquals(conflicts().length, 1);
  assert(
    /^now 198\.51\.100\.1[01]:4000[01], before 198\.51\.100\.1[01]:4000[01]$/.test(conflicts()[0]!),
    conflicts()[0],
  );
  assert(pair.server.endpoint.status(pair.now).peers[0]!.conflict?.startsWith("now "));
  both.exchange(20 * SECOND);
  assert(conflicts().length <= 3, `${conflicts().length}`);
  both.connect(0);
  pair.run(660 * SECOND);
  assertEquals(pair.server.endpoint.status(pair.now).peers[0]!.conflict, undefined);
  pair.finish();
});

Deno.test("a client that restarts is no other host", () => {
  const pair = new Pair([{}]).connect();
  for (const _ of range(0, 20)) {
    pair.client.restart();
    pair.connect();
    pair.run(SECOND);
  }
  assertEquals(pair.server.eventsOf("conflict"), []);
});

Deno.test("old INITs that are replayed to the server change nothing", () => {
  const both = new TwoHosts();
  const { pair } = both;
  both.exchange(SECOND);
  both.connect(1);
  both.exchange(6 * SECOND);
  const old = pair.sent.filter(({ line, bytes }) => line === pair.lines[0] && bytes[0] === 1);
  const refused = pair.server.drops("handshake-replay");
  for (const { line, bytes } of old) pair.server.receive(pair.now, 0, line.client, bytes);
  const numbers = both.exchange(SECOND);
  pair.run(SECOND);
  const sessions = pair.clients[1]!.eventsOf("session");
  assertEquals(sessions, ["up"]);
  assertEquals(numbersOf(pair.clients[1]!.delivered).slice(-numbers.length), numbers);
  // The last one is news to the server; nobody confirms that session.
  assertEquals(pair.server.drops("handshake-replay") - refused, old.length - 1);
  pair.finish();
});
