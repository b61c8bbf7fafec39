/**
 * Plays lines that vary in the simulator, and prints how much of them the tunnel makes usable:
 *
 *     TRACES=folder deno run -A tests/sim/traces.ts [--scenario NAME,...] [--down] [--up]
 *                  [--flow cubic|bbr|quic-cubic|quic-bbr|udp|none,...] [--beside video|playback]
 *                  [--seeds N] [--seed S] [--seconds N] [--no-alone] [--trace]
 *
 * The recordings T1, T7, T11 and T12 need the folder; made up lines and those of a published
 * comparison (M01 to M16) do not. Without `--scenario` it plays all recordings, or the made up
 * lines when there are none; without `--down` and `--up` both ways. Each case is followed by its
 * lines alone: the flow without a tunnel, and through it. With several seeds a row is the median of
 * each figure. Besides the flow there are a ping, a call and what `--beside` says: a video call of
 * 1.5 Mbit/s or a film of 5, told by the seconds that it stood still. `--trace` prints a line per
 * 100 ms of the tunnel over all lines.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { COMPARED, type LineSet, MADE_UP, recordedIn } from "../../lab/varying_lines.ts";
import { linksOf } from "../pair/shaped.ts";
import { endpointTunnel } from "./endpoint_tunnel.ts";
import type { Samples } from "./flows/samples.ts";
import { NullTunnel } from "./null_tunnel.ts";
import { CLIENT, SERVER } from "./packet.ts";
import {
  type Run,
  runScenario,
  type Scenario,
  START_US,
  streamOf,
  type Traffic,
} from "./scenario.ts";
import { Tracer } from "./trace.ts";
import type { TunnelFactory } from "./tunnel.ts";

const WARM_UP_SECONDS = 2;
/** A call: one packet of 160 bytes each 10 ms. */
const CALL = { kind: "stream", packetsPerSecond: 100, bytes: 188 } as const;
/** How much of the sum of the lines a flow of UDP sends. */
const UDP_SHARE = 1.2;
const FLOWS = ["cubic", "bbr", "quic-cubic", "quic-bbr", "udp", "none"] as const;
const VIDEO = { kind: "video", mbps: 1.5 } as const;
/** 1080p. */
const PLAYBACK = { kind: "playback", mbps: 5 } as const;

type FlowName = typeof FLOWS[number];
type Way = "down" | "up";

