/**
 * A `deno` in whose programs every stub for a C function is a trap: see `stubs.ts`.
 *
 * @module
 */

const STUBS = new URL("./stubs.ts", import.meta.url).pathname;

/** Writes it to `directory`; returns its path. It runs the Deno that runs this. */
export async function trappedDeno(directory: string): Promise<string> {
  const path = `${directory}/deno`;
  const text = `#!/bin/sh
# Only what runs a program: the version is asked without one.
case $1 in
run | eval) command=$1 ;;
*) exec '${Deno.execPath()}' "$@" ;;
esac
shift
TRAPPED_DENO='${path}' exec '${Deno.execPath()}' "$command" --preload '${STUBS}' "$@"
`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
  return path;
}
