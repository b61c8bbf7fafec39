/**
 * The simulator against what is known about reality: TCP alone on a line, and a tunnel that does
 * nothing right.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { ReceiveBatch } from "../../src/batch.ts";
import type { EndpointEvent } from "../../src/tunnel/options.ts";
import { InvariantError } from "../pair/invariants.ts";
import { line, type LineNumbers } from "../pair/link.ts";
import { BulkFlow } from "./flows/bulk.ts";
import { Ledger } from "./flows/ledger.ts";
import { RequestFlow } from "./flows/requests.ts";
import { StreamFlow } from "./flows/stream.ts";
import { NullTunnel } from "./null_tunnel.ts";
import { CLIENT, SERVER, type Side } from "./packet.ts";
import { runScenario } from "./scenario.ts";
import { Simulation } from "./simulation.ts";
import { MTU_SCENARIOS, SCENARIOS } from "./scenarios.ts";
import type { TunnelContext, TunnelFactory } from "./tunnel.ts";

const nullTunnel: TunnelFactory = (context) => new NullTunnel(context);
/** Fills 1500 bytes of outer packet together with the 38 of the null tunnel. */
const MTU = 1462;
/** Share of a line that is payload when it is full. */
const FULL = (MTU - 52) / 1500;

/** Returns the goodput of one TCP flow on one line as a share of what fits. */
function shareOf(numbers: Partial<LineNumbers>, seconds = 10): number {
  const links = [line({ name: "a", mbps: 50, rttMs: 20, ...numbers })];
  const result = runScenario({ name: "direct", links }, () => nullTunnel, { mtu: MTU, seconds });
  return result.percentOfSum / 100 / FULL;
}

Deno.test("one CUBIC flow fills a line with an ordinary queue", () => {
  for (const [mbps, rttMs] of [[50, 20], [10, 60], [100, 8]] as const) {
    const share = shareOf({ mbps, rttMs });
    assert(share > 0.99 && share < 1.01, `${mbps} Mbit/s, ${rttMs} ms: ${share}`);
  }
});

Deno.test("one CUBIC flow keeps most of a line whose queue holds half a round trip", () => {
  const share = shareOf({ rttMs: 40, queueMs: 20 }, 30);
  assert(share > 0.93, `${share}`);
});

Deno.test("random loss holds one CUBIC flow near what the square root law gives", () => {
  const share = shareOf({ both: { loss: 0.005 } }, 30);
  const expected = 1.22 * (MTU - 52) * 8 / (0.02 * Math.sqrt(0.005)) / 50e6 / FULL;
  assert(share > 0.7 * expected && share < 1.5 * expected, `${share}, expected ${expected}`);
});

Deno.test("one BBR flow fills a line and leaves its queue alone", () => {
  for (const [mbps, rttMs] of [[50, 20], [10, 60], [100, 8]] as const) {
    const links = [line({ name: "a", mbps, rttMs })];
    const scenario = { name: "direct", links, congestion: ["bbr"] as const };
    const result = runScenario(scenario, () => nullTunnel, { mtu: MTU, seconds: 12 });
    const share = result.percentOfSum / 100 / FULL;
    assert(share > 0.93 && share < 1.01, `${mbps} Mbit/s, ${rttMs} ms: ${share}`);
    assert(result.loadedRttMs < 1.2 * rttMs + 4, `${result.loadedRttMs}`);
    assert(result.queueDrops < 100, `${result.queueDrops}: more than start-up costs`);
  }
});

Deno.test("random loss of 1 % hardly slows one BBR flow", () => {
  const links = [line({ name: "a", mbps: 50, rttMs: 40, both: { loss: 0.01 } })];
  const scenario = { name: "lossy", links, congestion: ["bbr"] as const };
  const result = runScenario(scenario, () => nullTunnel, { mtu: MTU, seconds: 20 });
  assert(result.percentOfSum > 80, `${result.percentOfSum}`);
});

