/**
 * `make bench-links`: what the tunnel makes of emulated lines, with real TCP,
 * as ratios to the sum of the lines. Prints a table and writes
 * `build/bench-links.json`.
 *
 *     deno run -A bench/links.ts [--case NAME]... [--runs N] [--list] [--verbose]
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { missingForProgram } from "../tests/lab/require.ts";
import { measure } from "./links/measure.ts";
import { HEADING, type Result, resultsOf, rowText } from "./links/report.ts";
import type { Measured, Scenario } from "./links/scenario.ts";
import { SCENARIOS } from "./links/scenarios.ts";

const OUTPUT = new URL("../build/bench-links.json", import.meta.url).pathname;

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}

async function runCase(scenario: Scenario, runs: number): Promise<Result[]> {
  const measured: Measured[] = [];
  for (let run = 0; run < runs; run++) measured.push(await measure(scenario, run + 1));
  return resultsOf(scenario, measured);
}

function failedCase(scenario: Scenario, error: unknown): Result[] {
  complain(`${scenario.name}: ${error instanceof Error ? error.message : error}`);
  return resultsOf(scenario, []);
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["case", "runs"],
    boolean: ["list", "verbose"],
    collect: ["case"],
    default: { runs: "1" },
  });
  const names = (args.case ?? []) as unknown as readonly string[];
  const chosen = SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name));
  if (args.list) {
    SCENARIOS.forEach(({ name, title }) => print(`${name.padEnd(16)}${title}`));
    return 0;
  }
  const missing = chosen.length === 0 ? "no such case; --list shows them" : missingForProgram();
  if (missing !== undefined) {
    complain(`The bench cannot run: ${missing}`);
    return 1;
  }
  print(HEADING);
  const results: Result[] = [];
  for (const scenario of chosen) {
    const rows = await runCase(scenario, Math.max(1, Number(args.runs)))
      .catch((error) => failedCase(scenario, error));
    rows.forEach((row, i) => print(rowText(row, i === 0)));
    if (args.verbose) print(`  CPU ${rows[0]?.cpu.map((share) => share.toFixed(2)).join(" ")}`);
    results.push(...rows);
  }
  await Deno.writeTextFile(OUTPUT, JSON.stringify({ version: 1, results }, null, 2) + "\n");
  const failed = results.filter(({ pass }) => pass === false).length;
  const passed = results.filter(({ pass }) => pass === true).length;
  print(`\n${passed} targets reached, ${failed} missed; written to build/bench-links.json`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
