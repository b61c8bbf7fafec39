import { assertEquals } from "@std/assert";
import { bundle } from "../../tools/build/bundle.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const text = await bundle(MAIN, { commit: "0123abc" });

Deno.test("bundle leaves nothing to load at the start, neither files nor Deno's node layer", () => {
  assertEquals([...text.matchAll(/^(?:import|export) .*/gm)].map(([line]) => line), []);
});

Deno.test("bundle names no directory of the machine it was made on", () => {
  assertEquals([...text.matchAll(/^\/\/ \S*\/\S*\.(?:ts|m?js)$/gm)].map(([line]) => line), []);
});

Deno.test("bundle begins with the commit and the dashboard's page", async () => {
  const page = { document: "H4sI", script: "sha256-a", style: "sha256-b" };
  const [commit, line] = (await bundle(MAIN, { commit: "0123abc", page })).split("\n");
  assertEquals([commit, line], [
    'globalThis.AGGVPN_COMMIT = "0123abc";',
    `globalThis.AGGVPN_PAGE = ${JSON.stringify(page)};`,
  ]);
});
