/**
 * Runs one case once.
 *
 * @module
 */

import { type Lab, withLab } from "../../lab/namespaces.ts";
import { attempt } from "../../lab/process.ts";
import { INNER, Program, usage } from "../../lab/program.ts";
import { BINARY, delay } from "../../lab/require.ts";
import { buildEmulated, buildVeth, type Topology } from "../../lab/topology.ts";
import { type Flow, freshPort, ping, tcpTransfer, udpStream } from "../../lab/traffic.ts";
import { MachineMeter } from "./machine.ts";
import { Recorder } from "./recorder.ts";
import type { Event, Measured, Scenario, Traffic } from "./scenario.ts";

/** How often TCP's receiver reports what came. */
const SAMPLE_US = 100_000;

/** What may be varied from run to run. */
export interface MeasureOptions {
  readonly seed: number;
  /** Whether both ends are asked for their status every second. */
  readonly trace: boolean;
}

/** Builds the case's network, runs it and removes everything. */
export async function measure(scenario: Scenario, options: MeasureOptions): Promise<Measured> {
  const { action } = scenario;
  if (action.kind === "start") return { flows: [], elapsedMs: await startUp(action.times) };
  return await withLab(async (lab) => {
    const net = await build(lab, scenario, options.seed);
    if (action.kind === "idle") return await idle(lab, net, scenario, action.seconds);
    return await loaded(lab, net, scenario, action.traffic, options.trace);
  });
}

function build(lab: Lab, { network }: Scenario, seed: number): Promise<Topology> {
  return "cables" in network
    ? buildVeth(lab, network.cables)
    : buildEmulated(lab, network.lines, { seed });
}

/** Median milliseconds that `aggvpn version` takes. */
async function startUp(times: number): Promise<number> {
  const elapsed: number[] = [];
  for (let i = 0; i <= times; i++) {
    const start = performance.now();
    await attempt([BINARY, "version"]);
    // The first one unpacks the program.
    if (i > 0) elapsed.push(performance.now() - start);
  }
  elapsed.sort((a, b) => a - b);
  return elapsed[elapsed.length >> 1] ?? NaN;
}

async function idle(
  lab: Lab,
  net: Topology,
  scenario: Scenario,
  seconds: number,
): Promise<Measured> {
  const program = await Program.start(lab, net, scenario.program);
  await delay(2000);
  const meter = new Meter(program, net);
  await delay(seconds * 1000);
  return { flows: [], ...meter.read() };
}

async function loaded(
  lab: Lab,
  net: Topology,
  scenario: Scenario,
  traffic: Traffic,
  trace: boolean,
): Promise<Measured> {
  const program = traffic.over === "tunnel"
    ? await Program.start(lab, net, scenario.program)
    : undefined;
  const idlePing = traffic.ping && await ping(lab, flowOf(net, traffic));
  const meter = new Meter(program, net);
  const { seconds, warmUpSeconds: warmupSeconds, way } = traffic;
  const events = new Schedule(net, traffic.events ?? []);
  const recorder = new Recorder(net, way, trace ? program : undefined);
  const { outside = [] } = traffic;
  const [flows, stream, loadedPing, others] = await Promise.all([
    Promise.all(
      Array.from({ length: traffic.flows }, () =>
        tcpTransfer(lab, flowOf(net, traffic), seconds, {
          warmupSeconds,
          onSample: () => events.begin(),
        })),
    ),
    traffic.stream && udpStream(lab, flowOf(net, traffic), { ...traffic.stream, seconds }),
    traffic.ping && pingUnderLoad(lab, flowOf(net, traffic), traffic, traffic.ping.intervalMs),
    Promise.all(outside.map((line) => {
      const flow = flowOf(net, { ...traffic, over: { line } });
      return tcpTransfer(lab, flow, seconds, { warmupSeconds });
    })),
  ]);
  events.end();
  const measured = meter.read();
  await recorder.stop();
  const startUs = Math.min(...flows.map(({ samples }) => samples[0]?.at ?? Infinity)) - SAMPLE_US;
  return {
    flows,
    ...others.length > 0 && { outside: others },
    ...stream && { stream },
    ...idlePing && { idlePing },
    ...loadedPing && { loadedPing },
    ...net.emulator && { lines: recorder.lines(startUs, seconds) },
    ...trace && { trace: recorder.trace(startUs) },
    ...measured,
  };
}

async function pingUnderLoad(
  lab: Lab,
  flow: Flow,
  { seconds, warmUpSeconds }: Traffic,
  intervalMs: number,
): Promise<Awaited<ReturnType<typeof ping>>> {
  await delay(warmUpSeconds * 1000);
  const count = Math.floor((seconds - warmUpSeconds - 1) * 1000 / intervalMs);
  return await ping(lab, flow, { count, intervalMs });
}

/** A fresh flow of the case's direction. */
function flowOf(net: Topology, { way, over }: Traffic): Flow {
  const line = over === "tunnel" ? undefined : net.lines[over.line];
  const ends = over === "tunnel" ? INNER : { client: line?.client, server: line?.server };
  const to = way === "down" ? "client" : "server";
  const from = way === "down" ? "server" : "client";
  return { from: net[from], to: net[to], address: ends[to] ?? "", port: freshPort() };
}

/** Changes lines at set times once traffic flows. */
class Schedule {
  readonly #net: Topology;
  readonly #events: readonly Event[];
  #timers: ReturnType<typeof setTimeout>[] | undefined;

  constructor(net: Topology, events: readonly Event[]) {
    this.#net = net;
    this.#events = events;
  }

  /** Starts the clock with the first sample of TCP; later calls do nothing. */
  begin(): void {
    this.#timers ??= this.#events.map((event) =>
      setTimeout(
        () => void this.#net.emulator?.set(event.line, event),
        Math.max(0, event.at * 1000 - SAMPLE_US / 1000),
      )
    );
  }

  /** Cancels what has not happened yet. */
  end(): void {
    this.#timers?.forEach(clearTimeout);
  }
}

/** CPU time and memory of both ends and of the emulator, from its construction on. */
class Meter {
  readonly #pids: readonly number[];
  readonly #net: Topology;
  readonly #before: readonly number[];
  readonly #emulatorBefore: number;
  readonly #start = performance.now();
  readonly #machine = new MachineMeter();

  constructor(program: Program | undefined, net: Topology) {
    this.#net = net;
    this.#pids = program ? [program.child("client").pid, program.child("server").pid] : [];
    this.#before = this.#pids.map((pid) => usage(pid).cpuSeconds);
    this.#emulatorBefore = this.#emulatorSeconds();
  }

  read(): Pick<Measured, "cpu" | "rssBytes" | "emulatorCpu" | "machine"> {
    const seconds = (performance.now() - this.#start) / 1000;
    const now = this.#pids.map(usage);
    const used = now.map(({ cpuSeconds }, i) => cpuSeconds - (this.#before[i] ?? 0));
    const emulator = this.#emulatorSeconds() - this.#emulatorBefore;
    return {
      cpu: used.map((cpuSeconds) => cpuSeconds / seconds),
      rssBytes: now.map(({ rssBytes }) => rssBytes),
      emulatorCpu: emulator / seconds,
      machine: this.#machine.read(used.reduce((sum, value) => sum + value, emulator)),
    };
  }

  #emulatorSeconds(): number {
    return this.#net.emulator ? usage(this.#net.emulator.pid).cpuSeconds : 0;
  }
}
