/**
 * `make bench-throughput`: how fast the tunnel is where only the CPU limits it, over bare
 * veth cables, beside the cables themselves and other tunnels on the same machine.
 * Prints a table and writes `build/bench-throughput.json`.
 *
 *     deno run -A bench/throughput.ts [--case NAME]... [--runs N] [--peers] [--list]
 *
 * `--runs` measures everything as often, in turn, and takes the medians; `--peers` says
 * how to get the other tunnels; AGGVPN_BINARY names another program to measure.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { missingForProgram } from "../tests/lab/require.ts";
import { measure, type Sample } from "./throughput/measure.ts";
import { HOW_TO_GET, PEERS } from "./throughput/peers.ts";
import { HEADING, machineText, rowsText, summarize, type Summary } from "./throughput/report.ts";
import { FALLBACK, ONE_LINK, RAW, type Subject, TWO_LINKS } from "./throughput/subject.ts";
import { type Verdict, verdictsOf, verdictText } from "./throughput/targets.ts";

const JSON_FILE = new URL("../build/bench-throughput.json", import.meta.url).pathname;
const SUBJECTS: readonly Subject[] = [RAW, ONE_LINK, TWO_LINKS, FALLBACK, ...PEERS];

/** What the columns mean. */
const EXPLANATION: readonly string[] = [
  "One TCP flow from server to client, 10 s after 3 s of warm-up: payload per second, and per GB",
  "of payload the CPU time of each end's process; its memory at the end of the transfer. Small",
  "datagrams: 160 bytes of UDP payload the same way for 2 s at rising rates, the highest at which",
  "none was lost (each rate is tried twice). Round trip: median of 200 through the idle tunnel,",
  "less that of the cable. others: CPU that went to programs outside of the measurement.",
];

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}

/** Splits what can be measured from why the rest cannot. */
async function sort(chosen: readonly Subject[]): Promise<{ ready: Subject[]; missing: string[] }> {
  const ready: Subject[] = [];
  const missing: string[] = [];
  for (const subject of chosen) {
    const reason = await subject.missing();
    if (reason === undefined) ready.push(subject);
    else missing.push(reason);
  }
  return { ready, missing };
}

/** Measures every subject `runs` times, in turn; what fails is said and left out. */
async function runAll(
  subjects: readonly Subject[],
  runs: number,
): Promise<Map<Subject, readonly Sample[]>> {
  const samples = new Map(subjects.map((subject) => [subject, [] as Sample[]]));
  for (let run = 1; run <= runs; run++) {
    for (const subject of subjects) {
      const name = `run ${run} of ${runs}, ${subject.title}`;
      try {
        const sample = await measure(subject);
        samples.get(subject)?.push(sample);
        print(`${name}: ${(sample.tcpBps / 1e9).toFixed(2)} Gbit/s   (${machineText(sample)})`);
      } catch (error) {
        complain(`${name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
  return samples;
}

function printTable(summaries: readonly Summary[], verdicts: readonly Verdict[]): void {
  const raw = summaries.find(({ name }) => name === RAW.name);
  print(`\n${HEADING}`);
  for (const summary of summaries) print(rowsText(summary, raw));
  if (verdicts.length > 0) print("\ntargets");
  for (const verdict of verdicts) print(verdictText(verdict));
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["case", "runs"],
    boolean: ["list", "peers"],
    collect: ["case"],
    default: { runs: "1" },
  });
  if (args.peers) return print(HOW_TO_GET), 0;
  if (args.list) {
    for (const { name, title } of SUBJECTS) print(`${name.padEnd(16)}${title}`);
    return 0;
  }
  const names = (args.case ?? []) as unknown as readonly string[];
  const chosen = SUBJECTS.filter(({ name }) => names.length === 0 || names.includes(name));
  const problem = chosen.length === 0 ? "no such case; --list shows them" : missingForProgram();
  if (problem !== undefined) {
    complain(`The bench cannot run: ${problem}`);
    return 1;
  }
  const { ready, missing } = await sort(chosen);
  EXPLANATION.forEach(print);
  if (missing.length > 0) print(`Left out: ${missing.join(", ")}; --peers says how to get peers.`);
  print("");
  const samples = await runAll(ready, Math.max(1, Number(args.runs)));
  const summaries = [...samples].filter(([, of]) => of.length > 0)
    .map(([subject, of]) => summarize(subject, of));
  const verdicts = verdictsOf(summaries);
  printTable(summaries, verdicts);
  await Deno.writeTextFile(
    JSON_FILE,
    JSON.stringify({ version: 1, results: summaries, targets: verdicts }, null, 2) + "\n",
  );
  print(`\nwritten to ${JSON_FILE}`);
  const complete = summaries.length === ready.length;
  return complete && verdicts.every(({ pass }) => pass !== false) ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
