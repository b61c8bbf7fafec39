/**
 * Prints the goodput table of the simulator:
 *
 *     deno run tests/sim/table.ts [--only TEXT]... [--seconds N] [--seed S]
 *                                 [--runs N] [--wake US] [--tunnel endpoint|null] [--trace]
 *                                 [--snapshot]
 *
 * `--only` keeps the scenarios whose name contains TEXT (exactly, with a leading `=`); `--runs`
 * takes the medians of N seeds; `--trace` prints a line per 100 ms. `--snapshot` rewrites
 * `tests/sim/table.snapshot.txt`, with which a test compares its measurements.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { formatHeader, formatResult, medianResult } from "./format.ts";
import { NullTunnel } from "./null_tunnel.ts";
import { type Result, type RunOptions, runScenario, type Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { replayCommand, runForSnapshot, snapshotHeader, snapshotRow } from "./snapshot.ts";
import { Tracer } from "./trace.ts";
import type { TunnelFactory } from "./tunnel.ts";

const SNAPSHOT = new URL("./table.snapshot.txt", import.meta.url);

type MakeTunnel = (scenario: Scenario) => TunnelFactory;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

async function loadTunnel(name: string): Promise<MakeTunnel> {
  if (name === "null") return () => (context) => new NullTunnel(context);
  return (await import("./endpoint_tunnel.ts")).endpointTunnel;
}

function runSeeds(
  scenario: Scenario,
  make: MakeTunnel,
  seeds: readonly number[],
  options: RunOptions,
): Result | string {
  const results: Result[] = [];
  for (const seed of seeds) {
    try {
      results.push(runScenario(scenario, make, { ...options, seed }));
    } catch (error) {
      const text = error instanceof Error ? `${error.message}\n${error.stack}` : error;
      return `FAILED: ${text}\nReplay: ${replayCommand(scenario, seed)}`;
    }
  }
  return medianResult(results);
}

function writeSnapshot(make: MakeTunnel): void {
  const rows = [snapshotHeader()];
  for (const scenario of SCENARIOS) {
    rows.push(snapshotRow(scenario.name, runForSnapshot(scenario, make)));
    print(rows.at(-1)!);
  }
  Deno.writeTextFileSync(SNAPSHOT, rows.join("\n") + "\n");
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["only", "seconds", "seed", "runs", "wake", "tunnel"],
    boolean: ["trace", "snapshot"],
  });
  const make = await loadTunnel(args.tunnel ?? "endpoint");
  if (args.snapshot) return writeSnapshot(make);
  const seeds = Array.from(
    { length: Number(args.runs ?? 1) },
    (_, i) => i + Number(args.seed ?? 1),
  );
  const only = args.only ?? "";
  const chosen = SCENARIOS.filter(({ name }) =>
    only.startsWith("=") ? name === only.slice(1) : name.includes(only)
  );
  if (chosen.length === 0) {
    const names = SCENARIOS.map(({ name }) => `  ${name}`).join("\n");
    throw new Error(`No scenario is called "${only}": there are\n${names}`);
  }
  if (!args.trace) print(formatHeader());
  for (const scenario of chosen) {
    const options: RunOptions = {
      ...(args.seconds === undefined ? {} : { seconds: Number(args.seconds) }),
      ...(args.wake === undefined ? {} : { wakeUs: Number(args.wake) }),
    };
    const tracer = new Tracer(print);
    const onStep = args.trace ? { onStep: tracer.onStep.bind(tracer) } : {};
    const start = performance.now();
    const result = runSeeds(scenario, make, seeds, { ...options, ...onStep });
    if (args.trace) print(formatHeader());
    print(formatResult(scenario.name, result, performance.now() - start));
  }
}

if (import.meta.main) await main();
