/**
 * Says in one line what stops network namespaces from working here and how to get it:
 * `preflight.ts TARGET` fails then, `preflight.ts TARGET --warn` goes on without.
 *
 * @module
 */

import { missingForLab } from "../tests/lab/namespaces.ts";

const [target, mode] = Deno.args;
const missing = missingForLab();
if (missing !== undefined) {
  const line = mode === "--warn"
    ? `make ${target} skipped what needs network namespaces: ${missing}`
    : `make ${target} needs network namespaces: ${missing}`;
  Deno.stderr.writeSync(new TextEncoder().encode(line + "\n"));
  if (mode !== "--warn") Deno.exit(1);
}
