import { assertEquals, assertMatch } from "@std/assert";
import { asScript, bundle } from "../../tools/build/bundle.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const text = await bundle(MAIN, "0123abc");

Deno.test("bundle leaves nothing to load at the start, neither files nor Deno's node layer", () => {
  assertEquals([...text.matchAll(/^(?:import|export) .*/gm)].map(([line]) => line), []);
});

Deno.test("bundle names no directory of the machine it was made on", () => {
  assertEquals([...text.matchAll(/^\/\/ \S*\/\S*\.(?:ts|m?js)$/gm)].map(([line]) => line), []);
});

Deno.test("asScript makes a file that is a shell script and a module, and says its version", async () => {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, asScript(text));
    const { code, stdout } = await new Deno.Command("sh", {
      args: [file, "version"],
      env: { PATH: `${directoryOfDeno()}:${Deno.env.get("PATH")}` },
    }).output();
    assertEquals(code, 0);
    assertMatch(new TextDecoder().decode(stdout), /^aggvpn \d+\.\d+\.\d+ \(0123abc\)/);
  } finally {
    await Deno.remove(file);
  }
});

function directoryOfDeno(): string {
  return Deno.execPath().replace(/\/[^/]+$/, "");
}
