/**
 * Says where a CPU profile of V8 spent its time, by module and by function, not counting callees.
 *
 *     deno run -A bench/profile.ts FILE.cpuprofile [ROWS]
 *
 * docs/performance.md says how to take one of the daemon. Time in the kernel and in C libraries
 * counts towards the calling function.
 *
 * @module
 */

/** The parts of the format that matter here (Chrome DevTools Protocol, `Profiler.Profile`). */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** From 0. */
      readonly lineNumber: number;
    };
  }[];
  /** Ids of the nodes on top of the stack. */
  readonly samples: readonly number[];
  /** Microseconds from one sample to the next. */
  readonly timeDeltas: readonly number[];
}

/** Time of one module or function. */
export interface Share {
  readonly name: string;
  readonly us: number;
}

/** V8's name for the time when no JavaScript ran. */
const IDLE = "(idle)";

/** Self times by module and by function, longest first; idle time is left out. */
export function sharesOf(profile: Profile): { modules: Share[]; functions: Share[] } {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const modules = new Map<string, number>();
  const functions = new Map<string, number>();
  const add = (to: Map<string, number>, name: string, us: number): void =>
    void to.set(name, (to.get(name) ?? 0) + us);
  profile.samples.forEach((id, i) => {
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === IDLE) return;
    const us = profile.timeDeltas[i] ?? 0;
    const module = frame.url.replace(/^.*\/(?=(?:src|node_modules)\/)/, "");
    add(modules, module || frame.functionName, us);
    const place = module ? ` ${module}:${frame.lineNumber + 1}` : "";
    add(functions, `${frame.functionName || "(anonymous)"}${place}`, us);
  });
  return { modules: sorted(modules), functions: sorted(functions) };
}

function sorted(times: ReadonlyMap<string, number>): Share[] {
  return [...times].map(([name, us]) => ({ name, us })).sort((a, b) => b.us - a.us);
}

/** The longest shares as lines, in percent of all. */
export function sharesText(shares: readonly Share[], rows: number): string[] {
  const total = shares.reduce((sum, { us }) => sum + us, 0);
  return shares.slice(0, rows).map(({ name, us }) =>
    `${(us / total * 100).toFixed(1).padStart(6)} %  ${name}`
  );
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

if (import.meta.main) {
  const [file = "", rows = "20"] = Deno.args;
  const { modules, functions } = sharesOf(JSON.parse(await Deno.readTextFile(file)) as Profile);
  print("by module");
  sharesText(modules, Number(rows)).forEach(print);
  print("by function");
  sharesText(functions, Number(rows)).forEach(print);
}
