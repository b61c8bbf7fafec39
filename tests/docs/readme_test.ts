import { assertEquals, assertGreater } from "@std/assert";
import { COMMANDS } from "../../src/cli/commands.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { blocksOf, codeOf, readDocument } from "./markdown.ts";

const README = readDocument("README.md");

function blocks(language: string): string[] {
  return blocksOf(README, language).map(({ text }) => text);
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

Deno.test("the commands of the README exist", () => {
  const code = [
    ...blocks("sh"),
    ...codeOf(README),
  ];
  const used = new Set<string>();
  for (const [, name = ""] of code.join("\n").matchAll(/^aggvpn ([a-z-]+)/gm)) used.add(name);
  assertGreater(used.size, 3);
  const known = new Set(COMMANDS.map(({ name }) => name));
  assertEquals([...used].filter((name) => !known.has(name)), []);
});
