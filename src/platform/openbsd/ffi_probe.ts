/**
 * Whether Deno may call C functions often on this CPU: see `symbols.ts`.
 *
 * A child process calls one until Deno has generated code for it. Where the kernel enforces
 * landing instructions that this code lacks, the child dies of SIGILL, as the tunnel would later.
 *
 * @module
 */

import type { ReadCommand } from "../command_output.ts";
import type { HostFinding } from "../platform.ts";

/** Calls after which a function is surely optimized: V8 does so after some thousands. */
const CALLS = 200_000;

/** Returns a finding when calls of `library` end the process; nothing when they do not. */
export function probeFastCalls(
  read: ReadCommand,
  deno: string = Deno.execPath(),
  library: string = "libc.so",
): HostFinding[] {
  const program = `
    const symbols = { getppid: { parameters: [], result: "i32" } };
    const { getppid } = Deno.dlopen(${JSON.stringify(library)}, symbols).symbols;
    function call() { return getppid(); }
    let sum = 0;
    for (let i = 0; i < ${CALLS}; i++) sum += call();
    console.log(sum > 0 ? "called" : "not called");`;
  const { signal } = read([deno, "eval", "--ext=js", program]);
  if (signal !== "SIGILL") return [];
  return [{
    severity: "error",
    message: "Deno's calls of C functions are killed on this CPU (SIGILL: no IBT or BTI landing)",
    hint: "Install a deno package that is linked with -z nobtcfi, and report this, please.",
  }];
}
