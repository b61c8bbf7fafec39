/**
 * A scenario is data: lines, traffic, duration. Running one gives a {@linkcode Result}; the
 * invariants are checked throughout.
 *
 * @module
 */

import type { Duplicate } from "../../src/duplicate.ts";
import type { Schedule } from "../../src/schedule.ts";
import type { RuleOptions } from "../../src/rule_options.ts";
import type { DirectionSpec, LinkSpec } from "../pair/link.ts";
import { Timer } from "../pair/timer.ts";
import { BulkFlow } from "./flows/bulk.ts";
import { OutsideNetwork } from "./flows/outside.ts";
import { PingFlow } from "./flows/ping.ts";
import { PlaybackFlow } from "./flows/playback.ts";
import { QuicFlow } from "./flows/quic.ts";
import { RequestFlow } from "./flows/requests.ts";
import { StreamFlow } from "./flows/stream.ts";
import { VideoFlow } from "./flows/video.ts";
import type { Node, Stalls } from "./node.ts";
import { CLIENT, SERVER, type Side } from "./packet.ts";
import { FLOW_PORT, Simulation } from "./simulation.ts";
import type { CongestionName } from "./tcp/congestion.ts";
import type { TunnelFactory } from "./tunnel.ts";

/** When traffic begins: the tunnel has come up by then. */
export const START_US = 500_000;
/** What is not measured: slow start and finding the rates. */
export const WARM_UP_US = 3_000_000;
/** Window for finding the time to full speed. */
const RAMP_STEP_US = 100_000;
/** Largest packet of the TUN interfaces, until a tunnel says otherwise: 1500 less the overhead of the tunnel. */
export const INNER_MTU = 1434;

/** Largest packet of somebody who uses a line without the tunnel. */
const LINE_MTU = 1500;

/** What is to be simulated. */
export interface Scenario {
  readonly name: string;
  readonly links: readonly LinkSpec[];
  /** Which side sends the bulk data; the server (a download) when absent. */
  readonly from?: Side;
  /** Whether the tunnel is told the capacities. */
  readonly configured?: boolean;
  /** Bulk transfers; one when absent. */
  readonly flows?: number;
  /** Congestion control of the bulk transfers, in turn; CUBIC when absent. */
  readonly congestion?: readonly CongestionName[];
  /** What is not measured at first, in whole seconds; {@linkcode WARM_UP_US} when absent. */
  readonly warmUpSeconds?: number;
  /** Measured time without the warm-up; 10 when absent. */
  readonly seconds?: number;
  /** How many seeds its snapshot row is the median of, where chance matters; 1 when absent. */
  readonly seeds?: number;
  /**
   * Packets of the bulk per thousand that may leave the tunnel after a later one, as they must
   * when a line is silent for longer than packets are held; 10 when absent.
   */
  readonly latePerMille?: number;
  /** Rules of both ends for some packets. */
  readonly rules?: readonly RuleOptions[];
  /** For interactive packets to which no such rule applies; "needed" when absent. */
  readonly duplicate?: Duplicate;
  /** How links share; "fast" when absent. */
  readonly schedule?: Schedule;
  /** Largest packet of the TUN interfaces at first; {@linkcode INNER_MTU} when absent. */
  readonly mtu?: number;
  /** When the tunnel's processes do not run, because their hosts are busy; never when absent. */
  readonly stalls?: Stalls;
  /** What runs beside the bulk, in its direction. */
  readonly beside?: readonly Traffic[];
}

