/**
 * Keeps documents consistent with the tree: links resolve, the `make` targets they name exist, the
 * layer table is the one that lint enforces, every module and export of src/ says what it is.
 *
 * @module
 */

import { MAY_IMPORT } from "./lint_plugin.ts";

/** Text of every tracked file by its path from the root, with `/`. */
export type Tree = ReadonlyMap<string, string>;

/** Everything wrong, as `file:line: message`. */
export function checkDocs(tree: Tree): string[] {
  const targets = makeTargets(tree.get("Makefile") ?? "");
  const problems: string[] = [];
  for (const [path, text] of tree) {
    if (path.endsWith(".md")) {
      problems.push(...checkLinks(path, text, tree), ...checkTargets(path, text, targets));
    }
    if (/^(?:src\/.*|main)\.ts$/.test(path)) problems.push(...checkModule(path, text));
    problems.push(...checkOutsideReferences(path, text));
  }
  problems.push(...checkLayerTable(tree.get("docs/architecture.md") ?? ""));
  return problems;
}

/** Relative links of a document that lead nowhere, to a file or to a heading. */
function checkLinks(path: string, text: string, tree: Tree): string[] {
  const problems: string[] = [];
  for (const [number, line] of lines(withoutCode(text))) {
    for (const [, link = ""] of line.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const url = new URL(link, `file:///${path}`);
      const to = link.startsWith("#") ? path : decodeURI(url.pathname).slice(1).replace(/\/$/, "");
      const target = tree.get(to);
      if (target === undefined && ![...tree.keys()].some((file) => file.startsWith(to + "/"))) {
        problems.push(`${path}:${number}: link to "${link}": no such file`);
      } else if (url.hash && target !== undefined && !anchors(target).has(url.hash.slice(1))) {
        problems.push(`${path}:${number}: link to "${link}": no such heading`);
      }
    }
  }
  return problems;
}

/** Anchors of the headings, as GitHub makes them. */
function anchors(markdown: string): Set<string> {
  const headings = withoutCode(markdown).matchAll(/^#+ +(.*)$/gm);
  return new Set(
    [...headings].map(([, title = ""]) =>
      title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    ),
  );
}

/** Blanks fenced blocks, keeping the line numbers. */
function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ""));
}

function makeTargets(makefile: string): Set<string> {
  return new Set([...makefile.matchAll(/^([a-z-]+):/gm)].map(([, name = ""]) => name));
}

/** `make TARGET` in code of a document, where the Makefile has no such target. */
function checkTargets(path: string, text: string, targets: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  for (const [number, line] of lines(text)) {
    for (const [, names = ""] of line.matchAll(/(?:^|`|sudo )make((?: [a-z-]+)+)/g)) {
      for (const name of names.trim().split(" ")) {
        if (!targets.has(name)) problems.push(`${path}:${number}: no target "${name}" in Makefile`);
      }
    }
  }
  return problems;
}

const EXPORT =
  /^export (?:abstract |async )*(class|function|interface|type(?! \{)|const(?! [A-Z][A-Z0-9_]*\b)|enum)\b/;

/**
 * A module without a header, or an export without a comment. Constants in capitals may lack it:
 * those of an ABI are named by its headers.
 */
function checkModule(path: string, text: string): string[] {
  const problems: string[] = [];
  if (!text.startsWith("/**")) problems.push(`${path}:1: says not what this module is`);
  let previous = "";
  for (const [number, line] of lines(text)) {
    const kind = EXPORT.exec(line)?.[1];
    const isOverload = previous.startsWith("export function") && previous.endsWith(";");
    if (kind && !previous.endsWith("*/") && !isOverload) {
      problems.push(`${path}:${number}: this ${kind} has no comment`);
    }
    if (!/^\s*\/\/ deno-(?:lint|fmt)-ignore/.test(line)) previous = line.trimEnd();
  }
  return problems;
}

/** Working notes outside the repository are not part of it. */
function checkOutsideReferences(path: string, text: string): string[] {
  const outside = ["..", "shared"].join("/");
  return lines(text).filter(([, line]) => line.includes(outside))
    .map(([number]) => `${path}:${number}: refers to ${outside}, which no clone has`);
}

/** The layer table of the document against the one of lint: ``| `name` | what | `import` ... |``. */
function checkLayerTable(text: string): string[] {
  const rows = new Map<string, string>();
  for (const [, layer = "", imports = ""] of text.matchAll(/^\| *`(\w+)` *\|.*\|([^|]*)\|$/gm)) {
    rows.set(layer, [...imports.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort().join(" "));
  }
  const problems: string[] = [];
  for (const [layer, imports] of Object.entries(MAY_IMPORT)) {
    const wanted = imports.toSorted().join(" ");
    if (rows.get(layer) === wanted) continue;
    problems.push(
      `docs/architecture.md: layer "${layer}" may import "${wanted}", ` +
        `the table says ${rows.has(layer) ? `"${rows.get(layer)}"` : "nothing of it"}`,
    );
  }
  return problems;
}

function lines(text: string): [number, string][] {
  return text.split("\n").map((line, index) => [index + 1, line]);
}

/** The text files of the tree, without what is built, fetched or hidden. */
async function readTree(root: string, prefix = ""): Promise<Map<string, string>> {
  const skipped = new Set(["build", "cov", "node_modules", ".git"]);
  const tree = new Map<string, string>();
  for await (const { name, isDirectory, isFile } of Deno.readDir(root + prefix)) {
    const path = prefix + name;
    if (skipped.has(path) || skipped.has(name) && name !== "build") continue;
    if (isDirectory) { for (const found of await readTree(root, `${path}/`)) tree.set(...found); }
    else if (isFile) tree.set(path, await Deno.readTextFile(root + path));
  }
  return tree;
}

if (import.meta.main) {
  const problems = checkDocs(await readTree(new URL("..", import.meta.url).pathname));
  const report = problems.length === 0 ? "Documents agree with the tree" : problems.join("\n");
  Deno.stderr.writeSync(new TextEncoder().encode(report + "\n"));
  if (problems.length > 0) Deno.exit(1);
}
