/**
 * `deno compile`, when its runtime base is available: from `DENORT_BIN`, from an earlier download,
 * or from the network now. Never waits long for a network.
 *
 * @module
 */

import { RUN_FLAGS } from "./bundle.ts";

const RUNTIME_HOST = "https://dl.deno.land/";
const REACH_TIMEOUT_MS = 3_000;
const COMPILE_TIMEOUT_MS = 120_000;

/** Why `deno compile` can work here, or undefined. */
export async function runtimeBase(): Promise<string | undefined> {
  if (Deno.env.get("DENORT_BIN")) return "DENORT_BIN";
  const { deno } = Deno.version;
  const denoDir = await denoDirectory();
  const zip = `${denoDir}/dl/release/v${deno}/denort-${Deno.build.target}.zip`;
  if (await Deno.stat(zip).then(() => true, () => false)) return zip;
  const reached = fetch(RUNTIME_HOST, {
    method: "HEAD",
    signal: AbortSignal.timeout(REACH_TIMEOUT_MS),
  });
  return await reached.then(() => "the network", () => undefined);
}

async function denoDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string }).denoDir;
}

/** Compiles the bundle `script` to `out`; false, with the reason on stderr, when it cannot. */
export async function compile(script: string, out: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["compile", "--quiet", "--no-check", ...RUN_FLAGS, "-o", out, script],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
      signal: AbortSignal.timeout(COMPILE_TIMEOUT_MS),
    }).output();
    return success;
  } catch {
    return false;
  }
}
