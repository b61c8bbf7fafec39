import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { cpuMs } from "../cpu_time.ts";
import { FULL_CLIENT, FULL_SERVER, KEY, parse, SMALL_CLIENT, SMALL_SERVER } from "./samples.ts";

const SAMPLES = [SMALL_CLIENT, SMALL_SERVER, FULL_CLIENT, FULL_SERVER];

/** Holds for every text: a configuration without errors, or errors with places in the text. */
function checkTotal(text: string): void {
  const { config, problems } = parse(text);
  const errors = problems.filter((problem) => problem.severity === "error");
  assertEquals(config === undefined, errors.length > 0);
  const lines = text.split("\n").length;
  for (const problem of problems) {
    assert(problem.line >= 0 && problem.line <= lines, `line ${problem.line} of ${lines}`);
    assertEquals(problem.column === 0, problem.line === 0);
    assert(!problem.message.includes(KEY.slice(8)), "the key is in a message");
    // deno-lint-ignore no-control-regex
    assert(!/[\0-\x1f\x7f]/.test(problem.message + (problem.hint ?? "")), problem.message);
  }
}

Deno.test("parseConfig makes a configuration or errors from any text", () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), checkTotal));
});

Deno.test("parseConfig makes a configuration or errors from any sequence of TOML words", () => {
  const word = fc.constantFrom(
    ..."[ ] [[ ]] = , . { } # \" ' \n".split(" "),
    ...' \t;mode;link;tunnel;client;server;rule;port;a;"client";"server";1;-1;1.5;true;inf'.split(
      ";",
    ),
    ...["[link.a]\n", "[tunnel]\n", "port = 1\n", '"""', "\\", "1979-05-27", "é", "\0", "\r"],
  );
  fc.assert(fc.property(fc.array(word, { maxLength: 40 }), (words) => checkTotal(words.join(""))), {
    numRuns: 500,
  });
});

Deno.test("parseConfig makes a configuration or errors from every truncation", () => {
  for (const sample of SAMPLES) {
    for (let length = 0; length < sample.length; length++) checkTotal(sample.slice(0, length));
  }
});

Deno.test("parseConfig makes a configuration or errors from samples with pieces replaced", () => {
  const edit = fc.record({ at: fc.nat(), length: fc.nat(20), text: fc.string({ maxLength: 8 }) });
  fc.assert(
    fc.property(fc.constantFrom(...SAMPLES), fc.array(edit, { maxLength: 3 }), (sample, edits) => {
      let text = sample;
      for (const { at, length, text: piece } of edits) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + piece + text.slice(start + length);
      }
      checkTotal(text);
    }),
    { numRuns: 500 },
  );
});

Deno.test("parseConfig makes a configuration or errors from samples with lines moved", () => {
  fc.assert(
    fc.property(fc.constantFrom(...SAMPLES), fc.infiniteStream(fc.nat()), (sample, order) => {
      const lines = sample.split("\n").map((line) => ({ line, key: order.next().value! % 50 }));
      checkTotal(lines.sort((a, b) => a.key - b.key).map(({ line }) => line).join("\n"));
    }),
    { numRuns: 200 },
  );
});

for (
  const [what, text] of [
    ["a list nested 50,000 deep", `a = ${"[".repeat(50_000)}`],
    ["a closed list nested 5,000 deep", `a = ${"[".repeat(5_000)}${"]".repeat(5_000)}`],
    ["a key of 20,000 parts", `a${".a".repeat(20_000)} = 1`],
    ["a text of 200,000 letters", `a = "${"x".repeat(200_000)}"`],
    ["10,000 links", Array.from({ length: 10_000 }, (_, i) => `[link.l${i}]`).join("\n")],
    ["10,000 syntax errors", "x = y\n".repeat(10_000)],
  ] as const
) {
  Deno.test(`parseConfig reports ${what} in bounded time`, () => {
    assertLess(cpuMs(() => checkTotal(text)), 10_000);
  });
}
