/**
 * Makes the Debian package of this host's architecture: `build/aggvpn_VERSION_ARCH.deb`.
 *
 * @module
 */

import { buildProgram } from "./build/program.ts";
import { sourceDate } from "./build/source_date.ts";
import { makeDeb } from "./package/deb.ts";
import { type Architecture, runtimeFor } from "./package/runtimes.ts";

const BUILD = new URL("../build", import.meta.url).pathname;

const ARCHITECTURE: Architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";

try {
  const { program, version } = await buildProgram();
  await Deno.mkdir(BUILD, { recursive: true });
  const name = `aggvpn_${version}_${ARCHITECTURE}.deb`;
  await makeDeb({
    version,
    architecture: ARCHITECTURE,
    program,
    runtime: await runtimeFor(ARCHITECTURE),
    date: await sourceDate(),
    out: `${BUILD}/${name}`,
  });
  const { size } = await Deno.stat(`${BUILD}/${name}`);
  write(Deno.stdout, `build/${name}: ${(size / 1e6).toFixed(1)} MB`);
} catch (error) {
  write(Deno.stderr, `deb: ${(error as Error).message}`);
  Deno.exit(1);
}

function write(stream: typeof Deno.stdout | typeof Deno.stderr, line: string): void {
  stream.writeSync(new TextEncoder().encode(`${line}\n`));
}
