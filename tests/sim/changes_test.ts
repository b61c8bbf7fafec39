/**
 * Links and rules that change in the middle of traffic over bad lines, again and again. The
 * simulator's invariants hold throughout: nothing comes out twice, no flow is out of order, no
 * counter is used twice, no slot is lost, silence after the end.
 *
 * @module
 */

import { assert } from "@std/assert";
import type { Endpoint } from "../../src/tunnel/endpoint.ts";
import { type ClientLink, NO_LINK, type PolicyOptions } from "../../src/tunnel/options.ts";
import { linkTo } from "../pair/endpoints.ts";
import { line } from "../pair/link.ts";
import { Rng } from "../pair/rng.ts";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import { BulkFlow } from "./flows/bulk.ts";
import { StreamFlow } from "./flows/stream.ts";
import { CLIENT, SERVER } from "./packet.ts";
import { INNER_MTU } from "./scenario.ts";
import { Simulation } from "./simulation.ts";

const LINES = [
  line({ name: "a", mbps: 20, rttMs: 20, both: { loss: 0.005 } }),
  line({ name: "b", mbps: 10, rttMs: 45, both: { jitterUs: 4000 } }),
  line({ name: "c", mbps: 15, rttMs: 30 }),
];
const POLICIES: readonly PolicyOptions[] = [
  {},
  { schedule: "steady" },
  { schedule: "redundant" },
  { duplicate: "all" },
  { rules: [{ protocol: "udp", ports: [], links: ["a", "c"] }] },
];
const SECONDS = 20;

/** A number from 0 to `limit`, exclusively. */
function below(rng: Rng, limit: number): number {
  return Math.floor(rng.next() * limit);
}

function clientLink(simulation: Simulation, id: number, rng: Rng, turn: number): ClientLink {
  const tiers = ["primary", "primary", "overflow", "backup"] as const;
  return linkTo(`${LINES[id]!.name}${below(rng, 2)}`, simulation.lines[id]!.server, {
    tier: tiers[below(rng, tiers.length)]!,
    timeoutUs: 1_000_000,
    ...below(rng, 3) === 0 && { uploadBps: (5 + below(rng, 10)) * 1e6 },
    ...below(rng, 4) === 0 && { off: `change ${turn}` },
  });
}

for (let seed = 1; seed <= 3; seed++) {
  Deno.test(`Endpoint keeps what it promises while links and rules change (seed ${seed})`, () => {
    const tunnel = endpointTunnel({ name: "test", links: LINES });
    const simulation = new Simulation({ seed, links: LINES, tunnel });
    const rng = new Rng(seed + 100);
    simulation.addFlow(
      500_000,
      (port) =>
        new StreamFlow(simulation, port, { from: CLIENT, packetsPerSecond: 200, bytes: 200 }),
    );
    const bulk = simulation.addFlow(
      600_000,
      (port) => new BulkFlow(simulation, port, { from: SERVER, mtu: INNER_MTU }),
    );
    const ends = [simulation.client, simulation.server];
    const [client, server] = ends.map(({ endpoint }) => endpoint as unknown as Endpoint);
    for (let turn = 1; turn * 250_000 < SECONDS * 1e6; turn++) {
      simulation.runUntil(1e6 + turn * 250_000);
      const { now } = simulation;
      // Link 0 stays, so that there is always one.
      const id = 1 + below(rng, 2);
      const what = below(rng, 5);
      if (what < 2) client!.setLink(now, id, clientLink(simulation, id, rng, turn));
      else if (what === 2) client!.setLink(now, id, NO_LINK);
      else {
        const end = below(rng, 2) === 0 ? client! : server!;
        end.setPolicy(now, POLICIES[below(rng, POLICIES.length)]!);
      }
      for (const end of ends) end.turn(now);
    }
    simulation.finish();
    assert(bulk.goodBytes * 8 / SECONDS > 3e6, `${bulk.goodBytes}`);
    const downs = simulation.events.filter(({ event }) =>
      event.type === "session" && event.state === "down" && event.reason !== "shutting down" &&
      event.reason !== "the peer has closed it"
    );
    assert(downs.length === 0, JSON.stringify(downs));
  });
}