/** What is told of one run, in Mbit/s, percent and milliseconds. */
interface Figures {
  readonly goodput: number;
  readonly percent: number;
  readonly ping: readonly number[];
  readonly call: readonly number[];
  readonly callLost: number;
  readonly frozen: number;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

/** A set of lines with one flow, a ping and a call. */
function scenarioOf(
  set: LineSet,
  way: Way,
  flow: FlowName,
  lines = set.lines,
  beside: readonly Traffic[] = [],
): Scenario {
  const links = linksOf(lines, START_US);
  const seconds = set.seconds - WARM_UP_SECONDS;
  const measuredUs = START_US + WARM_UP_SECONDS * 1e6;
  const sumMbps = links.reduce(
    (sum, link) => sum + link[way].rate.meanBps(measuredUs, measuredUs + seconds * 1e6) / 1e6,
    0,
  );
  const common: Scenario = {
    name: `${set.name}-${way}`,
    links,
    from: way === "up" ? CLIENT : SERVER,
    warmUpSeconds: WARM_UP_SECONDS,
    seconds,
  };
  if (flow === "cubic" || flow === "bbr") {
    return { ...common, congestion: [flow], beside: [CALL, ...beside] };
  }
  if (flow === "none") return { ...common, flows: 0, beside: [CALL, ...beside] };
  const load: Traffic = flow === "udp"
    ? { kind: "udp", mbps: UDP_SHARE * sumMbps }
    : { kind: "quic", congestion: flow === "quic-bbr" ? "bbr" : "cubic" };
  return { ...common, flows: 0, beside: [load, CALL, ...beside] };
}

function figuresOf(
  scenario: Scenario,
  factory: (scenario: Scenario) => TunnelFactory,
  seed: number,
  tracer?: Tracer,
): Figures {
  let run: Run | undefined;
  const onStep = (now: Run): void => {
    run = now;
    tracer?.onStep(now);
  };
  const result = runScenario(scenario, factory, { seed, onStep });
  const stream = streamOf(run!);
  return {
    goodput: result.goodputMbps,
    percent: result.percentOfSum,
    ping: timesOf(run!.ping.roundTrips),
    call: stream ? timesOf(stream.delays) : [],
    callLost: result.streamLost,
    frozen: result.frozenS,
  };
}

/** What the tunnel over all lines of `set` makes of their sum, in percent. */
export function simulatedPercent(set: LineSet, way: Way, flow: FlowName): number {
  return figuresOf(scenarioOf(set, way, flow), endpointTunnel, 1).percent;
}

/** The 99th percentile of a call's delay, and what was lost of it, beside `flow` over all lines. */
export function simulatedCall(
  set: LineSet,
  flow: FlowName,
): { readonly p99Ms: number; readonly lost: number } {
  const { call, callLost } = figuresOf(scenarioOf(set, "down", flow), endpointTunnel, 1);
  return { p99Ms: call[P99]!, lost: callLost };
}

/** Mean, median, 95th and 99th percentile and maximum in milliseconds. */
function timesOf(samples: Samples): number[] {
  const at = (fraction: number): number => samples.quantile(fraction);
  return [samples.mean, at(0.5), at(0.95), at(0.99), at(1)].map((us) => us / 1000);
}

function medianOf(runs: readonly Figures[]): Figures {
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
  const each = (read: (run: Figures) => number): number => middle(runs.map(read));
  const times = (read: (run: Figures) => readonly number[]): number[] =>
    read(runs[0]!).map((_, i) => each((run) => read(run)[i]!));
  return {
    goodput: each((run) => run.goodput),
    percent: each((run) => run.percent),
    ping: times((run) => run.ping),
    call: times((run) => run.call),
    callLost: each((run) => run.callLost),
    frozen: each((run) => run.frozen),
  };
}

const NAME_WIDTH = 32;
const TIMES = ["mean", "p50", "p95", "p99", "max"];
const P99 = TIMES.indexOf("p99");

function header(): string {
  const times = (of: string): string => `${of}: ${TIMES.map((time) => time.padStart(5)).join(" ")}`;
  return `${"case".padEnd(NAME_WIDTH)} Mbit/s  %sum | ${times("ping")} | ${
    times("call")
  }  lost  frozen`;
}

function row(name: string, { goodput, percent, ping, call, callLost, frozen }: Figures): string {
  const times = (values: readonly number[]): string =>
    values.map((value) => value.toFixed(0).padStart(5)).join(" ");
  return `${name.padEnd(NAME_WIDTH)} ${goodput.toFixed(2).padStart(6)} ${
    percent.toFixed(1).padStart(5)
  } |       ${times(ping)} |       ${times(call)} ${callLost.toFixed(0).padStart(5)}${
    Number.isNaN(frozen) ? "" : frozen.toFixed(2).padStart(8)
  }`;
}

/** Plays a set one way, then each of its lines alone. */
function play(set: LineSet, way: Way, flow: FlowName, options: Options): void {
  const measure = (
    name: string,
    scenario: Scenario,
    factory: (scenario: Scenario) => TunnelFactory,
    traced = false,
  ): void => {
    const tracer = traced ? new Tracer(print) : undefined;
    const runs = options.seeds.map((seed) => figuresOf(scenario, factory, seed, tracer));
    print(row(name, medianOf(runs)));
  };
  const name = `${set.name} ${way} ${flow}`;
  measure(
    name,
    scenarioOf(set, way, flow, set.lines, options.beside),
    endpointTunnel,
    options.trace,
  );
  if (!options.alone) return;
  set.lines.forEach((line, i) => {
    const alone = scenarioOf(set, way, flow, [line], options.beside);
    measure(`  line ${i + 1} without tunnel`, alone, () => (context) => new NullTunnel(context));
    measure(`  line ${i + 1} through tunnel`, alone, endpointTunnel);
  });
}

interface Options {
  readonly seeds: readonly number[];
  readonly alone: boolean;
  readonly beside: readonly Traffic[];
  readonly trace: boolean;
}

function chosen(names: string | undefined): readonly LineSet[] {
  const recorded = recordedIn(Deno.env.get("TRACES"));
  const all = [...recorded, ...MADE_UP, ...COMPARED];
  if (names === undefined) return recorded.length > 0 ? recorded : MADE_UP;
  return names.split(",").map((name) => {
    const found = all.find((set) => set.name === name);
    if (found !== undefined) return found;
    throw new Error(
      `No lines are called "${name}": there are ${all.map((set) => set.name).join(", ")}`,
    );
  });
}

function besideOf(name: string | undefined): readonly Traffic[] {
  if (name === undefined) return [];
  const found = [VIDEO, PLAYBACK].find(({ kind }) => kind === name);
  if (found !== undefined) return [found];
  throw new Error(`Nothing is called "${name}": there are video and playback`);
}

function isFlow(name: string): name is FlowName {
  return (FLOWS as readonly string[]).includes(name);
}

function main(): void {
  const args = parseArgs(Deno.args, {
    string: ["scenario", "flow", "beside", "seeds", "seed", "seconds"],
    boolean: ["down", "up", "trace", "alone"],
    negatable: ["alone"],
    default: { alone: true },
  });
  const flows = (args.flow ?? "cubic").split(",").map((name) => {
    if (isFlow(name)) return name;
    throw new Error(`No flow is called "${name}": there are ${FLOWS.join(", ")}`);
  });
  const ways: Way[] = args.down === args.up ? ["down", "up"] : [args.down ? "down" : "up"];
  const options: Options = {
    seeds: Array.from({ length: Number(args.seeds ?? 1) }, (_, i) => Number(args.seed ?? 1) + i),
    alone: args.alone,
    beside: besideOf(args.beside),
    trace: args.trace,
  };
  print(header());
  for (const set of chosen(args.scenario)) {
    const shown = args.seconds === undefined
      ? set
      : { ...set, lines: set.lines, seconds: Number(args.seconds) };
    for (const way of ways) for (const flow of flows) play(shown, way, flow, options);
  }
}

if (import.meta.main) main();
