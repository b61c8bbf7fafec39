/**
 * What happens to a tunnel over bad and changing networks, apart from throughput. The simulator's
 * invariants hold throughout: nothing comes out twice, no counter is used twice, no slot is lost,
 * silence after the end.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { constantRate } from "../pair/elements/rate_schedule.ts";
import { explaining } from "../pair/invariants.ts";
import { type DirectionSpec, line, type LinkSpec } from "../pair/link.ts";
import { Rng } from "../pair/rng.ts";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { BulkFlow } from "./flows/bulk.ts";
import { StreamFlow } from "./flows/stream.ts";
import { CLIENT, SERVER, type Side } from "./packet.ts";
import { INNER_MTU, runScenario, type Scenario } from "./scenario.ts";
import { FLOW_PORT, Simulation } from "./simulation.ts";

/** Opens a simulation with a tunnel over `links` and a stream of 100 packets/s to the client. */
function openSimulation(
  links: readonly LinkSpec[],
  options: { seed?: number; serverSockets?: number } = {},
  policy: Pick<Scenario, "rules" | "duplicate" | "schedule"> = {},
): { simulation: Simulation; stream: StreamFlow } {
  const tunnel = endpointTunnel({ name: "test", links, ...policy });
  const simulation = new Simulation({ seed: 1, links, tunnel, ...options });
  const stream = simulation.addFlow(
    500_000,
    (port) => new StreamFlow(simulation, port, { from: SERVER, packetsPerSecond: 100, bytes: 200 }),
  );
  return { simulation, stream };
}

function addBulk(simulation: Simulation, from: Side): BulkFlow {
  return simulation.addFlow(
    600_000,
    (port) => new BulkFlow(simulation, port, { from, mtu: INNER_MTU }),
  );
}

function statesOf(simulation: Simulation, side: Side): string[] {
  return simulation.events.filter((event) => event.side === side).flatMap(({ event }) =>
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
  const { simulation } = openSimulation(links, { serverSockets: 1 });
  const bulk = addBulk(simulation, SERVER);
  simulation.runUntil(5e6);
  simulation.finish();
  assert(bulk.goodBytes * 8 / 4.4e6 > 24, `${bulk.goodBytes}`);
});

Deno.test("Endpoint comes up when its first link is dead from the start", () => {
  const dead = { blackholes: [{ fromUs: 0, toUs: 1e12 }] };
  const links = [
    line({ name: "dead", mbps: 20, rttMs: 20, both: dead }),
    line({ name: "alive", mbps: 20, rttMs: 20 }),
  ];
  const { simulation, stream } = openSimulation(links);
  simulation.runUntil(3e6);
  simulation.finish();
  assertEquals(stream.lost, 0);
  assertEquals(statesOf(simulation, CLIENT)[0], "up");
});

Deno.test("Endpoint follows a client whose public port changes", () => {
  const links = [line({ name: "a", mbps: 20, rttMs: 20, link: { rebindsUs: [2e6, 4e6] } })];
  const { simulation, stream } = openSimulation(links);
  const bulk = addBulk(simulation, CLIENT);
  simulation.runUntil(6e6);
  const roamed = simulation.events.filter(({ event }) => event.type === "roamed");
  simulation.finish();
  assertEquals(roamed.length, 2);
  assert(stream.longestGapUs < 100_000, `${stream.longestGapUs}`);
  assert(bulk.goodBytes > 5e6, `${bulk.goodBytes}`);
});

Deno.test("Endpoint survives when every link is gone for two seconds", () => {
  const gone = { blackholes: [{ fromUs: 2e6, toUs: 4e6 }] };
  const links = [20, 30].map((rttMs, i) => line({ name: `l${i}`, mbps: 20, rttMs, both: gone }));
  const { simulation, stream } = openSimulation(links);
  addBulk(simulation, SERVER);
  simulation.runUntil(8e6);
  simulation.finish();
  assert(stream.longestGapUs > 1.9e6 && stream.longestGapUs < 3e6, `${stream.longestGapUs}`);
});

// By chance the stream is under way on the link that dies, or on the other.
for (const seed of [1, 2, 4, 7, 17, 18]) {
  Deno.test(`Endpoint bridges the death of a busy link within 60 ms for a stream: seed ${seed}`, () => {
    const dies = { blackholes: [{ fromUs: 3e6, toUs: Infinity }] };
    const links = ["a", "b"].map((name, i) =>
      line({ name, mbps: 50, rttMs: 20, ...i === 1 && { both: dies } })
    );
    const { simulation, stream } = openSimulation(links, { seed });
    addBulk(simulation, SERVER);
    simulation.runUntil(4e6);
    simulation.finish();
    assert(stream.longestGapUs < 60_000, `${stream.longestGapUs}`);
    assertEquals(stream.lost, 0);
  });
}

Deno.test("Endpoint tells its user when the other end says goodbye", () => {
  const { simulation } = openSimulation([line({ name: "a", mbps: 20, rttMs: 20 })]);
  simulation.runUntil(1e6);
  simulation.server.close(simulation.queue.now);
  simulation.runUntil(1.1e6);
  assertEquals(statesOf(simulation, CLIENT), ["up", "down"]);
});

/** Lines as bad as can be, different for each seed. */
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
      const { simulation } = openSimulation(randomLinks(new Rng(seed)), { seed });
      addBulk(simulation, SERVER);
      addBulk(simulation, CLIENT);
      simulation.runUntil(6e6);
      simulation.finish();
    });
  });
}

/** A stream that leaves on every link, a transfer bound to one, one that leaves on two at times. */
const POLICY: Pick<Scenario, "rules" | "duplicate" | "schedule"> = {
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
      const { simulation } = openSimulation(
        randomLinks(new Rng(seed)),
        { seed, ...seed % 2 === 0 && { serverSockets: 1 } },
        POLICY,
      );
      addBulk(simulation, SERVER);
      addBulk(simulation, CLIENT);
      addBulk(simulation, SERVER);
      simulation.runUntil(6e6);
      simulation.finish();
    });
  });
}

for (let seed = 25; seed <= 36; seed++) {
  const schedule = seed % 2 === 0 ? "steady" : "redundant";
  Deno.test(`Endpoint keeps its promises over random networks, ${schedule}: seed ${seed}`, () => {
    explaining(() => `\nReplay: ${REPLAY} --filter "${schedule}: seed ${seed}"`, () => {
      const policy = { schedule, ...seed % 3 === 0 && POLICY } as const;
      const { simulation } = openSimulation(randomLinks(new Rng(seed)), { seed }, policy);
      addBulk(simulation, SERVER);
      addBulk(simulation, CLIENT);
      addBulk(simulation, SERVER);
      simulation.runUntil(6e6);
      simulation.finish();
    });
  });
}
