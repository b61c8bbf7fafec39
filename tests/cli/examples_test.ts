import { assertEquals } from "@std/assert";
import { formatKey } from "../../src/config/secret.ts";
import { run } from "../../src/cli/main.ts";
import { captureOutput } from "./capture.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

for (const { name } of Deno.readDirSync(EXAMPLES)) {
  if (!name.endsWith(".toml")) continue;
  Deno.test(`check finds nothing to say about examples/${name}`, async () => {
    const directory = Deno.makeTempDirSync();
    try {
      Deno.copyFileSync(new URL(name, EXAMPLES), `${directory}/${name}`);
      const key = formatKey(new Uint8Array(32));
      Deno.writeTextFileSync(`${directory}/secret`, `${key}\n`, { mode: 0o600 });
      const output = captureOutput();
      const code = await run(["check", "--no-host", `${directory}/${name}`], output);
      assertEquals([code, output.out, output.err], [0, "configuration OK\n", ""]);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}
