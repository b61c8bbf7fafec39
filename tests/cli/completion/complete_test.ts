import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Command } from "../../../src/cli/command.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { complete, type Sources } from "../../../src/cli/completion/complete.ts";

const SOURCES: Sources = {
  tunnel: () => Promise.resolve([{ value: "home", doc: "" }, { value: "van", doc: "" }]),
  link: () => Promise.resolve([{ value: "dsl", doc: "up" }, { value: "lte", doc: "down" }]),
  client: () => Promise.resolve([{ value: "boat", doc: "up" }]),
};

function command(name: string, operands: string, more: Partial<Command> = {}): Command {
  const run = (): Promise<number> => Promise.resolve(0);
  return { name, operands, summary: name, description: name, flags: {}, run, ...more };
}

const SAMPLES: readonly Command[] = [
  command("up", "FILE", {
    flags: { verbose: { doc: "Say more", short: "v" }, log: { doc: "Log", value: "FILE" } },
  }),
  command("down", "FILE|NAME"),
  command("link", "NAME off|on [for TIME]", { completes: { NAME: "link" } }),
  command("client", "add|remove [CLIENT...]"),
  command("help", "[COMMAND|config]"),
];

async function values(...words: string[]): Promise<string[]> {
  const { candidates, files } = await complete(words, SAMPLES, SOURCES);
  return [...candidates.map(({ value }) => value), ...files ? [":files"] : []];
}

Deno.test("complete offers commands, then what their operands stand for", async () => {
  assertEquals(await values(""), ["up", "down", "link", "client", "help"]);
  assertEquals(await values("l"), ["link"]);
  assertEquals(await values("up", ""), [":files"]);
  assertEquals(await values("up", "a.toml", ""), []);
  assertEquals(await values("down", ""), ["home", "van", ":files"]);
  assertEquals(await values("down", "v"), ["van", ":files"]);
  assertEquals(await values("link", ""), ["dsl", "lte"]);
  assertEquals(await values("link", "dsl", "o"), ["off", "on"]);
  assertEquals(await values("link", "dsl", "off", ""), ["for"]);
  assertEquals(await values("link", "dsl", "off", "for", ""), []);
  assertEquals(await values("client", ""), ["add", "remove"]);
  assertEquals(await values("client", "add", "a", "b", ""), ["boat"]);
  assertEquals(await values("help", ""), ["up", "down", "link", "client", "help", "config"]);
  assertEquals(await values("unknown", ""), []);
});

Deno.test("complete offers flags and their values", async () => {
  assertEquals(await values("-"), ["--color=", "--help", "--version"]);
  assertEquals(await values("up", "--"), ["--verbose", "--log=", "--color=", "--help"]);
  assertEquals(await values("up", "--v"), ["--verbose"]);
  const colors = ["--color=auto", "--color=always", "--color=never"];
  assertEquals(await values("up", "--color="), colors);
  assertEquals(await values("--color=n"), ["--color=never"]);
  assertEquals(await values("up", "--color", "a"), ["auto", "always"]);
  assertEquals(await values("up", "--log="), [":files"]);
  assertEquals(await values("up", "--log", ""), [":files"]);
  assertEquals(await values("up", "--log", "x", ""), [":files"]);
  assertEquals(await values("--color", "never", "up", "--verbose", ""), [":files"]);
  assertEquals(await values("up", "--verbose="), []);
});

Deno.test("complete offers nothing that does not go on from what is typed, and each value once", async () => {
  const word = fc.oneof(fc.constantFrom("", "-", "--color=", "link", "help", "up"), fc.string());
  await fc.assert(fc.asyncProperty(fc.array(word), async (words) => {
    const { candidates } = await complete(words, COMMANDS, SOURCES);
    const found = candidates.map(({ value }) => value);
    assertEquals(found.filter((value) => !value.startsWith(words.at(-1) ?? "")), []);
    assertEquals(new Set(found).size, found.length);
  }));
});
