/**
 * What happens to a tunnel over bad and changing networks, beside throughput. The
 * simulator's invariants hold throughout: nothing comes out twice, no counter is
 * used twice, no slot is lost, silence after the end.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { constantRate } from "../pair/elements/rate_schedule.ts";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { BulkFlow } from "./flows/bulk.ts";
import { StreamFlow } from "./flows/stream.ts";
import { explaining } from "../pair/invariants.ts";
import { type DirectionSpec, line, type LinkSpec } from "../pair/link.ts";
import { CLIENT, SERVER, type Side } from "./packet.ts";
import { Rng } from "../pair/rng.ts";
import { INNER_MTU, runScenario, type Scenario } from "./scenario.ts";
import { FLOW_PORT, World } from "./world.ts";

/** Opens a world with a tunnel over `links` and a stream of 100 packets/s to the client. */
function openWorld(
  links: readonly LinkSpec[],
  options: { seed?: number; serverSockets?: number } = {},
  policy: Pick<Scenario, "rules" | "duplicate"> = {},
): { world: World; stream: StreamFlow } {
  const tunnel = endpointTunnel({ name: "test", links, ...policy });
  const world = new World({ seed: 1, links, tunnel, ...options });
  const stream = world.addFlow(
    500_000,
    (port) => new StreamFlow(world, port, { from: SERVER, packetsPerSecond: 100, bytes: 200 }),
  );
  return { world, stream };
}

function addBulk(world: World, from: Side): BulkFlow {
  return world.addFlow(600_000, (port) => new BulkFlow(world, port, { from, mtu: INNER_MTU }));
}

function statesOf(world: World, side: Side): string[] {
  return world.events.filter((event) => event.side === side).flatMap(({ event }) =>
    event.type === "session" ? [event.state] : []
  );
}

Deno.test("Endpoint gives the same run for the same seed", () => {
  const links = [
    line({ name: "a", mbps: 20, rttMs: 20, both: { loss: 0.01 } }),
    line({ name: "b", mbps: 10, rttMs: 40, both: { jitterUs: 5000 } }),
  ];
  const run = (): string =>
    JSON.stringify(runScenario({ name: "x", links }, endpointTunnel, { seed: 9, seconds: 2 }));
  assertEquals(run(), run());
});

Deno.test("Endpoint serves several links through one socket of the server", () => {
  const links = [20, 30].map((rttMs, i) => line({ name: `l${i}`, mbps: 20, rttMs }));
  const { world } = openWorld(links, { serverSockets: 1 });
  const bulk = addBulk(world, SERVER);
  world.runUntil(5e6);
  world.finish();
  assert(bulk.goodBytes * 8 / 4.4e6 > 24, `${bulk.goodBytes}`);
});

Deno.test("Endpoint comes up when its first link is dead from the start", () => {
  const dead = { blackholes: [{ fromUs: 0, toUs: 1e12 }] };
  const links = [
    line({ name: "dead", mbps: 20, rttMs: 20, both: dead }),
    line({ name: "alive", mbps: 20, rttMs: 20 }),
  ];
  const { world, stream } = openWorld(links);
  world.runUntil(3e6);
  world.finish();
  assertEquals(stream.lost, 0);
  assertEquals(statesOf(world, CLIENT)[0], "up");
});

Deno.test("Endpoint follows a client whose public port changes", () => {
  const links = [line({ name: "a", mbps: 20, rttMs: 20, link: { rebindsUs: [2e6, 4e6] } })];
  const { world, stream } = openWorld(links);
  const bulk = addBulk(world, CLIENT);
  world.runUntil(6e6);
  const roamed = world.events.filter(({ event }) => event.type === "roamed");
  world.finish();
  assertEquals(roamed.length, 2);
  assert(stream.longestGapUs < 100_000, `${stream.longestGapUs}`);
  assert(bulk.goodBytes > 5e6, `${bulk.goodBytes}`);
});