/** Traffic that is not a bulk transfer. Rates of packets are per second, sizes those of IP packets. */
export type Traffic =
  /** A stream that must not be disturbed; with `tos` it says so. */
  | {
    readonly kind: "stream";
    readonly packetsPerSecond: number;
    readonly bytes: number;
    readonly tos?: number;
  }
  /** A transfer by QUIC, which counts as goodput. */
  | { readonly kind: "quic"; readonly congestion: CongestionName }
  /** UDP at the given rate, which counts as goodput. */
  | { readonly kind: "udp"; readonly mbps: number }
  /** A transfer by TCP over one of the lines, without the tunnel, from the beginning or for a while. */
  | {
    readonly kind: "outside";
    readonly link: number;
    readonly congestion: CongestionName;
    readonly seconds?: readonly { readonly from: number; readonly to: number }[];
  }
  /** A transfer by TCP through another tunnel over some of the lines. */
  | { readonly kind: "tunnel"; readonly lines: readonly number[] }
  /** The picture of a video call of this rate. */
  | { readonly kind: "video"; readonly mbps: number }
  /** A film of this rate that the client watches. */
  | { readonly kind: "playback"; readonly mbps: number }
  /** Answers of the server of this many bytes, one after another. */
  | { readonly kind: "requests"; readonly responseBytes: number; readonly thinkMs: number };

/** What came out. */
export interface Result {
  readonly goodputMbps: number;
  /** Goodput as a percentage of the capacities while they were there. */
  readonly percentOfSum: number;
  /** From the start of the bulk until 80 % of the mean goodput; NaN when never. */
  readonly rampS: number;
  /** Round trip of a ping under load: median, and the 95th percentile. */
  readonly loadedRttMs: number;
  readonly loadedRtt95Ms: number;
  /** What the receiving side's resequencer reports; NaN when it reports nothing. */
  readonly p99HoldUs: number;
  /** Datagrams dropped by queues of the lines, and lost on them otherwise. */
  readonly queueDrops: number;
  readonly lineLosses: number;
  /** Datagrams that a line dropped because they were above its MTU. */
  readonly tooBig: number;
  /** Packets dropped at a TUN interface: its queue was full, or they were above its mtu. */
  readonly tunDrops: number;
  /** Packets that left the tunnel after a later one of their flow. */
  readonly late: number;
  /** Packets of the bulk that never came out. */
  readonly lost: number;
  /** Segments that TCP sent again. */
  readonly resent: number;
  /** Of the stream; NaN without one. */
  readonly longestGapMs: number;
  readonly streamLost: number;
  /** 99th percentile of the stream's one-way delay. */
  readonly delay99Ms: number;
  /** Time from a request to the end of its answer; NaN without requests. */
  readonly requestMs: number;
  readonly request95Ms: number;
  /** What flows outside the tunnel got, in Mbit/s; NaN without any. */
  readonly outsideMbps: number;
  /** Jain's index over the bulk transfers; NaN for one. */
  readonly fairness: number;
  /** How long the picture of a video call, or a film, stood still; NaN without either. */
  readonly frozenS: number;
}

/** What may be varied from run to run. */
export interface RunOptions {
  readonly seed?: number;
  readonly seconds?: number;
  readonly wakeUs?: number;
  readonly mtu?: number;
  /** Called every 100 ms of virtual time. */
  readonly onStep?: (run: Run) => void;
}

/** A scenario while it runs. */
export interface Run {
  readonly scenario: Scenario;
  readonly simulation: Simulation;
  readonly bulk: readonly BulkFlow[];
  /** Those that do not use the tunnel, and do not count. */
  readonly outside: readonly BulkFlow[];
  /** Other tunnels. */
  readonly others: readonly Simulation[];
  /** Traffic that counts beside it. */
  readonly udp: readonly (StreamFlow | QuicFlow)[];
  readonly ping: PingFlow;
  /** The node that sends the bulk data, and the other. */
  readonly sending: Node;
  readonly receiving: Node;
}

