/**
 * Tests that need the lab; where it is not available they are skipped and say so.
 *
 * @module
 */

import { allOf, type HostTool, missingTool, skippedFor } from "../tests/host_tools.ts";
import { type Lab, missingForLab, withLab } from "./namespaces.ts";

/** The built program that demo, benches and end-to-end tests run; AGGVPN_BINARY names another. */
export const BINARY = Deno.env.get("AGGVPN_BINARY") ??
  new URL("../build/aggvpn", import.meta.url).pathname;

/** Why the program cannot be run here, in one line; undefined when it can. */
export function missingForProgram(): string | undefined {
  const missing = missingForLab();
  if (missing !== undefined) return missing;
  try {
    Deno.statSync(BINARY);
    return undefined;
  } catch {
    return `no ${BINARY}: run make build first`;
  }
}

/** A test that runs in a lab of its own. */
export function labTest(name: string, body: (lab: Lab) => Promise<void>): void {
  define(name, missingForLab(), body);
}

/** A test that runs the built program in a lab of its own, with further tools of the host. */
export function programTest(
  name: string,
  body: (lab: Lab) => Promise<void>,
  ...tools: readonly HostTool[]
): void {
  define(name, allOf(missingForProgram(), missingTool(...tools)), body);
}

function define(
  name: string,
  missing: string | undefined,
  body: (lab: Lab) => Promise<void>,
): void {
  Deno.test({
    ...skippedFor(missing, name),
    // Children of a lab write to pipes that close a moment after the test.
    sanitizeResources: false,
    sanitizeOps: false,
    fn: () => withLab(body),
  });
}

/** Calls `attempt` until it returns true or `timeoutMs` has passed; tells which. */
export async function eventually(
  attempt: () => boolean | Promise<boolean>,
  timeoutMs: number,
  everyMs = 50,
): Promise<boolean> {
  for (const end = performance.now() + timeoutMs;;) {
    if (await attempt()) return true;
    if (performance.now() >= end) return false;
    await delay(everyMs);
  }
}

/** Waits, for the length of a measurement; never in the hope that something will have happened. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
