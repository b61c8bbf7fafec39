/**
 * aggvpn: joins several internet links into one encrypted tunnel.
 *
 * @module
 */

import { run } from "./src/cli/main.ts";

if (import.meta.main) Deno.exit(await run(Deno.args));