/** Runs a scenario; throws InvariantError when an invariant is broken. */
export function runScenario(
  scenario: Scenario,
  factory: (scenario: Scenario) => TunnelFactory,
  options: RunOptions = {},
): Result {
  const run = openRun(scenario, factory, options);
  const { simulation } = run;
  const measuredUs = measuredFromUs(scenario);
  const endUs = measuredUs + 1e6 * (options.seconds ?? scenario.seconds ?? 10);
  const progress: number[] = [];
  let before: number[] = [];
  let outsideBefore = 0;
  for (let at = START_US; at < endUs; at += RAMP_STEP_US) {
    simulation.runUntil(at);
    progress.push(goodBytesOf(run));
    if (at === measuredUs) {
      before = run.bulk.map((flow) => flow.goodBytes);
      outsideBefore = outsideBytesOf(run);
    }
    options.onStep?.(run);
  }
  simulation.runUntil(endUs);
  progress.push(goodBytesOf(run));
  const result = resultOf(run, progress, endUs);
  const outsideMbps = run.outside.length === 0
    ? NaN
    : (outsideBytesOf(run) - outsideBefore) * 8 / (endUs - measuredUs);
  for (const flow of run.outside) flow.stop();
  const frozenS = frozenSecondsOf(run);
  const goodBytes = run.bulk.map((flow, i) => flow.goodBytes - before[i]!);
  const outsideBytes = outsideMbps * (endUs - measuredUs) / 8;
  const fairness = jain(run.others.length > 0 ? [...goodBytes, outsideBytes] : goodBytes);
  simulation.finish();
  for (const other of run.others) other.finish();
  return {
    ...result,
    frozenS,
    fairness,
    outsideMbps,
    lost: lostOf(run),
    streamLost: streamOf(run)?.lost ?? NaN,
  };
}

function openRun(
  scenario: Scenario,
  factory: (scenario: Scenario) => TunnelFactory,
  options: RunOptions,
): Run {
  const { links, from = SERVER, flows = 1, congestion = ["cubic"], beside = [] } = scenario;
  const { seed = 1, wakeUs = 60, mtu = scenario.mtu ?? INNER_MTU } = options;
  const { stalls } = scenario;
  const simulation = new Simulation({
    seed,
    links,
    tunnel: factory(scenario),
    wakeUs,
    mtu,
    stalls,
  });
  const bulk = Array.from({ length: flows }, (_, i) => {
    const bulkOptions = { from, mtu, congestion: congestion[i % congestion.length]! };
    const make = (port: number): BulkFlow => new BulkFlow(simulation, port, bulkOptions);
    return simulation.addFlow(START_US + i * 10_000, make);
  });
  const udp = beside.flatMap((traffic): (StreamFlow | QuicFlow)[] => {
    if (traffic.kind === "udp") return [addUdp(simulation, from, traffic.mbps, mtu)];
    if (traffic.kind !== "quic") return [];
    const quic = { from, mtu, congestion: traffic.congestion };
    return [simulation.addFlow(START_US, (port) => new QuicFlow(simulation, port, quic))];
  });
  const others: Simulation[] = [];
  const outside = beside.flatMap((traffic): BulkFlow[] => {
    if (traffic.kind === "outside") return addOutside(simulation, from, traffic);
    if (traffic.kind !== "tunnel") return [];
    const there = { ...scenario, links: traffic.lines.map((line) => links[line]!) };
    const over = { simulation, lines: traffic.lines };
    const other = new Simulation({ seed, links: [], tunnel: factory(there), wakeUs, mtu, over });
    others.push(other);
    const bulkOptions = { from, mtu, congestion: congestion[0]! };
    return [other.addFlow(START_US, (port) => new BulkFlow(other, port, bulkOptions))];
  });
  const ping = simulation.addFlow(
    measuredFromUs(scenario),
    (port) => new PingFlow(simulation, port, 100_000),
  );
  for (const traffic of beside) addTraffic(simulation, scenario, mtu, traffic);
  const [sending, receiving] = from === CLIENT
    ? [simulation.client, simulation.server]
    : [simulation.server, simulation.client];
  return { scenario, simulation, bulk, outside, others, udp, ping, sending, receiving };
}

