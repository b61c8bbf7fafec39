/**
 * The same case in the simulator: lines, traffic and events are translated from
 * the data of the case, and what comes out has the shape of a measurement, so
 * that the same rows are read from it.
 *
 * @module
 */

import type { Shape } from "../../lab/emulator/shape.ts";
import type { TcpSample } from "../../lab/tools/tcp.ts";
import type { EchoReport, StreamReport } from "../../lab/tools/udp.ts";
import type { RateSchedule } from "../../tests/pair/elements/rate_schedule.ts";
import type { DirectionSpec, LinkSpec } from "../../tests/pair/link.ts";
import { directionOf as likeShape } from "../../tests/pair/shaped.ts";
import { endpointTunnel } from "../../tests/sim/endpoint_tunnel.ts";
import type { PingFlow } from "../../tests/sim/flows/ping.ts";
import type { Samples } from "../../tests/sim/flows/samples.ts";
import { StreamFlow } from "../../tests/sim/flows/stream.ts";
import { CLIENT, SERVER, type Side } from "../../tests/sim/packet.ts";
import * as sim from "../../tests/sim/scenario.ts";
import { cuts, lineCount, mtuSteps, type RateStep, rateSteps } from "./capacity.ts";
import type { Measured, Scenario, Traffic, Way } from "./scenario.ts";
import { meanBetween, STEP_SECONDS } from "./series.ts";

const IP_UDP_BYTES = 28;
const WARM_UP_SECONDS = sim.WARM_UP_US / 1e6;
/** Seconds of the run without load that the idle ping is taken from. */
const IDLE_SECONDS = 1;

/**
 * Runs a case in the simulator; undefined for those it cannot run. Throws InvariantError when the
 * tunnel breaks a rule.
 */
export function simulate(scenario: Scenario, seed: number): Measured | undefined {
  const { action, network } = scenario;
  if (action.kind !== "traffic" || action.traffic.over !== "tunnel") return undefined;
  if ("cables" in network) return undefined;
  const { traffic } = action;
  const translated = translate(scenario, traffic);
  const watch = new Watch(traffic);
  sim.runScenario(translated, endpointTunnel, {
    seed,
    seconds: traffic.seconds - WARM_UP_SECONDS + STEP_SECONDS,
    onStep: (run) => watch.onStep(run),
  });
  const idlePing = traffic.ping && idle(translated, seed);
  return { ...watch.measured(), ...idlePing && { idlePing } };
}

function idle(scenario: sim.Scenario, seed: number): EchoReport | undefined {
  let ping: PingFlow | undefined;
  sim.runScenario({ ...scenario, flows: 0 }, endpointTunnel, {
    seed,
    seconds: IDLE_SECONDS,
    onStep: (run) => ping = run.ping,
  });
  return ping && echoReport(ping);
}

function translate(scenario: Scenario, traffic: Traffic): sim.Scenario {
  return {
    name: scenario.name,
    links: Array.from({ length: lineCount(scenario) }, (_, i) => linkOf(scenario, i)),
    from: sideOf(traffic.way),
    configured: scenario.program.rates !== undefined,
    flows: traffic.flows,
    beside: (traffic.outside ?? []).map((link) => ({
      kind: "outside",
      link,
      congestion: "cubic",
    })),
  };
}

function sideOf(way: Way): Side {
  return way === "up" ? CLIENT : SERVER;
}

function linkOf(scenario: Scenario, line: number): LinkSpec {
  return {
    name: `line${line + 1}`,
    up: directionOf(scenario, line, "up"),
    down: directionOf(scenario, line, "down"),
  };
}

function directionOf(scenario: Scenario, line: number, way: Way): DirectionSpec {
  const shape = shapeOf(scenario, line, way);
  return {
    ...likeShape(shape, virtualUs(0)),
    ...!shape.trace && { rate: new EventRate(rateSteps(scenario, line, way)) },
    mtuSchedule: mtuSteps(scenario, line, way).map(({ at, mtu }) => ({
      atUs: virtualUs(at),
      mtuBytes: mtu || Infinity,
    })),
    blackholes: cuts(scenario, line, way).map(({ from, to }) => ({
      fromUs: virtualUs(from),
      toUs: virtualUs(to),
    })),
  };
}

function shapeOf(scenario: Scenario, line: number, way: Way): Partial<Shape> {
  return "cables" in scenario.network ? {} : scenario.network.lines[line]?.[way] ?? {};
}

/** Seconds after the traffic began as virtual time. */
function virtualUs(seconds: number): number {
  return sim.START_US + seconds * 1e6;
}

