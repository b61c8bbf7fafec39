/**
 * Which way this process calls C functions: see `c_library.ts`.
 *
 * A stub that lacks its landing instruction kills the process only once V8 has compiled a caller,
 * seconds after packets start to flow. So a child process finds out: it has a caller compiled and
 * calls through the stub. If it dies of SIGILL, or nothing can be learnt from it, this process does
 * without stubs.
 *
 * @module
 */

import { AggvpnError } from "../errors.ts";
import type { CallWay } from "./c_library.ts";
import type { ReadCommand } from "./command_output.ts";
import type { HostFinding } from "./platform.ts";

/** Environment variable that decides: `stubs`, `libffi`, or `probe` to find out. */
export const CALLS_VARIABLE = "AGGVPN_CALLS";
const SETTINGS: readonly string[] = ["stubs", "libffi", "probe"];

/** The way, and what there is to say about it. */
export interface CallChoice {
  readonly way: CallWay;
  readonly findings: readonly HostFinding[];
}

/** What is needed to find out. */
export interface CallProbe {
  readonly read: ReadCommand;
  /** Path of the program that runs this one. */
  readonly deno: string;
  /** Library with getppid(2), by its name. */
  readonly library: string;
}

/**
 * Chooses by `setting`, which is one of `stubs`, `libffi` and `probe`. Throws AggvpnError for
 * anything else. A probe takes about a tenth of a second.
 */
export function chooseCalls(setting: string, probe: () => CallProbe): CallChoice {
  if (!SETTINGS.includes(setting)) {
    throw new AggvpnError(`Cannot call C functions by ${CALLS_VARIABLE}=${setting}`, {
      hint: `Set it to one of ${SETTINGS.join(", ")}, or not at all.`,
    });
  }
  if (setting === "stubs") return { way: "stubs", findings: [] };
  if (setting === "libffi") return { way: "libffi", findings: [] };
  switch (probeStubs(probe())) {
    case "called":
      return { way: "stubs", findings: [] };
    case "killed":
      return { way: "libffi", findings: [LANDING_ENFORCED] };
    case "unknown":
      return { way: "libffi", findings: [PROBE_FAILED] };
  }
}

/**
 * Returns a function that tells how this process calls C: as the environment says or else as
 * `usual` says, found out when it is first called.
 */
export function callChoice(usual: CallWay | "probe", probe: () => CallProbe): () => CallChoice {
  let choice: CallChoice | undefined;
  return () => choice ??= chooseCalls(Deno.env.get(CALLS_VARIABLE) ?? usual, probe);
}

const LANDING_ENFORCED: HostFinding = {
  severity: "warning",
  message: "Calls to C are slower: this CPU (IBT or BTI) refuses the stubs that Deno makes",
  hint: "Nothing to do: they go through libffi, and fast lines cost a little more of the CPU.",
};

const PROBE_FAILED: HostFinding = {
  severity: "warning",
  message: "Calls to C are slower: the stubs that Deno makes could not be tried on this CPU",
  hint: `Please report this. ${CALLS_VARIABLE}=stubs uses them anyway.`,
};

/** How a probe ended. */
export type ProbeResult = "called" | "killed" | "unknown";

/** Has a child call a stub; tells what became of it. */
export function probeStubs({ read, deno, library }: CallProbe): ProbeResult {
  // The limit keeps a child that dies from leaving a core file of hundreds of megabytes.
  const limited = ["/bin/sh", "-c", 'ulimit -c 0; exec "$0" "$@"', deno, "eval", "--ext=js"];
  const { output, signal } = read([...limited, V8_FLAG, probeProgram(library)]);
  if (signal === "SIGILL") return "killed";
  return output === "called\n" ? "called" : "unknown";
}

/** Lets a program say when a function is to be compiled, instead of waiting for it. */
const V8_FLAG = "--v8-flags=--allow-natives-syntax";

/**
 * More than enough calls for V8 to compile the caller by itself, should it ignore the request: it
 * does so after some thousands.
 */
const CALLS = 200_000;

function probeProgram(library: string): string {
  return `
    const symbols = { getppid: { parameters: [], result: "i32" } };
    const { getppid } = Deno.dlopen(${JSON.stringify(library)}, symbols).symbols;
    function call() { return getppid(); }
    %PrepareFunctionForOptimization(call);
    let sum = call() + call();
    %OptimizeFunctionOnNextCall(call);
    for (let i = 0; i < ${CALLS}; i++) sum += call();
    if (sum > 0) console.log("called");`;
}
