import { assertEquals, assertGreater } from "@std/assert";
import { parseConfig } from "../../src/config/parse.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

function blocks(language: string): string[] {
  const fence = new RegExp("^```" + language + "\\n([^]*?)^```", "gm");
  return [...README.matchAll(fence)].map(([, text = ""]) => text);
}

Deno.test("the configurations of the README are right as they stand", () => {
  const texts = blocks("toml");
  assertEquals(texts.length, 2);
  for (const text of texts) {
    const { problems } = parseConfig(text, {
      file: "/etc/aggvpn/example.toml",
      readSecretFile: () => ({ text: "not a real password, only long enough" }),
    });
    assertEquals(problems, []);
  }
});

Deno.test("the two configurations of the README fit each other", () => {
  const [client = "", server = ""] = blocks("toml");
  const listen = [...server.matchAll(/"192\.0\.2\.1:(\d+)"/g)].map(([, port]) => port);
  const ports = [...client.matchAll(/^port = (\d+)$/gm)].map(([, port]) => port);
  assertGreater(ports.length, 1);
  assertEquals(ports, listen);
});
