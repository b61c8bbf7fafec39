/**
 * Makes what is published of a version, in `build/dist/`: for each architecture an executable file and
 * a Debian package, an archive for hosts that have deno (OpenBSD), and SHA256SUMS, signed by
 * signify(1) when SIGNIFY_KEY names a secret key.
 *
 * The same commit gives the same bytes: times are those of the commit or SOURCE_DATE_EPOCH.
 *
 * @module
 */

import { RUN_FLAGS } from "./build/bundle.ts";
import { buildProgram, type Program } from "./build/program.ts";
import { asScript } from "./build/script.ts";
import { gzip, packSelfExtracting } from "./build/selfextract.ts";
import { sourceDate } from "./build/source_date.ts";
import { writeManualPages } from "./man.ts";
import { makeDeb } from "./package/deb.ts";
import { type Architecture, runtimeFor, RUNTIMES } from "./package/runtimes.ts";
import { signSums, writeSums } from "./package/sums.ts";
import { runTool, Tree } from "./package/tree.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const NAME = "aggvpn";

/** What {@linkcode makeDist} makes of the program. */
export interface DistOptions extends Program {
  readonly date: Date;
  /** Directory for the files, which is emptied. */
  readonly out: string;
  /** Paths of the runtimes that can be had. */
  readonly runtimes: Readonly<Partial<Record<Architecture, string>>>;
  /** Path of a secret key of signify(1). */
  readonly key?: string | undefined;
}

/** Makes all files and returns their names. */
export async function makeDist(options: DistOptions): Promise<readonly string[]> {
  const { version, out, runtimes } = options;
  await Deno.remove(out, { recursive: true }).catch(() => {});
  await Deno.mkdir(out, { recursive: true });
  const script = await asScript({ name: NAME, ...options });
  await makeArchive(script, options, `${NAME}-${version}.tar.gz`);
  for (const [architecture, runtime] of Object.entries(runtimes)) {
    await makeExecutable(runtime, options, `${out}/${NAME}-${version}-linux-${architecture}`);
    await makeDeb({
      ...options,
      architecture: architecture as Architecture,
      runtime,
      out: `${out}/${NAME}_${version}_${architecture}.deb`,
    });
  }
  await writeSums(out);
  if (options.key !== undefined) await signSums(out, options.key);
  return Array.from(Deno.readDirSync(out), ({ name }) => name).sort();
}

/** The script with manual pages, completions and examples: what a port of OpenBSD installs. */
async function makeArchive(script: string, options: DistOptions, name: string): Promise<void> {
  const { version, date, out } = options;
  const directory = await Deno.makeTempDir({ prefix: "aggvpn-dist-" });
  try {
    const top = `${NAME}-${version}`;
    const tree = new Tree(directory);
    await tree.write(`${top}/${NAME}`, script, 0o755);
    for (const page of await writeManualPages(`${directory}/${top}/man`, date)) {
      await tree.write(
        `${top}/man/${page}`,
        await Deno.readFile(`${directory}/${top}/man/${page}`),
      );
    }
    await tree.makeDirectory(`${top}/man`);
    await tree.copy(`${ROOT}examples`, `${top}/examples`);
    for (const file of ["LICENSE", "CHANGELOG.md", "docs/openbsd.md", "docs/linux.md"]) {
      await tree.write(`${top}/${file}`, await Deno.readFile(`${ROOT}${file}`));
    }
    await tree.setTime(date);
    const seconds = Math.floor(date.getTime() / 1000);
    const owner = ["--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
    const tar = `${directory}/${top}.tar`;
    const args = ["--sort=name", `--mtime=@${seconds}`, ...owner, "-cf", tar, "-C", directory, top];
    await runTool("tar", args);
    await Deno.writeFile(`${out}/${name}`, await gzip(await Deno.readFile(tar)));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function makeExecutable(
  path: string,
  { version, program }: Program,
  out: string,
): Promise<void> {
  const runtime = await Deno.readFile(path);
  const bytes = await packSelfExtracting({
    name: NAME,
    version,
    program: new TextEncoder().encode(program),
    runtime,
    packedRuntime: await gzip(runtime),
    flags: RUN_FLAGS,
  });
  await Deno.writeFile(out, bytes);
  await Deno.chmod(out, 0o755);
}

async function main(): Promise<void> {
  const runtimes: Partial<Record<Architecture, string>> = {};
  for (const architecture of Object.keys(RUNTIMES) as Architecture[]) {
    try {
      runtimes[architecture] = await runtimeFor(architecture);
    } catch (error) {
      say(`nothing for ${architecture}: ${(error as Error).message}`);
    }
  }
  const names = await makeDist({
    ...await buildProgram(),
    date: await sourceDate(),
    out: `${ROOT}build/dist`,
    runtimes,
    key: Deno.env.get("SIGNIFY_KEY"),
  });
  for (const name of names) say(`build/dist/${name}`);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    Deno.stderr.writeSync(new TextEncoder().encode(`dist: ${(error as Error).message}\n`));
    Deno.exit(1);
  }
}