Deno.test("RequestFlow waits for a round trip and the transfer, and repeats what is lost", () => {
  const links = [line({ name: "a", mbps: 50, rttMs: 40, both: { loss: 0.05 } })];
  const simulation = new Simulation({ seed: 1, links, tunnel: nullTunnel });
  const options = { mtu: MTU, responseBytes: 2_800, thinkUs: 50_000 };
  const requests = simulation.addFlow(0, (port) => new RequestFlow(simulation, port, options));
  simulation.runUntil(20e6);
  simulation.finish();
  assert(requests.times.count > 80, `${requests.times.count}`);
  const usual = requests.times.quantile(0.1);
  assert(usual > 40_400 && usual < 43_000, `${usual}`);
  assert(requests.retries > 0 && requests.times.quantile(0.99) > 100_000);
});

Deno.test("packets in turn over unequal lines without an order ruin TCP, as the field reports", () => {
  const links = [
    line({ name: "a", mbps: 80, rttMs: 15 }),
    line({ name: "b", mbps: 20, rttMs: 60 }),
  ];
  const result = runScenario({ name: "unequal", links }, () => nullTunnel, { mtu: MTU });
  assert(result.percentOfSum < 20, `${result.percentOfSum}`);
  assert(result.late > 1000);
});

Deno.test("Simulation gives the same run for the same seed and another for another", () => {
  const links = [line({ name: "a", mbps: 20, rttMs: 30, both: { loss: 0.01, jitterUs: 3000 } })];
  const run = (seed: number): string =>
    JSON.stringify(runScenario({ name: "x", links }, () => nullTunnel, { seed, seconds: 3 }));
  assertEquals(run(5), run(5));
  assert(run(5) !== run(6));
});

Deno.test("StreamFlow tells the longest silence and what was lost", () => {
  const hole = { blackholes: [{ fromUs: 2e6, toUs: 3e6 }] };
  const simulation = new Simulation({
    seed: 1,
    links: [line({ name: "a", mbps: 10, rttMs: 20, both: hole })],
    tunnel: nullTunnel,
  });
  const stream = simulation.addFlow(
    0,
    (port) => new StreamFlow(simulation, port, { from: SERVER, packetsPerSecond: 100, bytes: 200 }),
  );
  simulation.runUntil(5e6);
  simulation.finish();
  assertEquals(stream.lost, 100);
  assert(stream.longestGapUs > 1_009_000 && stream.longestGapUs < 1_011_000);
  assert(stream.delays.quantile(0.5) > 10_000 && stream.delays.quantile(0.99) < 10_500);
});

Deno.test("Simulation drops what is sent to a public port that the NAT has forgotten", () => {
  const links = [line({ name: "a", mbps: 10, rttMs: 20, link: { rebindsUs: [1e6] } })];
  const simulation = new Simulation({ seed: 1, links, tunnel: nullTunnel });
  const make = (port: number): StreamFlow =>
    new StreamFlow(simulation, port, { from: SERVER, packetsPerSecond: 100, bytes: 200 });
  const stream = simulation.addFlow(0, make);
  simulation.runUntil(3e6);
  simulation.finish();
  assert(simulation.natDrops >= 199 && stream.ledgers[SERVER].delivered <= 101);
});

/** An mtu that a tunnel reports, as an Endpoint that discovers does. */
interface Report {
  readonly atUs: number;
  readonly mtu: number;
}

/** The null tunnel with an Endpoint's event. */
class Reporting extends NullTunnel {
  readonly #reports: Report[];
  #now = 0;

  constructor(context: TunnelContext, reports: readonly Report[]) {
    super(context);
    this.#reports = [...reports];
  }

  override pollTransmit(...args: Parameters<NullTunnel["pollTransmit"]>): boolean {
    this.#now = args[0];
    return super.pollTransmit(...args);
  }

