/**
 * The Deno runtime for each architecture, as npm has it.
 *
 * @module
 */

import { runTool } from "./tree.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** Architectures of packages: as Debian calls them, and where their runtime is in the tree. */
export const RUNTIMES = {
  amd64: { project: "tools/deno", file: "node_modules/@deno/linux-x64-glibc/deno" },
  arm64: { project: "tools/deno/arm64", file: "node_modules/@deno/linux-arm64-glibc/deno" },
} as const;

/** One of {@linkcode RUNTIMES}. */
export type Architecture = keyof typeof RUNTIMES;

/** Returns the path of a runtime, got from npm if need be. Throws when it cannot be had. */
export async function runtimeFor(architecture: Architecture): Promise<string> {
  const project = `${ROOT}${RUNTIMES[architecture].project}`;
  const path = `${project}/${RUNTIMES[architecture].file}`;
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  // `--force`: npm would refuse what does not run on this host.
  const args = ["ci", "--force", "--ignore-scripts", "--no-audit", "--no-fund"];
  await runTool("npm", [...args, "--loglevel=error", "--prefix", project]);
  return path;
}
