/**
 * The port for OpenBSD, compared with what it packages: the archive of `make dist`.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../..", import.meta.url).pathname;
const PORT = `${ROOT}packaging/openbsd`;

function read(path: string): string {
  return Deno.readTextFileSync(path);
}

Deno.test("the port has the version of the program", () => {
  const { version } = JSON.parse(read(`${ROOT}deno.json`));
  assertStringIncludes(read(`${PORT}/Makefile`), `\nV =\t\t${version}\n`);
});

Deno.test("the packing list has what the port installs, and nothing else", () => {
  const makefile = read(`${PORT}/Makefile`).replaceAll("\\\n", " ");
  const installed = [...makefile.matchAll(/^\t\$\{INSTALL_(?:SCRIPT|MAN|DATA)\} (.*)$/gm)]
    .flatMap(([, words]) => {
      const paths = words!.trim().split(/\s+/);
      const directory = paths.pop()!.replace("${PREFIX}/", "");
      return paths.map((path) => `${directory}${path.slice(path.lastIndexOf("/") + 1)}`);
    });
  const listed = read(`${PORT}/pkg/PLIST`).split("\n")
    .map((line) => line.replace(/^@man /, ""))
    .filter((line) => line !== "" && !line.startsWith("@") && !line.endsWith("/"));
  assertEquals(listed.toSorted(), installed.toSorted());
});

Deno.test("what the port installs is in the tree, or made of it", () => {
  const sources = [...read(`${PORT}/Makefile`).matchAll(/\$\{WRKSRC\}\/(\S+)/g)]
    .map(([, path]) => path!);
  const made = ["aggvpn", "man/aggvpn.8", "man/aggvpn.toml.5"];
  const missing = sources.filter((path) => !made.includes(path) && !isFile(`${ROOT}${path}`));
  assertEquals(missing, []);
  assert(sources.length > made.length);
});

Deno.test("the port has the script of rc.d that the guide installs", () => {
  assertEquals(read(`${PORT}/pkg/aggvpn.rc`), read(`${ROOT}examples/openbsd/rc.d/aggvpn`));
});

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
