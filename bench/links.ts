/**
 * `make bench-links`: how much the tunnel gets out of emulated lines, with real TCP, as ratios to
 * the sum of the lines, next to what it gets in the simulator. Prints a table and writes
 * `build/bench-links.json` and `build/bench-links.svg`.
 *
 *     deno run -A bench/links.ts [--group NAME]... [--case NAME]... [--runs N]
 *                                [--no-sim] [--no-lab] [--trace] [--list] [--verbose]
 *
 * The groups are `basics`, `targets`, `mtu`, `mobile` and `shared`; `--no-lab` uses only the
 * simulator and needs no root. Recordings are played by `traces.ts`.
 * `--runs` takes the medians of N runs; `--trace` prints a line per second of what lines and tunnel
 * did; AGGVPN_BINARY names another program to measure.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { missingForProgram } from "../lab/require.ts";
import { measure } from "./links/measure.ts";
import { type Course, courseOf, drawCourses } from "./links/picture.ts";
import { EXPLANATION, HEADING, type Result, resultsOf, rowText } from "./links/report.ts";
import { type Measured, type Scenario, withLineAlone } from "./links/scenario.ts";
import { GROUPS, SCENARIOS } from "./links/scenarios.ts";
import { simulate } from "./links/simulated.ts";

const JSON_FILE = new URL("../build/bench-links.json", import.meta.url).pathname;
const PICTURE_FILE = new URL("../build/bench-links.svg", import.meta.url).pathname;

/** What the command line asks for. */
interface Options {
  readonly runs: number;
  readonly sim: boolean;
  readonly lab: boolean;
  readonly trace: boolean;
  readonly verbose: boolean;
}

/** All results of one case. */
interface Outcome {
  readonly runs: readonly Measured[];
  readonly simulated: readonly Measured[];
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}

/** Runs a case, and its best line alone if the case asks for that. */
async function withBest<M extends Measured | undefined>(
  scenario: Scenario,
  how: (scenario: Scenario) => M | Promise<M>,
): Promise<M> {
  const measured = await how(scenario);
  if (scenario.best === undefined || measured === undefined) return measured;
  const alone = await how(withLineAlone(scenario, scenario.best));
  return { ...measured, alone };
}

/** Calls `once` for every run; failures are reported and left out. */
async function repeat(
  scenario: Scenario,
  runs: number,
  once: (seed: number) => Promise<Measured | undefined>,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (let seed = 1; seed <= runs; seed++) {
    try {
      const run = await once(seed);
      if (run !== undefined) measured.push(run);
    } catch (error) {
      complain(`${scenario.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return measured;
}

async function runCase(scenario: Scenario, options: Options): Promise<Outcome> {
  const { runs, lab, sim, trace } = options;
  const measureOnce = (seed: number): Promise<Measured> =>
    withBest(scenario, (it) => measure(it, { seed, trace }));
  const simulateOnce = (seed: number): Promise<Measured | undefined> =>
    withBest(scenario, (it) => simulate(it, seed));
  if (!lab) return { runs: await repeat(scenario, runs, simulateOnce), simulated: [] };
  return {
    runs: await repeat(scenario, runs, measureOnce),
    simulated: await repeat(scenario, sim ? runs : 0, simulateOnce),
  };
}

function printCase(rows: readonly Result[], { runs }: Outcome, options: Options): void {
  rows.forEach((row, i) => print(rowText(row, i === 0)));
  if (options.verbose) print(`  CPU ${rows[0]?.cpu.map((share) => share.toFixed(2)).join(" ")}`);
  runs.forEach((run, i) => {
    if (run.trace && runs.length > 1) print(`  run ${i + 1}`);
    run.trace?.forEach((line) => print(`  ${line}`));
  });
}

async function runAll(chosen: readonly Scenario[], options: Options): Promise<number> {
  EXPLANATION.forEach(print);
  if (!options.lab) print("Nothing is measured: all figures are the simulator's.");
  print(`\n${HEADING}`);
  const results: Result[] = [];
  const courses: Course[] = [];
  for (const scenario of chosen) {
    const outcome = await runCase(scenario, options);
    if (!options.lab && outcome.runs.length === 0) continue;
    const rows = resultsOf(scenario, outcome.runs, outcome.simulated);
    printCase(rows, outcome, options);
    results.push(...rows);
    const shown = outcome.runs.at(-1);
    if (scenario.picture && shown) {
      courses.push(courseOf(scenario, shown, outcome.simulated.at(-1)));
    }
  }
  const failed = results.filter(({ pass }) => pass === false).length;
  const passed = results.filter(({ pass }) => pass === true).length;
  print(`\n${passed} targets reached, ${failed} missed`);
  if (options.lab) await writeFiles(results, courses);
  return failed === 0 ? 0 : 1;
}

/** Writes the results; the picture only when there is something to show. */
async function writeFiles(results: readonly Result[], courses: readonly Course[]): Promise<void> {
  await Deno.writeTextFile(
    JSON_FILE,
    JSON.stringify({ version: 1, results, courses }, null, 2) + "\n",
  );
  if (courses.length > 0) await Deno.writeTextFile(PICTURE_FILE, drawCourses(courses));
  print(`written to ${courses.length > 0 ? `${JSON_FILE} and .svg` : JSON_FILE}`);
}

/** The cases of the groups and names given; all when neither is. */
function choose(groups: readonly string[], names: readonly string[]): readonly Scenario[] {
  if (groups.length === 0 && names.length === 0) return SCENARIOS;
  const wanted = new Set(groups.flatMap((group) => GROUPS[group] ?? []));
  return SCENARIOS.filter((scenario) => wanted.has(scenario) || names.includes(scenario.name));
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["group", "case", "runs"],
    boolean: ["list", "verbose", "trace", "sim", "lab"],
    negatable: ["sim", "lab"],
    collect: ["group", "case"],
    default: { runs: "1", sim: true, lab: true },
  });
  if (args.list) {
    for (const [group, scenarios] of Object.entries(GROUPS)) {
      scenarios.forEach(({ name, title }) => print(`${group.padEnd(9)}${name.padEnd(16)}${title}`));
    }
    return 0;
  }
  const [groups, names] = [args.group ?? [], args.case ?? []] as unknown as readonly string[][];
  const chosen = choose(groups ?? [], names ?? []);
  const nothing = chosen.length === 0 ? "no such case; --list shows them" : undefined;
  const missing = nothing ?? (args.lab ? missingForProgram() : undefined);
  if (missing !== undefined) {
    complain(`The bench cannot run: ${missing}`);
    return 1;
  }
  return await runAll(chosen, {
    runs: Math.max(1, Number(args.runs)),
    sim: args.sim,
    lab: args.lab,
    trace: args.trace,
    verbose: args.verbose,
  });
}

if (import.meta.main) Deno.exit(await main());
