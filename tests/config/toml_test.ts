import { assertEquals } from "@std/assert";
import { parseDocument } from "../../src/config/toml.ts";
import type { Value } from "../../src/config/tree.ts";

/** The places of all keys and values, such as `a.b 2:1 2:5 integer`. */
function places(value: Value, path = ""): string[] {
  if (value.kind === "array") {
    return value.items.flatMap((item, i) => places(item, `${path}[${i}]`));
  }
  if (value.kind !== "table") return [];
  return [...value.entries].flatMap(([name, { at, value }]) => {
    const dotted = path === "" ? name : `${path}.${name}`;
    const place = `${at.line}:${at.column} ${value.at.line}:${value.at.column}`;
    return [`${dotted} ${place} ${value.kind}`, ...places(value, dotted)];
  });
}

Deno.test("parseDocument knows the place of every key and value", () => {
  const { root, problems, complete } = parseDocument(`a = 1
"b c" = [ "x", 2.5 ]
d.e = { f = true, g.h = 'y' }
t = 2026-11-23

[link.dsl]
port=0xff

[[rule]]
[[rule]]
ports = [1]
`);
  assertEquals([...problems], []);
  assertEquals(complete, true);
  assertEquals(places(root), [
    "a 1:1 1:5 integer",
    "b c 2:1 2:9 array",
    "d 3:1 3:1 table",
    "d.e 3:3 3:7 table",
    "d.e.f 3:9 3:13 boolean",
    "d.e.g 3:19 3:19 table",
    "d.e.g.h 3:21 3:25 string",
    "t 4:1 4:5 date",
    "link 6:2 6:2 table",
    "link.dsl 6:7 6:7 table",
    "link.dsl.port 7:1 7:6 integer",
    "rule 9:3 9:3 array",
    "rule[1].ports 11:1 11:9 array",
  ]);
});

/** Each text, and its syntax errors with their hints. */
const ERRORS: readonly (readonly [string, readonly string[]])[] = [
  ["a = 1\na = 2\n", ["2:1 a is defined twice, first in line 1 (remove one of the two)"]],
  ["[a]\n[b]\n[a]\n", [
    "3:2 [a] is defined twice, first in line 1 (give each its own name, or put all keys into one table)",
  ]],
  ["x = 1\n[a]\nx = 1\n[b]\nx = 1\nx = 2\n", [
    "6:1 x is defined twice, first in line 5 (remove one of the two)",
  ]],
  ["a = fast\n", ['1:5 unexpected character, found "fast" (write a = "fast")']],
  ["port = 5080,\n", [
    '1:12 expected the end of the line, found "," (remove the comma at the end of the line)',
  ]],
  ['a = "x", # one\n', [
    '1:8 expected the end of the line, found "," (remove the comma at the end of the line)',
  ]],
  ["a = fast,\n", [
    '1:5 unexpected character, found "fast" (remove the comma at the end of the line)',
  ]],
  ["a = yes # really\n", ['1:5 unexpected character, found "yes" (write a = true)']],
  ["a = Off\n", ['1:5 unexpected character, found "Off" (write a = false)']],
  ["a = 50 Mbit/s\n", ['1:8 expected the end of the line, found "Mbit/s" (write a = "50 Mbit/s")']],
  ["a =\nb = 1\n", [
    "1:4 expected a value, found the end of the line",
  ]],
  ["a = “x”\n", ['1:5 unexpected character, found "“x”" (use straight quotes: "...")']],
  ['a = "x\nb = 1\n', ["1:7 expected a quote at the end of the text, found the end of the line"]],
  ["port 5080\n", [
    '1:6 expected "=" after the key, found "5080" (a line is KEY = VALUE, [TABLE], or begins with "#")',
  ]],
  ["[link.a\nport = 1\n[link.b]\nport = x\n", [
    '1:8 expected "]" at the end of the table\'s name, found the end of the line',
    '4:8 unexpected character, found "x" (write port = "x")',
  ]],
  ["a = [1,\nb = 2\n", [
    '2:1 unexpected character, found "b"',
    "3:1 expected a value, found the end of the line",
  ]],
  ['a = """x\n', ["2:1 expected a quote at the end of the text, found the end of the line"]],
  ["a = 1 b = 2\n", ['1:7 expected the end of the line, found "b"']],
];

for (const [text, expected] of ERRORS) {
  Deno.test(`parseDocument explains ${JSON.stringify(text)}`, () => {
    const { problems } = parseDocument(text);
    const lines = problems.map(({ line, column, message, hint }) =>
      `${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`
    );
    assertEquals(lines, [...expected]);
  });
}

Deno.test("parseDocument is complete when only duplicates were left out", () => {
  assertEquals(parseDocument("a = 1\na = 2\n").complete, true);
  assertEquals(parseDocument("a = 1\nb = x\n").complete, false);
});

Deno.test("parseDocument stops after twenty syntax errors", () => {
  assertEquals(parseDocument("a = x\n".repeat(100)).problems.length, 20);
});