/** Constant-rate UDP in full packets; begins with the bulk. */
function addUdp(simulation: Simulation, from: Side, mbps: number, mtu: number): StreamFlow {
  const packetsPerSecond = mbps * 1e6 / (8 * mtu);
  const options = { from, packetsPerSecond, bytes: mtu };
  return simulation.addFlow(START_US, (port) => new StreamFlow(simulation, port, options));
}

/** What is there from the beginning precedes the tunnel's traffic, so that this finds it. */
function addOutside(
  simulation: Simulation,
  from: Side,
  { link, congestion, seconds = [{ from: 0, to: Infinity }] }: Extract<
    Traffic,
    { kind: "outside" }
  >,
): BulkFlow[] {
  return seconds.map((span) => {
    const network = new OutsideNetwork(simulation.queue, simulation.lines[link]!.link);
    const flow = new BulkFlow(network, FLOW_PORT, { from, mtu: LINE_MTU, congestion });
    network.flow = flow;
    new Timer(simulation.queue, () => flow.start()).set(span.from * 1e6);
    new Timer(simulation.queue, () => flow.stop()).set(span.to * 1e6);
    return flow;
  });
}

/** What is measured under load begins when there is load. */
function addTraffic(
  simulation: Simulation,
  scenario: Scenario,
  mtu: number,
  traffic: Traffic,
): void {
  const atUs = measuredFromUs(scenario);
  if (traffic.kind === "stream") {
    const options = { ...traffic, from: scenario.from ?? SERVER };
    simulation.addFlow(atUs, (port) => new StreamFlow(simulation, port, options));
  } else if (traffic.kind === "video") {
    const { from = SERVER } = scenario;
    simulation.addFlow(atUs, (port) => new VideoFlow(simulation, port, from, traffic.mbps));
  } else if (traffic.kind === "playback") {
    simulation.addFlow(atUs, (port) => new PlaybackFlow(simulation, port, mtu, traffic.mbps));
  } else if (traffic.kind === "requests") {
    const options = { ...traffic, mtu, thinkUs: traffic.thinkMs * 1000 };
    simulation.addFlow(atUs, (port) => new RequestFlow(simulation, port, options));
  }
}

/** Virtual time at which measuring begins. */
function measuredFromUs({ warmUpSeconds }: Scenario): number {
  return START_US + (warmUpSeconds === undefined ? WARM_UP_US : warmUpSeconds * 1e6);
}

/** The stream whose gaps and delays are told: the first that is no load itself, or the load. */
export function streamOf({ simulation, udp }: Run): StreamFlow | undefined {
  const streams = simulation.flows.filter((flow) => flow instanceof StreamFlow);
  return streams.find((flow) => !udp.includes(flow)) ?? streams[0];
}

function frozenSecondsOf({ simulation: { flows } }: Run): number {
  let seconds = NaN;
  for (const flow of flows) {
    if (flow instanceof VideoFlow) seconds = flow.frozenUs / 1e6;
    else if (flow instanceof PlaybackFlow) {
      flow.stop();
      seconds = flow.stalledUs / 1e6;
    }
  }
  return seconds;
}

function goodBytesOf({ bulk, udp }: Run): number {
  return [...bulk, ...udp].reduce((sum, flow) => sum + flow.goodBytes, 0);
}

function outsideBytesOf({ outside }: Run): number {
  return outside.reduce((sum, flow) => sum + flow.goodBytes, 0);
}

/** What is known before the traffic ends. */
type Measured = Omit<Result, "frozenS" | "lost" | "streamLost" | "fairness" | "outsideMbps">;

