/**
 * Line coverage by layer, from the lcov report named as argument. Fails when a pure
 * layer is below {@linkcode PURE_THRESHOLD}: those have no system to blame for an untested line.
 *
 * @module
 */

import { PURE_LAYERS } from "./lint_plugin.ts";

/** Least fraction of lines covered in each pure layer. */
export const PURE_THRESHOLD = 0.9;

/** Lines of one file or layer. */
export interface Lines {
  found: number;
  hit: number;
}

/** Lines by file, of an lcov report: records of `SF:` with `DA:line,hits`, ended by `end_of_record`. */
export function parseLcov(text: string): Map<string, Lines> {
  const files = new Map<string, Lines>();
  let current: Lines = { found: 0, hit: 0 };
  for (const line of text.split("\n")) {
    if (line.startsWith("SF:")) {
      current = { found: 0, hit: 0 };
      files.set(line.slice(3), current);
    } else if (line.startsWith("DA:")) {
      current.found++;
      if (!line.endsWith(",0")) current.hit++;
    }
  }
  return files;
}

/**
 * Adds the files of `sources` that no test loaded, as lines without hits: a report only knows what
 * was loaded. Files that contain only types have no lines.
 */
export function addUnloaded(
  files: Map<string, Lines>,
  sources: ReadonlyMap<string, string>,
): string[] {
  const unloaded: string[] = [];
  for (const [path, text] of sources) {
    if (files.has(path) || !/^(?:export )?(?:async )?(?:function|class|const|let)\b/m.test(text)) {
      continue;
    }
    const code = text.split("\n").filter((line) => !/^\s*(?:$|\/\/|\/\*|\*|import\b)/.test(line));
    files.set(path, { found: code.length, hit: 0 });
    unloaded.push(path);
  }
  return unloaded;
}

/** Sums of the files of each directory directly under `src/`; files there count as `(leaves)`. */
export function byLayer(files: ReadonlyMap<string, Lines>): Map<string, Lines> {
  const layers = new Map<string, Lines>();
  for (const [path, { found, hit }] of files) {
    const match = /\/src\/(?:(\w+)\/)?[^/].*\.ts$/.exec(path);
    if (!match) continue;
    const name = match[1] ?? "(leaves)";
    const sum = layers.get(name) ?? { found: 0, hit: 0 };
    layers.set(name, { found: sum.found + found, hit: sum.hit + hit });
  }
  return new Map([...layers].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Pure layers below the threshold. */
export function lacking(layers: ReadonlyMap<string, Lines>): string[] {
  return PURE_LAYERS.filter((name) => fraction(layers.get(name)) < PURE_THRESHOLD);
}

function fraction(lines: Lines | undefined): number {
  return lines === undefined || lines.found === 0 ? 1 : lines.hit / lines.found;
}

function percent(lines: Lines): string {
  return (Math.floor(fraction(lines) * 1000) / 10).toFixed(1).padStart(5);
}

async function readSources(directory: string): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for await (const entry of Deno.readDir(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) { for (const found of await readSources(path)) sources.set(...found); }
    else if (path.endsWith(".ts")) sources.set(path, await Deno.readTextFile(path));
  }
  return sources;
}

async function main(report: string): Promise<number> {
  const root = new URL("..", import.meta.url).pathname;
  const files = parseLcov(await Deno.readTextFile(report));
  const unloaded = addUnloaded(files, await readSources(`${root}src`));
  const layers = byLayer(files);
  const out: string[] = [];
  for (const [path, lines] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    if (path.startsWith(`${root}src/`) && fraction(lines) < PURE_THRESHOLD) {
      const note = unloaded.includes(path) ? "  (no test loads it)" : "";
      out.push(`${percent(lines)} %  ${path.slice(root.length)}${note}`);
    }
  }
  out.push("", "lines covered, by layer (* pure)");
  for (const [name, lines] of layers) {
    const mark = PURE_LAYERS.includes(name) ? "*" : " ";
    out.push(`${percent(lines)} %  ${mark} ${name.padEnd(10)} ${lines.hit} of ${lines.found}`);
  }
  const low = lacking(layers);
  if (low.length > 0) out.push(`below ${PURE_THRESHOLD * 100} %: ${low.join(", ")}`);
  Deno.stdout.writeSync(new TextEncoder().encode(out.join("\n") + "\n"));
  return low.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args[0] ?? "cov/lcov.info"));
