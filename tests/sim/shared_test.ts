/**
 * A line that others fill as well: the tunnel takes a share of it, leaves one, and does not keep
 * the queue when they have gone.
 *
 * @module
 */

import { assert, assertGreater, assertLess } from "@std/assert";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { NullTunnel } from "./null_tunnel.ts";
import { type Result, runScenario, type Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import type { TunnelFactory } from "./tunnel.ts";

/** What one line of 50 Mbit/s carries of TCP through the tunnel. */
const ONE_LINE_MBPS = 45.6;

const noTunnel = (): TunnelFactory => (context) => new NullTunnel(context);

function scenarioOf(name: string): Scenario {
  const scenario = SCENARIOS.find((one) => one.name === name);
  assert(scenario !== undefined, name);
  return scenario;
}

function run(name: string, options: Parameters<typeof runScenario>[2] = {}): Result {
  return runScenario(scenarioOf(name), endpointTunnel, options);
}

/** When TCP loses is chance, and matters: what holds in the mean of some runs. */
const SEEDS = [1, 2, 3, 4, 5, 6];

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

Deno.test("Endpoint shares a line with somebody outside the tunnel, and fills the other", () => {
  const results = SEEDS.map((seed) => run("50/20+50/20, a shared", { seed }));
  for (const { outsideMbps } of results) assertGreater(outsideMbps, 18);
  assertGreater(meanOf(results.map(({ goodputMbps }) => goodputMbps)), 64);
});

Deno.test("Endpoint finds what a policer lets pass, though it has no queue and passes bursts", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    assertGreater(run("50/20 policed to 30 + 50/20", { seed }).goodputMbps, 0.87 * 80);
  }
});

Deno.test("Endpoint gets more of a line beside somebody else than TCP would without it", () => {
  const scenario = scenarioOf("one 50/20, shared");
  const measure = (make: typeof endpointTunnel): Result[] =>
    SEEDS.map((seed) => runScenario(scenario, make, { seed, seconds: 20 }));
  const results = measure(endpointTunnel);
  for (const { outsideMbps } of results) assertGreater(outsideMbps, 18);
  const ours = meanOf(results.map(({ goodputMbps }) => goodputMbps));
  assertGreater(ours, 0.4 * meanOf(results.map(({ outsideMbps }) => outsideMbps)));
  assertGreater(ours, 1.1 * meanOf(measure(noTunnel).map(({ goodputMbps }) => goodputMbps)));
});

Deno.test("Endpoint has a short queue again two seconds after others have left the line", () => {
  let worstUs = 0;
  run("a shared from 3 to 8", {
    onStep: ({ simulation: { queue, lines } }) => {
      if (queue.now >= 10e6) {
        worstUs = Math.max(worstUs, lines[0]!.link.downQueue.queuedUs(queue.now));
      }
    },
  });
  assertLess(worstUs, 20_000);
});

Deno.test("Endpoint is not slower than its free line when the other has too much of a queue", () => {
  assertGreater(run("a shared, 250 ms of queue").goodputMbps, 0.97 * ONE_LINE_MBPS);
});

Deno.test("Endpoint shares a line with another one", () => {
  assertGreater(run("one 50/20, two tunnels").fairness, 0.9);
});
