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

Deno.test("Endpoint shares a line with somebody outside the tunnel, and fills the other", () => {
  let sum = 0;
  for (const seed of [1, 2, 3]) { // it matters when TCP loses
    const { goodputMbps, outsideMbps } = run("50/20+50/20, a shared", { seed });
    assertGreater(outsideMbps, 18);
    sum += goodputMbps;
  }
  assertGreater(sum / 3, 65);
});

Deno.test("Endpoint finds what a policer lets pass, though it has no queue and passes bursts", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    assertGreater(run("50/20 policed to 30 + 50/20", { seed }).goodputMbps, 0.87 * 80);
  }
});

Deno.test("Endpoint gets more of a line beside somebody else than TCP would without it", () => {
  const scenario = scenarioOf("one 50/20, shared");
  let ours = 0;
  let alone = 0;
  for (const seed of [1, 2, 3]) {
    const { goodputMbps, outsideMbps } = runScenario(scenario, endpointTunnel, {
      seed,
      seconds: 20,
    });
    assertGreater(goodputMbps, 0.4 * outsideMbps);
    assertGreater(outsideMbps, 18);
    ours += goodputMbps;
    alone += runScenario(scenario, noTunnel, { seed, seconds: 20 }).goodputMbps;
  }
  assertGreater(ours, 1.1 * alone);
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
