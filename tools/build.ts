/**
 * Builds what users copy: `build/aggvpn`, one executable file, and `build/aggvpn.js`, a
 * one-file script for hosts that have `deno`; `--script` makes only the latter.
 *
 * The executable is made by `deno compile` when its runtime base is available, otherwise it is a
 * self-extracting one of the same bundle. `AGGVPN_BUILD=compile|selfextract` decides instead. What
 * has not changed is not rebuilt: the digest of every input is kept next to it.
 *
 * @module
 */

import { RUN_FLAGS } from "./build/bundle.ts";
import { compile, runtimeBase } from "./build/compile.ts";
import { buildProgram } from "./build/program.ts";
import { asScript } from "./build/script.ts";
import { gzip, packSelfExtracting, sha256 } from "./build/selfextract.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const BUILD = `${ROOT}build`;
const NAME = "aggvpn";

async function main(): Promise<void> {
  await Deno.mkdir(BUILD, { recursive: true });
  const { program, version } = await buildProgram();
  const script = await asScript({ name: NAME, version, program });
  await writeWhole(`${BUILD}/${NAME}.js`, script, 0o755);
  if (Deno.args.includes("--script")) return say(`build/${NAME}.js: a script for deno`);
  const digest = await inputsDigest(program);
  const out = `${BUILD}/${NAME}`;
  if (await textOf(`${out}.inputs`) === digest && await exists(out)) {
    return say(`build/${NAME} is up to date`);
  }
  const made = await makeExecutable(program, version, out);
  await writeWhole(`${out}.inputs`, digest, 0o644);
  const { size } = await Deno.stat(out);
  say(`build/${NAME}: ${made}, ${(size / 1e6).toFixed(1)} MB`);
}

/** Makes the executable next to `out`, tries it, and only then moves it into place. */
async function makeExecutable(program: string, version: string, out: string): Promise<string> {
  const asked = askedKind();
  const fresh = `${out}.${Deno.pid}.new`;
  try {
    if (asked === "compile" || asked === undefined && await runtimeBase()) {
      if (await compileTo(fresh, program) && await works(fresh, version)) {
        await Deno.rename(fresh, out);
        return `made by deno compile ${Deno.version.deno}`;
      }
      if (asked) throw new Error("deno compile does not work here");
      say("deno compile does not work here; making a self-extracting file");
    }
    await selfExtractTo(fresh, program, version);
    if (!await works(fresh, version)) throw new Error(`The new build/${NAME} does not run`);
    await Deno.rename(fresh, out);
    return `self-extracting, with Deno ${Deno.version.deno}`;
  } finally {
    await Deno.remove(fresh).catch(() => {});
  }
}

async function compileTo(out: string, program: string): Promise<boolean> {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/${NAME}.js`, program);
    return await compile(`${directory}/${NAME}.js`, out);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function selfExtractTo(out: string, program: string, version: string): Promise<void> {
  const runtime = await Deno.readFile(Deno.execPath());
  const bytes = await packSelfExtracting({
    name: NAME,
    version,
    program: new TextEncoder().encode(program),
    runtime,
    packedRuntime: await packedRuntime(runtime),
    flags: RUN_FLAGS,
  });
  await Deno.writeFile(out, bytes, { mode: 0o755 });
}

/** The compressed runtime, kept in build/ since it takes seconds and changes only with Deno. */
async function packedRuntime(runtime: Uint8Array): Promise<Uint8Array> {
  const kept = `${BUILD}/runtime-${(await sha256(runtime)).slice(0, 16)}.gz`;
  if (await exists(kept)) return await Deno.readFile(kept);
  const packed = await gzip(runtime);
  await writeWhole(kept, packed, 0o644);
  return packed;
}

/** Whether the file prints its version when asked. */
async function works(file: string, version: string): Promise<boolean> {
  const { success, stdout, stderr } = await new Deno.Command(file, {
    args: ["version"],
    env: { AGGVPN_CACHE_DIR: `${BUILD}/cache` },
    signal: AbortSignal.timeout(60_000),
  }).output();
  const answer = new TextDecoder().decode(stdout);
  if (success && answer.includes(version)) return true;
  say(`${file} version: ${answer}${new TextDecoder().decode(stderr)}`);
  return false;
}

/** What `AGGVPN_BUILD` asks for; undefined leaves the choice to this program. */
function askedKind(): "compile" | "selfextract" | undefined {
  const asked = Deno.env.get("AGGVPN_BUILD");
  if (!asked) return undefined;
  if (asked === "compile" || asked === "selfextract") return asked;
  throw new Error(`AGGVPN_BUILD is "${asked}": expected compile or selfextract`);
}

async function inputsDigest(program: string): Promise<string> {
  const template = await Deno.readTextFile(`${ROOT}tools/build/selfextract.sh`);
  const base = Deno.env.get("DENORT_BIN") ?? "";
  const { version: { deno }, build: { target } } = Deno;
  const inputs = [program, template, askedKind() ?? "", base, deno, target, ...RUN_FLAGS];
  return await sha256(new TextEncoder().encode(inputs.join("\0")));
}

/** Writes another file and renames it, so that two builds at once do no harm. */
async function writeWhole(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const fresh = `${path}.${Deno.pid}.new`;
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  await Deno.writeFile(fresh, bytes, { mode });
  await Deno.rename(fresh, path);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function textOf(path: string): Promise<string | undefined> {
  return await Deno.readTextFile(path).catch(() => undefined);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    Deno.stderr.writeSync(new TextEncoder().encode(`build: ${(error as Error).message}\n`));
    Deno.exit(1);
  }
}