  override pollEvent(): EndpointEvent | undefined {
    if (this.#now < (this.#reports[0]?.atUs ?? Infinity)) return undefined;
    return { type: "mtu", peer: "sim", mtu: this.#reports.shift()!.mtu };
  }
}

/** A transfer on a line of 20 Mbit/s that carries 1400 bytes from 2 s to 4 s. */
function runNarrowed(from: Side, reports: readonly Report[]): [Simulation, BulkFlow] {
  const mtuSchedule = [{ atUs: 2e6, mtuBytes: 1400 }, { atUs: 4e6, mtuBytes: 1500 }];
  const links = [line({ name: "a", mbps: 20, rttMs: 20, both: { mtuSchedule } })];
  const tunnel: TunnelFactory = (context) => new Reporting(context, reports);
  const simulation = new Simulation({ seed: 1, links, tunnel, mtu: MTU });
  const bulk = simulation.addFlow(0, (port) => new BulkFlow(simulation, port, { from, mtu: MTU }));
  return [simulation, bulk];
}

Deno.test("TCP goes on over a line that has become narrower when its TUN's mtu follows, either way", () => {
  for (const from of [CLIENT, SERVER] as const) {
    const [simulation, bulk] = runNarrowed(from, [
      { atUs: 2.1e6, mtu: MTU - 100 },
      { atUs: 4.1e6, mtu: MTU },
    ]);
    simulation.runUntil(2e6);
    const before = bulk.goodBytes;
    simulation.runUntil(3e6);
    const at3 = bulk.goodBytes;
    simulation.runUntil(4e6);
    const narrow = (bulk.goodBytes - at3) * 8 / 1e6;
    assert(at3 > before, "nothing is repaired");
    assert(narrow > 0.98 * 20 * (MTU - 152) / 1400 && narrow < 20, `${narrow}`);
    const { upMtu, downMtu } = simulation.lines[0]!.link;
    const [data, acks] = from === CLIENT ? [upMtu, downMtu] : [downMtu, upMtu];
    assert(data.drops > 100 && acks.drops === 0, `${data.drops} ${acks.drops}`);
    const dropped = data.drops;
    simulation.runUntil(6e6);
    simulation.finish();
    assertEquals([data.drops - dropped, bulk.segmentBytes], [0, MTU - 52]);
  }
});

Deno.test("TCP hangs on a line that has become narrower while its TUN's mtu stays", () => {
  const [simulation, bulk] = runNarrowed(SERVER, []);
  simulation.runUntil(2.1e6);
  const before = bulk.goodBytes;
  simulation.runUntil(3.9e6);
  assertEquals(bulk.goodBytes, before);
  simulation.runUntil(6e6);
  simulation.finish();
  assert(bulk.goodBytes > before);
});

Deno.test("TCP grows no further than what the other end announced", () => {
  const [simulation, bulk] = runNarrowed(SERVER, [{ atUs: 1e6, mtu: MTU }]);
  simulation.client.setMtu(1300);
  simulation.runUntil(1.5e6);
  simulation.finish();
  assertEquals(bulk.segmentBytes, 1300 - 52);
});

Deno.test("a TUN takes nothing above its mtu", () => {
  const [simulation] = runNarrowed(SERVER, [{ atUs: 1e6, mtu: 1000 }]);
  const options = { from: SERVER, packetsPerSecond: 100, bytes: 1200 } as const;
  const make = (port: number): StreamFlow => new StreamFlow(simulation, port, options);
  const stream = simulation.addFlow(5e5, make);
  simulation.runUntil(1.5e6);
  simulation.finish();
  assert(stream.lost >= 49 && stream.lost <= 51, `${stream.lost}`);
  assertEquals([simulation.server.oversize, simulation.client.oversize], [stream.lost, 0]);
});

Deno.test("RequestFlow gets whole answers although their segments change", () => {
  const links = [line({ name: "a", mbps: 50, rttMs: 40 })];
  const simulation = new Simulation({ seed: 1, links, tunnel: nullTunnel, mtu: MTU });
  const options = { mtu: MTU, responseBytes: 60_000, thinkUs: 50_000 };
  const requests = simulation.addFlow(0, (port) => new RequestFlow(simulation, port, options));
  for (const [i, mtu] of [1300, 600, 1400].entries()) {
    simulation.runUntil((i + 1) * 1e6);
    const before = [requests.times.count, requests.goodBytes] as const;
    simulation.server.setMtu(mtu);
    simulation.runUntil((i + 1.8) * 1e6);
    const answers = requests.times.count - before[0];
    const bytes = requests.goodBytes - before[1];
    assert(answers > 4 && Math.abs(bytes / 60_000 - answers) < 1.1, `${answers}: ${bytes}`);
  }
  simulation.finish();
});

Deno.test("MTU_SCENARIOS have names of their own, and lines that lose full packets", () => {
  const names = SCENARIOS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const scenario of MTU_SCENARIOS) {
    const result = runScenario(scenario, () => nullTunnel, { mtu: MTU, seconds: 6 });
    assert(result.tooBig > 0 && result.lineLosses === 0, `${scenario.name}: ${result.tooBig}`);
  }
});

Deno.test("Ledger blames the tunnel only for order that it could have kept", () => {
  const ledger = new Ledger();
  for (let i = 0; i < 6; i++) ledger.nextId();
  ledger.onArrived(10, 1);
  ledger.onDelivered(20, 1);
  ledger.onArrived(30, 0);
  ledger.onDelivered(30, 0);
  assertEquals([ledger.late, ledger.overtaken], [1, 0]);
  ledger.onArrived(40, 2);
  ledger.onArrived(50, 3);
  ledger.onDelivered(60, 3);
  ledger.onDelivered(70, 2);
  assertEquals([ledger.late, ledger.overtaken, ledger.longestHoldUs], [2, 1, 30]);
  assert(!ledger.onDelivered(80, 2));
});

/** Runs a download over a tunnel that misbehaves in one way. */
function runBroken(make: TunnelFactory): () => void {
  return () => {
    const links = [line({ name: "a", mbps: 50, rttMs: 20 })];
    runScenario({ name: "broken", links }, () => make, { mtu: MTU, seconds: 1 });
  };
}

Deno.test("Simulation refuses a tunnel that delivers a packet twice", () => {
  class Twice extends NullTunnel {
    override handleDatagrams(now: number, socket: number, batch: ReceiveBatch): void {
      super.handleDatagrams(now, socket, batch);
      super.handleDatagrams(now, socket, batch);
    }
  }
  assertThrows(runBroken((context) => new Twice(context)), InvariantError, "came out twice");
});

Deno.test("Simulation refuses a tunnel that keeps slots", () => {
  class Leaks extends NullTunnel {
    override close(): void {
      super.close();
      this.context.pool.alloc();
    }
  }
  assertThrows(runBroken((context) => new Leaks(context)), InvariantError, "kept 1 slots");
});

Deno.test("Simulation refuses a tunnel that repeats a counter", () => {
  class Repeats extends NullTunnel {
    override pollTransmit(...args: Parameters<NullTunnel["pollTransmit"]>): boolean {
      const more = super.pollTransmit(...args);
      for (const { count, slab } of args[1]) {
        for (let i = 0; i < count; i++) slab.bytes.fill(0, slab.at(i) + 6, slab.at(i) + 10);
      }
      return more;
    }
  }
  assertThrows(runBroken((context) => new Repeats(context)), InvariantError, "counter 0 after 0");
});

Deno.test("Simulation refuses a tunnel that speaks after it was closed", () => {
  class Chatty extends NullTunnel {
    override close(): void {}
  }
  const simulation = new Simulation({
    seed: 1,
    links: [line({ name: "a", mbps: 10, rttMs: 20 })],
    tunnel: (context) => new Chatty(context),
  });
  const flow = simulation.addFlow(
    0,
    (port) => new BulkFlow(simulation, port, { from: SERVER, mtu: MTU }),
  );
  simulation.runUntil(1e6);
  simulation.server.close(simulation.queue.now);
  assertThrows(
    () => {
      flow.start();
      simulation.runUntil(2e6);
    },
    InvariantError,
    "closed tunnel sends",
  );
});
