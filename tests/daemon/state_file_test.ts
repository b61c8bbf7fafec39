import { assertEquals, assertRejects } from "@std/assert";
import { stateFile } from "../../src/daemon/state_file.ts";

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "aggvpn-state-" });
  try {
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function modeOf(path: string): number {
  return Deno.statSync(path).mode! & 0o777;
}

Deno.test("stateFile() reads what it wrote, and makes a directory that nobody else enters", () =>
  inDirectory(async (directory) => {
    const file = stateFile(`${directory}/lib/aggvpn/home.quota.json`);
    assertEquals(file.read(), {});
    await file.write("one");
    assertEquals(file.read(), { text: "one" });
    await file.write("two");
    assertEquals(file.read(), { text: "two" });
    assertEquals([modeOf(`${directory}/lib/aggvpn`), modeOf(file.path)], [0o700, 0o600]);
    const names = [...Deno.readDirSync(`${directory}/lib/aggvpn`)].map(({ name }) => name);
    assertEquals(names, ["home.quota.json"], "nothing else stays");
  }));

Deno.test("stateFile() replaces what a crash has left, and follows no link", () =>
  inDirectory(async (directory) => {
    const file = stateFile(`${directory}/state`);
    Deno.writeTextFileSync(`${directory}/victim`, "untouched");
    Deno.symlinkSync(`${directory}/victim`, `${file.path}.new`);
    await file.write("one");
    assertEquals(file.read(), { text: "one" });
    Deno.removeSync(file.path);
    Deno.symlinkSync(`${directory}/victim`, file.path);
    assertEquals(file.read(), { problem: "is not a file of aggvpn" });
    await file.write("two");
    assertEquals(file.read(), { text: "two" });
    assertEquals(Deno.readTextFileSync(`${directory}/victim`), "untouched");
  }));

Deno.test("stateFile() believes no directory, no large file and none that others may write", () =>
  inDirectory(async (directory) => {
    const file = stateFile(`${directory}/state`);
    await file.write("x".repeat(64 * 1024 + 1));
    assertEquals(file.read(), { problem: "is not a file of aggvpn" });
    await file.write("x");
    Deno.chmodSync(file.path, 0o620);
    assertEquals(file.read(), { problem: "may be written by other users" });
    assertEquals(stateFile(directory).read(), { problem: "is not a file of aggvpn" });
  }));

Deno.test({
  name: "stateFile() believes no file of another user (root)",
  ignore: Deno.uid() !== 0,
  fn: () =>
    inDirectory(async (directory) => {
      const file = stateFile(`${directory}/state`);
      await file.write("x");
      Deno.chownSync(file.path, 65534, 65534);
      assertEquals(file.read(), { problem: "belongs to another user" });
      await file.write("y");
      assertEquals(file.read(), { text: "y" });
    }),
});

Deno.test("stateFile() rejects where it cannot write, and says why it cannot read", () =>
  inDirectory(async (directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "");
    const file = stateFile(`${directory}/file/state`);
    await assertRejects(() => file.write("x"));
    assertEquals(file.read().text, undefined);
    assertEquals(file.read().problem?.startsWith("cannot be read: "), true);
  }));
