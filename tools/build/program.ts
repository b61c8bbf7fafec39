/**
 * The program as every kind of build begins with it: one bundle with its commit and the dashboard, its version.
 *
 * @module
 */

import { bundle } from "./bundle.ts";
import { buildPage } from "./page.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The bundle and what it is called. */
export interface Program {
  readonly program: string;
  readonly version: string;
}

/** Bundles the sources. */
export async function buildProgram(): Promise<Program> {
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)) as {
    version: string;
  };
  const parts = { commit: await commit(), page: await buildPage() };
  return { program: await bundle(`${ROOT}main.ts`, parts), version };
}

/** Short hash of the commit, with `-dirty` if there are changes; undefined outside git. */
async function commit(): Promise<string | undefined> {
  const args = ["describe", "--always", "--dirty", "--exclude=*"];
  try {
    const git = await new Deno.Command("git", { args, cwd: ROOT, stderr: "null" }).output();
    return git.success ? new TextDecoder().decode(git.stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
