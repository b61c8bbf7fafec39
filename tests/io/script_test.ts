/** Needs permission to run /bin/sh. */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { runScript, type ScriptHost } from "../../src/io/script.ts";
import { LINUX } from "../../src/platform/linux/platform.ts";
import { runCommand } from "../../src/platform/run_changes.ts";

const LIMIT_MS = 200;
/** Far more than the limit, and far less than the scripts want. */
const SOON_MS = 10_000;

function shell(line: string, host: ScriptHost): Promise<number> {
  return runScript("/bin/sh", ["-c", line], {}, host);
}

Deno.test("runScript() returns the exit status", async () => {
  const host = { kill: (): void => assert(false, "nothing was to be killed") };
  assertEquals([await shell("exit 0", host), await shell("exit 7", host)], [0, 7]);
  assertEquals(await shell("kill -TERM $$", host), 128 + 15);
  await assertRejects(() => runScript("/no/such/script", [], {}, host), Deno.errors.NotFound);
});

Deno.test({
  name: "runScript() ends what runs too long, whatever it ignores and whoever holds its output",
  ignore: Deno.build.os !== "linux",
  // libc stays open.
  sanitizeResources: false,
  async fn(): Promise<void> {
    const host = { kill: (pid: number): void => LINUX.killProcess(pid), limitMs: LIMIT_MS };
    const lines = [
      "trap '' TERM INT HUP FPE; while :; do :; done",
      "trap '' TERM FPE; sleep 20 & wait",
    ];
    for (const line of lines) {
      const start = performance.now();
      assertEquals(await shell(line, host), 128 + 9);
      assertLess(performance.now() - start, SOON_MS);
    }
  },
});

Deno.test("runScript() takes an end that Deno cannot name for that of signal 9", async () => {
  const spawn = (): Pick<Deno.ChildProcess, "pid" | "status"> => ({
    pid: 1,
    status: Promise.reject(new TypeError("Invalid signal: 9")),
  });
  assertEquals(await shell("true", { kill: (): void => {}, spawn }), 128 + 9);
});

Deno.test("runCommand() tells of a command that Deno cannot start, and does not throw", () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, "#!/no/such/interpreter\n");
    Deno.chmodSync(path, 0o755);
    const { success, message } = runCommand([path]);
    assertEquals(success, false);
    assert(message.length > 0);
  } finally {
    Deno.removeSync(path);
  }
});