/** A rate that steps with the events of a case. */
class EventRate implements RateSchedule {
  readonly #steps: readonly { readonly fromUs: number; readonly bps: number }[];

  constructor(steps: readonly RateStep[]) {
    this.#steps = steps.map(({ at, bps }, i) => ({ fromUs: i === 0 ? 0 : virtualUs(at), bps }));
  }

  finish(at: number, bytes: number): number {
    let bits = bytes * 8;
    let time = at;
    for (const [i, { bps }] of this.#steps.entries()) {
      const end = this.#steps[i + 1]?.fromUs ?? Infinity;
      if (end <= time) continue;
      const neededUs = bits * 1e6 / bps;
      if (time + neededUs <= end) return time + neededUs;
      bits -= bps * (end - time) / 1e6;
      time = end;
    }
    return time;
  }

  meanBps(fromUs: number, toUs: number): number {
    const bits = this.#steps.reduce((sum, { fromUs: begin, bps }, i) => {
      const end = this.#steps[i + 1]?.fromUs ?? Infinity;
      return sum + bps * Math.max(0, Math.min(end, toUs) - Math.max(begin, fromUs));
    }, 0);
    return bits / (toUs - fromUs);
  }
}

/** Reads a run every 100 ms of virtual time. */
class Watch {
  readonly #traffic: Traffic;
  readonly #from: Side;
  readonly #flowBytes: number[][] = [];
  readonly #lineBytes: number[][] = [];
  #run: sim.Run | undefined;
  #stream: StreamFlow | undefined;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    this.#from = sideOf(traffic.way);
  }

  onStep(run: sim.Run): void {
    if (this.#run === undefined) this.#addStream(run);
    this.#run = run;
    this.#flowBytes.push(run.bulk.map(({ goodBytes }) => goodBytes));
    this.#lineBytes.push(
      run.simulation.lines.map(({ link }) => link[this.#traffic.way].leftBytes),
    );
  }

  measured(): Measured {
    const { bulk = [], ping, simulation } = this.#run ?? {};
    const { seconds, warmUpSeconds } = this.#traffic;
    const flows = bulk.map((flow, i) => {
      const samples = growth(this.#flowBytes, i).map((bytes, step): TcpSample => ({
        at: virtualUs((step + 1) * STEP_SECONDS),
        bytes,
        gapUs: 0,
      }));
      const rates = samples.map(({ bytes }) => bytes * 8 / STEP_SECONDS);
      return {
        samples,
        bps: meanBetween(rates, warmUpSeconds, seconds),
        totalBytes: flow.goodBytes,
        longestGapUs: 0,
        congestionControl: "cubic",
        retransmits: flow.sender.resent,
      };
    });
    const lines = simulation?.lines.map((_, i) =>
      growth(this.#lineBytes, i).map((bytes) => bytes * 8 / STEP_SECONDS)
    );
    return {
      flows,
      ...lines && { lines },
      ...this.#stream && { stream: this.#streamReport(this.#stream) },
      ...this.#traffic.ping && ping && { loadedPing: echoReport(ping) },
    };
  }

  #addStream({ simulation }: sim.Run): void {
    const { stream } = this.#traffic;
    if (stream === undefined) return;
    const { packetsPerSecond, sizeBytes } = stream;
    const bytes = sizeBytes + IP_UDP_BYTES;
    this.#stream = simulation.addFlow(
      sim.START_US,
      (port) => new StreamFlow(simulation, port, { from: this.#from, packetsPerSecond, bytes }),
    );
  }

  #streamReport(flow: StreamFlow): StreamReport {
    const { sent, delivered } = flow.ledgers[this.#from];
    return {
      sent,
      received: delivered,
      duplicates: 0,
      reordered: 0,
      longestGapUs: flow.longestGapUs,
      longestGapAt: flow.longestGapAt,
      owdUs: percentilesOf(flow.delays),
    };
  }
}

/** By how much column `i` of counters grew from row to row. */
function growth(rows: readonly (readonly number[])[], i: number): number[] {
  return rows.slice(1).map((row, step) => (row[i] ?? 0) - (rows[step]?.[i] ?? 0));
}

function echoReport(ping: PingFlow): EchoReport {
  const received = ping.roundTrips.count;
  return {
    sent: received + ping.lost,
    received,
    firstAnswerUs: NaN,
    longestGapUs: NaN,
    rttUs: percentilesOf(ping.roundTrips),
  };
}

function percentilesOf(samples: Samples): EchoReport["rttUs"] {
  const at = (share: number): number => samples.quantile(share);
  return { min: at(0), p50: at(0.5), p99: at(0.99), max: at(1) };
}
