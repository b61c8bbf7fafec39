/**
 * Which version this is.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };

/** Version of this program, as in deno.json. */
const VERSION: string = project.version;

/** One line: version, the commit when the build put it into `AGGVPN_COMMIT`, the host. */
export function versionText(): string {
  const { AGGVPN_COMMIT } = globalThis as { AGGVPN_COMMIT?: unknown };
  const commit = typeof AGGVPN_COMMIT === "string" ? ` (${AGGVPN_COMMIT})` : "";
  const { os, arch } = Deno.build;
  return `aggvpn ${VERSION}${commit} on ${os} ${arch}, deno ${Deno.version.deno}\n`;
}