function resultOf(run: Run, progress: readonly number[], endUs: number): Measured {
  const { scenario, simulation, bulk, ping } = run;
  const { from = SERVER } = scenario;
  const firstUs = measuredFromUs(scenario);
  const firstStep = (firstUs - START_US) / RAMP_STEP_US;
  const bytes = progress.at(-1)! - progress[firstStep]!;
  const goodputMbps = bytes * 8 / (endUs - firstUs);
  const queues = simulation.lines.flatMap(({ link }) => [link.upQueue, link.downQueue]);
  const ledgers = bulk.map((flow) => flow.ledgers[from]);
  const stream = streamOf(run);
  const requests = simulation.flows.find((flow) => flow instanceof RequestFlow)?.times;
  const queueDrops = queues.reduce((sum, queue) => sum + queue.drops, 0);
  const tooBig = simulation.lines.reduce(
    (sum, { link }) => sum + link.upMtu.drops + link.downMtu.drops,
    0,
  );
  const allDrops = simulation.lines.reduce(
    (sum, { link }) => sum + link.up.drops + link.down.drops,
    0,
  );
  return {
    goodputMbps,
    percentOfSum: 1e8 * goodputMbps / capacityBps(scenario, firstUs, endUs),
    rampS: rampOf(progress, goodputMbps),
    loadedRttMs: ping.roundTrips.quantile(0.5) / 1000,
    loadedRtt95Ms: ping.roundTrips.quantile(0.95) / 1000,
    p99HoldUs: run.receiving.endpoint.status(endUs)?.peers[0]?.holdP99Us ?? NaN,
    queueDrops,
    lineLosses: allDrops - queueDrops - tooBig,
    tooBig,
    tunDrops: [simulation.client, simulation.server].reduce(
      (sum, { tun, oversize }) => sum + tun.drops + oversize,
      0,
    ),
    late: ledgers.reduce((sum, ledger) => sum + ledger.late, 0),
    resent: bulk.reduce((sum, flow) => sum + flow.sender.resent, 0),
    longestGapMs: (stream?.longestGapUs ?? NaN) / 1000,
    delay99Ms: (stream?.delays.quantile(0.99) ?? NaN) / 1000,
    requestMs: (requests?.quantile(0.5) ?? NaN) / 1000,
    request95Ms: (requests?.quantile(0.95) ?? NaN) / 1000,
  };
}

/** Packets of the bulk that never came out, including those that a TUN had no room for. */
function lostOf(run: Run): number {
  const { bulk, udp, scenario: { from = SERVER } } = run;
  return [...bulk, ...udp].reduce(
    (sum, { ledgers }) => sum + ledgers[from].sent - ledgers[from].delivered,
    0,
  );
}

/** Seconds until a window of 300 ms reaches 80 % of the mean. */
function rampOf(progress: readonly number[], goodputMbps: number): number {
  const steps = 3;
  const enough = 0.8 * goodputMbps * steps * RAMP_STEP_US / 8;
  for (let i = steps; i < progress.length; i++) {
    if (progress[i]! - progress[i - steps]! >= enough) return i * RAMP_STEP_US / 1e6;
  }
  return NaN;
}

/** Mean capacity of all lines in the direction of the bulk, in bit/s. */
function capacityBps(scenario: Scenario, fromUs: number, toUs: number): number {
  const direction = (link: LinkSpec): DirectionSpec =>
    scenario.from === CLIENT ? link.up : link.down;
  return scenario.links.reduce((sum, link) => {
    const { rate, blackholes = [] } = direction(link);
    const gone = blackholes.concat(link.unplugged ?? []).reduce(
      (us, span) => us + Math.max(0, Math.min(toUs, span.toUs) - Math.max(fromUs, span.fromUs)),
      0,
    );
    return sum + rate.meanBps(fromUs, toUs) * (1 - gone / (toUs - fromUs));
  }, 0);
}

function jain(values: readonly number[]): number {
  if (values.length < 2) return NaN;
  const sum = values.reduce((a, b) => a + b, 0);
  const squares = values.reduce((a, b) => a + b * b, 0);
  return squares === 0 ? NaN : sum * sum / (values.length * squares);
}
