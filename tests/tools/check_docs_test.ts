import { assertEquals } from "@std/assert";
import { checkDocs } from "../../tools/check_docs.ts";
import { MAY_IMPORT } from "../../tools/lint_plugin.ts";

const LAYER_TABLE = Object.entries(MAY_IMPORT)
  .map(([name, imports]) => `| \`${name}\`  | what | ${imports.map((to) => `\`${to}\``)} |`)
  .join("\n");

/** Problems of a tree that is right except for the given files. */
function problemsOf(files: Readonly<Record<string, string>>): string[] {
  const right = { "Makefile": "test:\n", "docs/architecture.md": `# Layers\n\n${LAYER_TABLE}\n` };
  return checkDocs(new Map(Object.entries({ ...right, ...files })));
}

Deno.test("checkDocs finds nothing in a tree that is right", () => {
  const text = "[layers](docs/architecture.md#layers), [there](https://example.com), `make test`\n";
  assertEquals(problemsOf({ "README.md": text }), []);
});

Deno.test("checkDocs finds links to files and headings that do not exist", () => {
  const text = "[a](docs/none.md)\n[b](docs/architecture.md#none)\n[c](docs/)\n";
  assertEquals(problemsOf({ "README.md": text }), [
    'README.md:1: link to "docs/none.md": no such file',
    'README.md:2: link to "docs/architecture.md#none": no such heading',
  ]);
});

Deno.test("checkDocs leaves links in code alone", () => {
  assertEquals(problemsOf({ "README.md": "```\n[a](none.md)\n```\n" }), []);
});

Deno.test("checkDocs finds make targets that do not exist, in prose code and in blocks", () => {
  const text = "```sh\nmake test\nsudo make dmeo\n```\nor `make chekc test`\n";
  assertEquals(problemsOf({ "README.md": text }), [
    'README.md:3: no target "dmeo" in Makefile',
    'README.md:5: no target "chekc" in Makefile',
  ]);
});

Deno.test("checkDocs finds modules and exports that do not say what they are", () => {
  const text = "export const a = 1;\n/** B. */\nexport const b = 1;\nexport const AF_INET = 2;\n";
  assertEquals(problemsOf({ "src/a.ts": text }), [
    "src/a.ts:1: says not what this module is",
    "src/a.ts:1: this const has no comment",
  ]);
});

Deno.test("checkDocs asks for one comment for all overloads", () => {
  const text = "/** A. */\n/** F. */\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;\n";
  assertEquals(problemsOf({ "src/a.ts": text }), []);
});

Deno.test("checkDocs finds a layer table that differs from what lint enforces", () => {
  const wrong = LAYER_TABLE.replace("| `links`  | what | `wire` |", "| `links`  | what | `io` |");
  assertEquals(problemsOf({ "docs/architecture.md": wrong }), [
    'docs/architecture.md: layer "links" may import "wire", the table says "io"',
  ]);
});
