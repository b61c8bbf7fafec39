/**
 * What an endpoint finds out about its lines when it is asked to measure them, against what the lines
 * are.
 *
 * @module
 */

import { assert, assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { LineTestResult, TestWay } from "../../src/tunnel/line_tests.ts";
import { constantRate } from "../pair/elements/rate_schedule.ts";
import type { DirectionSpec } from "../pair/link.ts";
import { Pair } from "../pair/pair.ts";
import { numbersOf, range, udp4 } from "./packets.ts";

const SECOND = 1_000_000;
const MTU = 1434;

/** A client with one line. */
function over(line: Partial<DirectionSpec>, delayUs = 10_000): Pair {
  return new Pair([{ delaysUs: [delayUs], line: () => line }], { mtu: MTU }).connect();
}

/** Lets the client measure its line. */
function test(pair: Pair, way: TestWay, us = 4 * SECOND): LineTestResult {
  const { client } = pair;
  assert(client.endpoint.startLineTest(pair.now, 0, way, us));
  client.turn(pair.now);
  pair.runUntil(() => client.endpoint.lineTest(pair.now, 0)!.done, 90 * SECOND);
  return client.endpoint.lineTest(pair.now, 0)!;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

for (const mbps of [1, 8, 50, 200]) {
  Deno.test(`a test finds what a line of ${mbps} Mbit/s carries, both ways`, () => {
    const pair = over({ rate: constantRate(mbps * 1e6) });
    const up = test(pair, "up");
    assertAlmostEquals(up.there.bps / 1e6, mbps, mbps * 0.05);
    const down = test(pair, "down");
    assert(down.isUnderstood && down.isServed);
    assertAlmostEquals(down.here.bps / 1e6, mbps, mbps * 0.05);
    pair.finish();
  });
}

Deno.test("a test fills the queue of a line, which its round trips show, and other lines do not notice", () => {
  const queue = { us: 300_000 };
  const line = (id: number): Partial<DirectionSpec> =>
    id === 0 ? { rate: constantRate(20e6), queue } : {};
  const pair = new Pair([{ delaysUs: [10_000, 10_000], line }], { mtu: MTU }).connect();
  const idle = test(pair, "idle", SECOND);
  assertAlmostEquals(median(idle.roundTripsUs), 20_000, 1_000);
  for (const way of ["up", "down"] as const) {
    const { roundTripsUs } = test(pair, way);
    assertAlmostEquals(median(roundTripsUs.slice(roundTripsUs.length / 2)), 320_000, 30_000);
  }
  assertEquals(pair.client.eventsOf("link").filter((text) => !text.endsWith(" up")), []);
  pair.finish();
});

Deno.test("a test bounds the queue that it makes on a line whose queue has no end", () => {
  const pair = over({ rate: constantRate(5e6), queue: { us: 60 * SECOND } });
  const { roundTripsUs, there } = test(pair, "up", 10 * SECOND);
  assertLess(Math.max(...roundTripsUs), 2.5 * SECOND);
  assertAlmostEquals(there.bps / 1e6, 5, 0.5);
  pair.finish();
});

Deno.test("a test of an idle line counts what each direction loses", () => {
  const pair = over({ loss: 0.03 });
  const { there, here, roundTripsUs, probes } = test(pair, "idle", 10 * SECOND);
  assertAlmostEquals(there.loss, 0.03, 0.012);
  assertAlmostEquals(here.loss, 0.03, 0.012);
  assertLess(roundTripsUs.length, probes * 0.98);
  const clean = over({});
  assertEquals(test(clean, "idle").there.loss, 0);
  assertEquals(test(clean, "idle").here.loss, 0);
});

Deno.test("a test asks where the server sees this end", () => {
  const pair = over({});
  assertEquals(test(pair, "idle", SECOND).seenAs, "198.51.100.10:40000");
  pair.finish();
});

Deno.test("a packet beside a load waits for the queue of the line, but for no pacer", () => {
  const pair = over({ rate: constantRate(20e6) });
  const { client, server } = pair;
  client.endpoint.startLineTest(pair.now, 0, "up", 4 * SECOND);
  for (const i of range(0, 100)) {
    client.send(pair.now, udp4(i));
    pair.run(50_000);
  }
  pair.run(SECOND);
  const delivered = new Set(numbersOf(server.delivered)).size;
  assertGreater(delivered, 80, "a queue that overflows takes its toll of everything");
  pair.finish();
});

/** Loses what comes from the server once nothing has gone to it for `us`, as a NAT does. */
function forgetAfter(pair: Pair, us: number): void {
  let leftAtUs = pair.now;
  pair.lines[0]!.lose = ({ toServer }) => {
    if (toServer) leftAtUs = pair.now;
    return !toServer && pair.now - leftAtUs > us;
  };
}

Deno.test("a test of silence finds out how long a NAT remembers, and the line works after it", () => {
  const pair = over({});
  forgetAfter(pair, 30 * SECOND);
  assert(test(pair, "silence", 15 * SECOND).isServed);
  assert(!test(pair, "silence", 60 * SECOND).isServed);
  pair.run(5 * SECOND);
  assert(test(pair, "idle", SECOND).roundTripsUs.length > 50);
  pair.finish();
});
