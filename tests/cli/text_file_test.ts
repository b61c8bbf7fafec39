import { assert, assertEquals } from "@std/assert";
import { isFailure, readTextFile } from "../../src/cli/text_file.ts";
import { loadConfig, readConfig } from "../../src/cli/load.ts";
import { AggvpnError } from "../../src/errors.ts";
import { KEY } from "../config/samples.ts";

function withDirectory(use: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("readTextFile tells who else may read and write", () => {
  withDirectory((directory) => {
    const path = `${directory}/file`;
    Deno.writeTextFileSync(path, "x");
    for (
      const [mode, othersMayRead, othersMayWrite] of [
        [0o600, false, false],
        [0o640, true, false],
        [0o604, true, false],
        [0o620, false, true],
        [0o711, false, false],
      ] as const
    ) {
      Deno.chmodSync(path, mode);
      const file = readTextFile(path, 10);
      assert(!isFailure(file));
      assertEquals([file.othersMayRead, file.othersMayWrite], [othersMayRead, othersMayWrite]);
      assertEquals(file.mode, `0${mode.toString(8)}`);
    }
  });
});

Deno.test("readTextFile takes exactly as much as it is told", () => {
  withDirectory((directory) => {
    const path = `${directory}/file`;
    Deno.writeTextFileSync(path, "x".repeat(2048));
    assert(!isFailure(readTextFile(path, 2048)));
    assertEquals(readTextFile(path, 2047), {
      message: "expected at most 1 KiB, found 2 KiB",
      hint: "is this the right file?",
    });
  });
});

Deno.test("readConfig finds the password file beside the configuration", () => {
  withDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/secret`, `${KEY}\n`, { mode: 0o600 });
    const text = 'mode = "server"\npassword_file = "secret"\nlisten = "192.0.2.1:1"\n';
    Deno.writeTextFileSync(`${directory}/a.toml`, text, { mode: 0o600 });
    const { config } = readConfig(`${directory}/a.toml`);
    assertEquals(config?.name, "a");
    assert(config?.mode === "server" && config.clients[0]?.secret.key?.length === 32);
  });
});

Deno.test("loadConfig throws what main prints with status 3, and tells warnings", () => {
  withDirectory((directory) => {
    const path = `${directory}/a.toml`;
    const warnings: string[] = [];
    const text = `mode = "server"\npassword = "${KEY}"\nlisten = "192.0.2.1:1"\n`;
    Deno.writeTextFileSync(path, text, { mode: 0o644 });
    loadConfig(path, (text) => warnings.push(text));
    assertEquals(warnings.length, 2, warnings.join());
    Deno.writeTextFileSync(path, "mode = 1\n");
    let thrown: unknown;
    try {
      loadConfig(path);
    } catch (error) {
      thrown = error;
    }
    assert(thrown instanceof AggvpnError);
    assertEquals([thrown.exitCode, thrown.message], [3, `Cannot use ${path}: 1 error`]);
  });
});
