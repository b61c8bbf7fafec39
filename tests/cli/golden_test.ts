/**
 * Golden folders: `golden/NAME/args` (one argument a line, `@/` is the folder) is run
 * in process; stdout, stderr and exit status must be those in the folder.
 *
 * The folder is copied first, since git keeps no modes: files are for their owner
 * only unless `modes` (lines of octal mode and file) says otherwise. To accept what
 * is printed: `UPDATE_GOLDEN=1 deno test -A tests/cli/golden_test.ts`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { run } from "../../src/cli/main.ts";
import { captureOutput } from "./capture.ts";

const GOLDEN = new URL("./golden/", import.meta.url);
const RESULTS = ["stdout", "stderr", "code"] as const;
const COLUMNS = 80;

for (const { name } of [...Deno.readDirSync(GOLDEN)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  Deno.test(`run prints and returns what golden/${name} says`, async () => {
    const folder = new URL(`${name}/`, GOLDEN);
    const actual = await runCopy(folder);
    for (const result of RESULTS) {
      const file = new URL(result, folder);
      if (Deno.env.get("UPDATE_GOLDEN")) Deno.writeTextFileSync(file, actual[result]);
      assertEquals(actual[result], Deno.readTextFileSync(file), `${name}/${result}`);
    }
    if (actual.code === "0\n" && /help/.test(name)) assertFits(actual.stdout);
  });
}

async function runCopy(folder: URL): Promise<Record<(typeof RESULTS)[number], string>> {
  const directory = Deno.makeTempDirSync({ prefix: "aggvpn-golden-" });
  try {
    copy(folder, directory);
    const lines = Deno.readTextFileSync(new URL("args", folder)).split("\n").slice(0, -1);
    const output = captureOutput();
    const code = await run(lines.map((line) => line.replace("@/", `${directory}/`)), output);
    const local = (text: string): string => text.replaceAll(`${directory}/`, "");
    return { stdout: local(output.out), stderr: local(output.err), code: `${code}\n` };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function copy(folder: URL, directory: string): void {
  for (const entry of Deno.readDirSync(folder)) {
    if (!entry.isFile) continue;
    Deno.copyFileSync(new URL(entry.name, folder), `${directory}/${entry.name}`);
    Deno.chmodSync(`${directory}/${entry.name}`, 0o600);
  }
  const modes = [...Deno.readDirSync(folder)].some((entry) => entry.name === "modes")
    ? Deno.readTextFileSync(new URL("modes", folder)).trim().split("\n")
    : [];
  for (const line of modes) {
    const [mode = "", file = ""] = line.split(" ");
    Deno.chmodSync(`${directory}/${file}`, parseInt(mode, 8));
  }
}

function assertFits(text: string): void {
  for (const line of text.split("\n")) assert(line.length <= COLUMNS, line);
}
