import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { formatKey } from "../../src/config/secret.ts";
import { run } from "../../src/cli/main.ts";
import { captureOutput } from "./capture.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

/** Paths of all files, from the folder. */
function filesIn(folder = ""): string[] {
  return [...Deno.readDirSync(new URL(folder, EXAMPLES))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${folder}${name}/`) : [folder + name]
  );
}

const files = filesIn();
const configurations = files.filter((file) => file.endsWith(".toml"));

Deno.test("examples/README.md names every example", () => {
  assertGreater(configurations.length, 7);
  const readme = Deno.readTextFileSync(new URL("README.md", EXAMPLES));
  for (const file of files) {
    if (file !== "README.md") assertStringIncludes(readme, `(${file})`);
  }
});

for (const file of configurations) {
  Deno.test(`check finds nothing to say about examples/${file}`, async () => {
    const text = Deno.readTextFileSync(new URL(file, EXAMPLES));
    const directory = Deno.makeTempDirSync();
    try {
      const copy = `${directory}/copy.toml`;
      Deno.writeTextFileSync(copy, text);
      // The examples have only their names: the user makes the keys.
      for (const [i, [, name]] of [...text.matchAll(/^password_file = "(.*?)"/gm)].entries()) {
        const key = formatKey(new Uint8Array(32).fill(i));
        Deno.writeTextFileSync(`${directory}/${name}`, `${key}\n`, { mode: 0o600 });
      }
      const output = captureOutput();
      const code = await run(["check", "--no-host", copy], output);
      assertEquals([code, output.out, output.err], [0, "configuration OK\n", ""]);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}
