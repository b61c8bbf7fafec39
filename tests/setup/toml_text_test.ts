import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseDocument } from "../../src/config/toml.ts";
import { commentLines, formatValue, TomlText } from "../../src/setup/toml_text.ts";

Deno.test("formatValue writes what the parser reads", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const entry = parseDocument(`a = ${formatValue(text)}\n`).root.entries.get("a");
      assertEquals(entry?.value.kind === "string" && entry.value.value, text.toWellFormed());
    }),
  );
  assertEquals(formatValue(["a", 'b"']), '["a", "b\\""]');
});

Deno.test("commentLines fit a terminal and hold no control characters", () => {
  const lines = commentLines(`${"word ".repeat(40)}\n\x1b[31m`);
  assertEquals(lines.every((line) => line.startsWith("# ") && line.length <= 80), true);
  assertEquals(lines.length, 3);
  assertEquals(commentLines(""), ["#"]);
});

Deno.test("TomlText keeps one empty line before a table", () => {
  const text = new TomlText().gap().pair("a", 1).pair("b", undefined).gap().header("[t]").raw("");
  assertEquals(`${text}`, "a = 1\n\n[t]\n");
});
