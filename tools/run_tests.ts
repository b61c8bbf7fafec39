/**
 * Runs tests in lanes that go beside each other, each a `deno test` of its own:
 *
 *     run_tests.ts [--filter=WORDS] [--no-check] PATH...
 *
 * A lane of `tests/lanes.ts` runs what is asked for of its files; one more lane runs everything
 * else that is asked for. Their output comes in the order of the lanes, each as a whole, and then
 * one line like Deno's own that counts all of them.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { LANES } from "../tests/lanes.ts";

/** What labs have to tidy up after a signal. */
const TIDY_MS = 10_000;
const SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** What one `deno test` runs. */
export interface Share {
  readonly paths: readonly string[];
  readonly ignored: readonly string[];
}

/** What is asked for, by lanes: those given, and the one of everything else; none is empty. */
export function sharesOf(
  asked: readonly string[],
  lanes: readonly (readonly string[])[],
): Share[] {
  const targets = asked.map(normalized);
  const own = lanes.map((files): Share => ({
    paths: files.filter((file) => targets.some((target) => isIn(file, target))),
    ignored: [],
  }));
  const taken = lanes.flat();
  // Of the folder of a lane nothing is left.
  const folders = new Set(taken.map((file) => file.slice(0, file.lastIndexOf("/"))));
  const left = targets.filter((target) => !taken.includes(target) && !folders.has(target));
  const rest: Share = {
    paths: left,
    ignored: taken.filter((file) => left.some((target) => isIn(file, target))),
  };
  return [...own, rest].filter(({ paths }) => paths.length > 0);
}

function normalized(path: string): string {
  return path.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** What Deno counts in its closing line. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/**
 * Reads the closing line, `ok | 2 passed (1 step) | 0 failed | 1 ignored (9ms)`; undefined without
 * one, as when the tests could not be loaded.
 */
export function parseCounts(output: string): Counts | undefined {
  // deno-lint-ignore no-control-regex -- colours
  const plain = output.replaceAll(/\x1b\[[\d;]*m/g, "");
  const [passed, failed, ignored] = [
    ...plain.matchAll(
      /^(?:ok|FAILED) \| (\d+) passed\b.*? \| (\d+) failed\b(?:.*? \| (\d+) ignored)?/gm,
    ),
  ].at(-1)?.slice(1) ?? [];
  if (passed === undefined || failed === undefined) return undefined;
  return { passed: Number(passed), failed: Number(failed), ignored: Number(ignored ?? 0) };
}

/** What Deno says of the tests that failed, one after the other; empty when none did. */
export function errorsOf(output: string): string {
  // deno-lint-ignore no-control-regex -- colours
  return /^(?:\x1b\[\d+m)* ERRORS .*\n\n([^]*?\n)\n^(?:\x1b\[\d+m)* FAILURES /m.exec(output)?.[1] ??
    "";
}

/** The closing line of all shares. */
export function closingLine(counts: readonly Counts[], isWell: boolean, seconds: number): string {
  const sum = (count: keyof Counts): number => counts.reduce((n, one) => n + one[count], 0);
  const ignored = sum("ignored") > 0 ? ` | ${sum("ignored")} ignored` : "";
  const time = `${Math.floor(seconds / 60)}m${Math.floor(seconds % 60)}s`;
  const word = isWell ? "ok" : "FAILED";
  return `${word} | ${sum("passed")} passed | ${sum("failed")} failed${ignored} (${time})`;
}

/** The output of a share: kept until its turn, then shown as it comes. */
class Output {
  text = "";
  #isShown = false;

  async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      this.text += chunk;
      if (this.#isShown) print(chunk);
    }
  }

  show(): void {
    print(this.text);
    this.#isShown = true;
  }
}

function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** A share while it runs. */
interface Running {
  readonly child: Deno.ChildProcess;
  readonly output: Output;
  /** Success, once everything it said has been read. */
  readonly ended: Promise<boolean>;
}

function start({ paths, ignored }: Share, flags: readonly string[]): Running {
  const isColored = Deno.stdout.isTerminal() && !Deno.noColor;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--quiet", ...flags],
      // An empty list would leave out everything.
      ...ignored.length > 0 ? [`--ignore=${ignored}`] : [],
      ...paths,
    ],
    stdout: "piped",
    stderr: "piped",
    ...isColored && { env: { FORCE_COLOR: "1" } },
  }).spawn();
  const output = new Output();
  const read = Promise.all([output.read(child.stdout), output.read(child.stderr)]);
  return { child, output, ended: read.then(() => child.status).then(({ success }) => success) };
}

/** Runs shares to their ends, with `flags` of `deno test`; returns the exit status. */
export async function run(shares: readonly Share[], flags: readonly string[]): Promise<number> {
  const begin = performance.now();
  const running = shares.map((share) => start(share, flags));
  let stopped = false;
  const kill = (signal: Deno.Signal): void => {
    for (const { child } of running) {
      try {
        child.kill(signal);
      } catch { /* it has ended */ }
    }
  };
  const stop = (): void => {
    stopped = true;
    kill("SIGTERM");
    setTimeout(() => kill("SIGKILL"), TIDY_MS);
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, stop);
  let isWell = true;
  const counts: Counts[] = [];
  for (const [i, { output, ended }] of running.entries()) {
    output.show();
    const succeeded = await ended;
    const counted = parseCounts(output.text);
    if (counted === undefined) print(`The tests of ${shares[i]!.paths.join(" ")} did not end\n`);
    else counts.push(counted);
    isWell &&= succeeded && counted !== undefined;
  }
  for (const signal of SIGNALS) Deno.removeSignalListener(signal, stop);
  if (shares.length > 1) {
    // Again, where one looks first: thousands of lines may have come since.
    const errors = running.map(({ output }) => errorsOf(output.text)).join("");
    if (errors !== "") print(`\n ERRORS \n\n${errors}`);
    print(`${closingLine(counts, isWell, (performance.now() - begin) / 1000)}\n`);
  }
  return stopped ? 130 : isWell ? 0 : 1;
}

if (import.meta.main) {
  const { _: asked, filter = "", check } = parseArgs(Deno.args, {
    string: ["filter", "_"],
    boolean: ["check"],
    negatable: ["check"],
    default: { check: true },
  });
  const flags = [`--filter=${filter}`, ...check ? [] : ["--no-check"]];
  Deno.exit(await run(sharesOf(asked.map(String), LANES), flags));
}
