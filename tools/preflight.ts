/**
 * Says what this host lacks and how to get it: `preflight.ts TARGET` fails when network namespaces
 * do not work, `preflight.ts TARGET --warn` lists everything that the tests have skipped.
 *
 * @module
 */

import { missingForLab, missingForNamespaces } from "../lab/namespaces.ts";
import { missingToolLines } from "../tests/host_tools.ts";

function say(lines: readonly string[]): void {
  Deno.stderr.writeSync(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
}

/** What a run of the tests leaves out here; empty when nothing. */
function skippedLines(target: string): string[] {
  const tools = missingToolLines();
  const missing = missingForNamespaces();
  return [
    ...missing ? [`make ${target} skipped what needs network namespaces: ${missing}`] : [],
    ...tools.length > 0 ? [`make ${target} skipped what needs these programs:`, ...tools] : [],
  ];
}

const [target = "", mode] = Deno.args;
if (mode === "--warn") {
  say(skippedLines(target));
} else {
  const missing = missingForLab();
  if (missing !== undefined) {
    say([`make ${target} needs network namespaces: ${missing}`]);
    Deno.exit(1);
  }
}
