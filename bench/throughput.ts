/**
 * `make bench-throughput`: how fast the tunnel is where only the CPU limits it, over bare veth
 * cables, next to the cables themselves and other tunnels on the same machine. Prints a table and
 * writes `build/bench-throughput.json`.
 *
 *     deno run -A bench/throughput.ts [--case NAME]... [--runs N] [--soak SECONDS]
 *                                 [--peers] [--list]
 *
 * `--runs` measures everything N times, in turn, and takes the medians; `--soak SECONDS` looks at
 * memory at full speed instead; `--peers` says how to get the other tunnels; AGGVPN_BINARY names
 * another program to measure.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { missingForProgram } from "../lab/require.ts";
import { measure, type Sample } from "./throughput/measure.ts";
import { HOW_TO_GET, PEERS } from "./throughput/peers.ts";
import { HEADING, machineText, rowsText, summarize, type Summary } from "./throughput/report.ts";
import { soak } from "./throughput/soak.ts";
import { FALLBACK, ONE_LINK, RAW, type Subject, TWO_LINKS } from "./throughput/subject.ts";
import { type Verdict, verdictsOf, verdictText } from "./throughput/targets.ts";

const JSON_FILE = new URL("../build/bench-throughput.json", import.meta.url).pathname;
const SUBJECTS: readonly Subject[] = [RAW, ONE_LINK, TWO_LINKS, FALLBACK, ...PEERS];

/** Shorter says nothing: samples come every 5 s. */
const LEAST_SOAK_SECONDS = 50;
const MOST_RSS_BYTES = 120 * 2 ** 20;

/** What the columns mean. */
const EXPLANATION: readonly string[] = [
  "One TCP flow from server to client, 10 s after 3 s of warm-up: payload per second, and per GB",
  "of payload the CPU time of each end's process; its memory at the end of the transfer. Small",
  "datagrams: 160 bytes of UDP payload the same way for 2 s at rising rates, the highest at which",
  "none was lost (each rate is tried twice). Round trip: median of 200 through the idle tunnel,",
  "less that of the cable. Status: the slowest answer of either end while TCP ran. others: CPU",
  "that went to programs outside of the measurement.",
];

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}

/** Returns what can be measured, and why the rest cannot. */
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

/** Measures every subject `runs` times, in turn; failures are reported and left out. */
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

/** Runs one link for `seconds` and prints its memory; returns 1 when that grows or is too much. */
async function runSoak(seconds: number): Promise<number> {
  if (!(seconds >= LEAST_SOAK_SECONDS)) {
    complain(`--soak takes seconds, at least ${LEAST_SOAK_SECONDS}`);
    return 2;
  }
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  print(`${ONE_LINK.title}, one TCP flow for ${seconds} s; MiB of client and server`);
  const { tcpBps, memory } = await soak(ONE_LINK, seconds, (at, { client, server }) => {
    if (at % 30 === 0) print(`${`${at}`.padStart(6)} s ${mib(client)} ${mib(server)}`);
  });
  print(`${(tcpBps / 1e9).toFixed(2)} Gbit/s`);
  for (const [side, { least, most, early, late, isFlat }] of Object.entries(memory)) {
    print(
      `${side}: ${mib(least)} to ${mib(most)} MiB, ${mib(early)} early and ${mib(late)} late: ` +
        (isFlat ? "flat" : "GROWS"),
    );
  }
  const ends = Object.values(memory);
  return ends.every(({ isFlat, most }) => isFlat && most <= MOST_RSS_BYTES) ? 0 : 1;
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["case", "runs", "soak"],
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
  if (args.soak !== undefined) return await runSoak(Number(args.soak));
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