Deno.test("Endpoint survives when every link is gone for two seconds", () => {
  const gone = { blackholes: [{ fromUs: 2e6, toUs: 4e6 }] };
  const links = [20, 30].map((rttMs, i) => line({ name: `l${i}`, mbps: 20, rttMs, both: gone }));
  const { world, stream } = openWorld(links);
  addBulk(world, SERVER);
  world.runUntil(8e6);
  world.finish();
  assert(stream.longestGapUs > 1.9e6 && stream.longestGapUs < 3e6, `${stream.longestGapUs}`);
});

Deno.test("Endpoint tells its user when the other end says goodbye", () => {
  const { world } = openWorld([line({ name: "a", mbps: 20, rttMs: 20 })]);
  world.runUntil(1e6);
  world.server.close(world.queue.now);
  world.runUntil(1.1e6);
  assertEquals(statesOf(world, CLIENT), ["up", "down"]);
});

/** Lines as bad as they come, different for each seed. */
function randomLinks(rng: Rng): LinkSpec[] {
  const direction = (): DirectionSpec => ({
    rate: constantRate((1 + rng.next() ** 2 * 60) * 1e6),
    delayUs: 1000 + rng.next() * 60_000,
    queue: rng.next() < 0.5 ? { us: 20_000 + rng.next() * 200_000 } : { bytes: 30_000 },
    ...(rng.next() < 0.4 ? { loss: rng.next() * 0.05 } : {}),
    ...(rng.next() < 0.3
      ? { burstLoss: { toBad: 0.002, toGood: 0.1, lossGood: 0, lossBad: 0.7 } }
      : {}),
    ...(rng.next() < 0.5 ? { jitterUs: rng.next() * 20_000, reorders: rng.next() < 0.5 } : {}),
    ...(rng.next() < 0.3
      ? { blackholes: [{ fromUs: rng.next() * 4e6, toUs: 4e6 + rng.next() * 2e6 }] }
      : {}),
  });
  return Array.from({ length: 1 + rng.uint32() % 4 }, (_, i) => ({
    name: `l${i}`,
    up: direction(),
    down: direction(),
    ...(rng.next() < 0.2 ? { rebindsUs: [rng.next() * 4e6] } : {}),
    ...(rng.next() < 0.2 ? { unplugged: [{ fromUs: 2e6, toUs: 3e6 }] } : {}),
  }));
}

const REPLAY = "deno test -A tests/sim/endpoint_test.ts";

for (let seed = 1; seed <= 12; seed++) {
  Deno.test(`Endpoint keeps its promises over random networks: seed ${seed}`, () => {
    explaining(() => `\nReplay: ${REPLAY} --filter ": seed ${seed}"`, () => {
      const { world } = openWorld(randomLinks(new Rng(seed)), { seed });
      addBulk(world, SERVER);
      addBulk(world, CLIENT);
      world.runUntil(6e6);
      world.finish();
    });
  });
}

/** A stream that leaves on every link, a transfer bound to one, one that leaves on two at times. */
const POLICY: Pick<Scenario, "rules" | "duplicate"> = {
  rules: [
    { ports: [FLOW_PORT], links: [], class: "interactive", duplicate: "all" },
    { ports: [FLOW_PORT + 1], links: ["l1"], class: "bulk" },
    { ports: [FLOW_PORT + 2], links: ["l0", "l2"], duplicate: "auto" },
  ],
  duplicate: "auto",
};

for (let seed = 13; seed <= 24; seed++) {
  Deno.test(`Endpoint keeps its promises over random networks with rules: seed ${seed}`, () => {
    explaining(() => `\nReplay: ${REPLAY} --filter "with rules: seed ${seed}"`, () => {
      const { world } = openWorld(
        randomLinks(new Rng(seed)),
        { seed, ...seed % 2 === 0 && { serverSockets: 1 } },
        POLICY,
      );
      addBulk(world, SERVER);
      addBulk(world, CLIENT);
      addBulk(world, SERVER);
      world.runUntil(6e6);
      world.finish();
    });
  });
}
