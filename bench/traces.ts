/**
 * `make bench-traces` and `make bench-peer`: how much of lines that vary the tunnel makes usable,
 * with real TCP and QUIC, next to each line alone and to the simulator:
 *
 *     TRACES=folder deno run -A bench/traces.ts [--scenario NAME,...] [--peer] [--down] [--up]
 *                  [--by cubic|bbr|quic-cubic|quic-bbr,...] [--runs N] [--no-alone] [--no-sim]
 *                  [--picture FILE.svg]
 *
 * Without `--scenario` it plays the recordings of the folder that TRACES names; with `--peer` the
 * profiles of a published comparison, downwards as there. With several runs a row is the median of
 * each figure. `--picture` draws the first run of the last case over time. AGGVPN_BINARY names
 * another program to measure.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { missingForProgram } from "../lab/require.ts";
import type { Carrier } from "../lab/traffic.ts";
import { COMPARED, type LineSet, MADE_UP, recordedIn } from "../lab/varying_lines.ts";
import { simulatedPercent } from "../tests/sim/traces.ts";
import { type Figures, measureLines, measureTunnel, type Way } from "./traces/measure.ts";
import { drawCourse } from "./traces/picture.ts";

const CARRIERS: readonly Carrier[] = ["cubic", "bbr", "quic-cubic", "quic-bbr"];
const NAME_WIDTH = 30;

interface Options {
  readonly runs: number;
  readonly alone: boolean;
  readonly sim: boolean;
  /** Where a picture goes. */
  readonly picture: string | undefined;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

function header(): string {
  return `${
    "case".padEnd(NAME_WIDTH)
  } Mbit/s  %sum   sim | ping p50   p99   max | call p50   p99  lost`;
}

function row(name: string, runs: readonly Figures[], simulated?: number): string {
  const median = (read: (figures: Figures) => number): number => {
    const values = runs.map(read).sort((a, b) => a - b);
    return values[values.length >> 1]!;
  };
  const cell = (width: number, digits: number, read: (figures: Figures) => number): string =>
    median(read).toFixed(digits).padStart(width);
  return [
    name.padEnd(NAME_WIDTH),
    cell(6, 2, ({ bps }) => bps / 1e6),
    cell(5, 1, ({ percent }) => percent),
    (simulated?.toFixed(1) ?? "").padStart(5),
    "|",
    cell(8, 0, ({ ping }) => ping.rttUs.p50 / 1000),
    cell(5, 0, ({ ping }) => ping.rttUs.p99 / 1000),
    cell(5, 0, ({ ping }) => ping.rttUs.max / 1000),
    "|",
    cell(8, 0, ({ call }) => call.owdUs.p50 / 1000),
    cell(5, 0, ({ call }) => call.owdUs.p99 / 1000),
    cell(5, 0, ({ call }) => call.sent - call.received),
  ].join(" ");
}

async function runCase(set: LineSet, way: Way, carrier: Carrier, options: Options): Promise<void> {
  const simulated = options.sim ? simulatedPercent(set, way, carrier) : undefined;
  const tunnel: Figures[] = [];
  const lines: Figures[][] = [];
  for (let seed = 1; seed <= options.runs; seed++) {
    const { figures, course } = await measureTunnel(set, way, carrier, seed);
    tunnel.push(figures);
    if (seed === 1 && options.picture) Deno.writeTextFileSync(options.picture, drawCourse(course));
    if (options.alone) lines.push(await measureLines(set, way, carrier, seed));
  }
  print(row(`${set.name} ${way} ${carrier}`, tunnel, simulated));
  if (!options.alone) return;
  set.lines.forEach((_, i) => print(row(`  line ${i + 1} alone`, lines.map((run) => run[i]!))));
}

/** The sets of the names given; all recordings, or the comparison, when there are none. */
function choose(names: string | undefined, peer: boolean): readonly LineSet[] {
  const recorded = recordedIn(Deno.env.get("TRACES"));
  if (names === undefined) return peer ? COMPARED : recorded;
  const all = [...recorded, ...MADE_UP, ...COMPARED];
  return names.split(",").map((name) => {
    const found = all.find((set) => set.name === name);
    if (found !== undefined) return found;
    throw new Error(
      `No lines are called "${name}": there are ${all.map((s) => s.name).join(", ")}`,
    );
  });
}

function carriersOf(names: string): Carrier[] {
  return names.split(",").map((name) => {
    const found = CARRIERS.find((carrier) => carrier === name);
    if (found !== undefined) return found;
    throw new Error(`Nothing is carried by "${name}": there are ${CARRIERS.join(", ")}`);
  });
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["scenario", "by", "runs", "picture"],
    boolean: ["peer", "down", "up", "alone", "sim"],
    negatable: ["alone", "sim"],
    default: { alone: true, sim: true },
  });
  const sets = choose(args.scenario, args.peer);
  const missing = sets.length === 0
    ? "name a folder of recordings: TRACES=folder"
    : missingForProgram();
  if (missing !== undefined) {
    Deno.stderr.writeSync(new TextEncoder().encode(`The bench cannot run: ${missing}\n`));
    return 1;
  }
  const carriers = carriersOf(
    args.by ?? (args.peer ? "cubic,bbr,quic-bbr" : "cubic,bbr,quic-cubic"),
  );
  const both = args.down === args.up && !args.peer;
  const ways: Way[] = both ? ["down", "up"] : [args.up ? "up" : "down"];
  const options = {
    runs: Math.max(1, Number(args.runs ?? 1)),
    alone: args.alone,
    sim: args.sim,
    picture: args.picture,
  };
  print(header());
  for (const set of sets) {
    for (const way of ways) {
      for (const carrier of carriers) await runCase(set, way, carrier, options);
    }
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());
