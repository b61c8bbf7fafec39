/** Each promise of docs/security.md has a test, and that test exists. */

import { assert, assertEquals } from "@std/assert";

const DOCUMENT = new URL("../../docs/security.md", import.meta.url);

/** Promise, links to files and the name of a test, of each row of the tables of promises. */
function promises(text: string): { promise: string; files: string[]; test: string | undefined }[] {
  return text.split("\n").filter((line) => line.startsWith("|") && line.includes("](../tests/"))
    .map((line) => {
      const [, promise = "", proof = ""] = line.split("|");
      const files = [...proof.matchAll(/\]\((\.\.\/tests\/[^)]+)\)/g)].map(([, file]) => file!);
      return { promise: promise.trim(), files, test: /`(.+)`/.exec(proof)?.[1] };
    });
}

Deno.test("every promise of docs/security.md names a test that exists", async () => {
  const text = await Deno.readTextFile(DOCUMENT);
  const all = promises(text);
  const rows = text.slice(text.indexOf("## Promises"), text.indexOf("## What is not"))
    .split("\n").filter((line) => /^\| [^-|]/.test(line) && !line.startsWith("| promise"));
  assertEquals(all.length, rows.length, "no row without a test");
  assert(all.length > 20, `${all.length}`);
  for (const { promise, files, test } of all) {
    for (const file of files) {
      const source = await Deno.readTextFile(new URL(file, DOCUMENT));
      if (test !== undefined) assert(source.includes(`"${test}`), `${promise}: no test "${test}"`);
    }
  }
});
