/**
 * What measuring its links costs a tunnel that is full of TCP meanwhile.
 *
 * @module
 */

import { assert, assertGreater } from "@std/assert";
import type { Endpoint } from "../../src/tunnel/endpoint.ts";
import type { TestWay } from "../../src/tunnel/line_tests.ts";
import { line } from "../pair/link.ts";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { runScenario } from "./scenario.ts";

const LINKS = [
  line({ name: "a", mbps: 20, rttMs: 20 }),
  line({ name: "b", mbps: 20, rttMs: 40 }),
];
const SECONDS = 20;

/** A test of a link that begins at a second of the run. */
interface Planned {
  readonly at: number;
  readonly link: number;
  readonly way: TestWay;
  readonly seconds: number;
}

/** Goodput in Mbit/s of each second of a download, while links are measured as planned. */
function goodput(...planned: readonly Planned[]): number[] {
  const left = [...planned];
  const bytes: number[] = [];
  let step = 0;
  runScenario({ name: "measured", links: LINKS }, endpointTunnel, {
    seconds: SECONDS,
    onStep: ({ simulation, bulk }) => {
      if (step++ % 10 > 0) return;
      bytes.push(bulk[0]!.goodBytes);
      const { client, now } = simulation;
      for (const { at, link, way, seconds } of left.splice(0)) {
        if (at * 10 >= step) left.push({ at, link, way, seconds });
        else {
          const endpoint = client.endpoint as unknown as Endpoint;
          assert(endpoint.startLineTest(now, link, way, seconds * 1e6));
        }
      }
    },
  });
  return bytes.slice(1).map((total, i) => (total - bytes[i]!) * 8 / 1e6);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value) / values.length;
}

const ALONE = goodput();

Deno.test("probing every link costs a transfer next to nothing", () => {
  const beside = goodput(
    { at: 6, link: 0, way: "idle", seconds: 4 },
    { at: 6, link: 1, way: "idle", seconds: 4 },
  );
  assertGreater(mean(beside.slice(6, 12)), 0.98 * mean(ALONE.slice(6, 12)));
});

for (const way of ["up", "down"] as const) {
  Deno.test(`a link that was filled ${way} is used as before when that is over`, () => {
    const filled = goodput({ at: 5, link: 0, way, seconds: 5 });
    assertGreater(mean(filled.slice(12)), 0.97 * mean(ALONE.slice(12)));
  });
}
