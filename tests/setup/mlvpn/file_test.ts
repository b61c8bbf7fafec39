import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isMlvpnFile } from "../../../src/setup/mlvpn/detect.ts";
import { readMlvpn } from "../../../src/setup/mlvpn/file.ts";

/** Section, key and value of each option. */
function read(text: string, asMeant = false): string[][] {
  return readMlvpn(text, asMeant).options.map(({ section, key, value }) => [section, key, value]);
}

/** Each was compared with what the parser of mlvpn b934d49 makes of it. */
for (
  const [what, text, expected] of [
    ["keeps spaces in quotes only", 'a = "x y"  z\n', ["a", "x yz"]],
    ["deletes unquoted spaces", "dsl = udp port 5060\n", ["dsl", "udpport5060"]],
    ["drops spaces around a quoted value", 'a = "  x  "\n', ["a", "x"]],
    ["drops spaces in a key", "a b = 1\n", ["ab", "1"]],
    ["keeps tabs", "\ta =\t1\n", ["\ta", "\t1"]],
    ["ends at a comment", "a = 1 # one\n", ["a", "1"]],
    ["has # in quotes", 'a = "#1"\n', ["a", "#1"]],
    ["has = in quotes", 'a = "b=c"\n', ["a", "b=c"]],
    ["drops carriage returns", "a = 1\r\n", ["a", "1"]],
    ["joins quoted pieces", 'a = "b"c"d"\n', ["a", "bcd"]],
    ["takes an open quote to the end", 'a = "b c\n', ["a", "b c"]],
  ] as const
) {
  Deno.test(`readMlvpn ${what}, as mlvpn does`, () => {
    assertEquals(read(`[s]\n${text}`), [["s", ...expected]]);
  });
}

for (
  const [what, text, why] of [
    ["two =", "a = b = c\n", 'it has two "=" outside quotes'],
    ["no key", "= b\n", 'it begins with "="'],
    ["no =", "reorder_buffer_size 64\n", 'it has no "="'],
    ["letters besides ASCII", 'a = "ä"\n', "it has letters besides ASCII"],
    ["no newline", "a = b", "it has no newline at its end"],
  ] as const
) {
  Deno.test(`readMlvpn ignores a line with ${what}, and says so`, () => {
    const { options, ignored } = readMlvpn(`[s]\n${text}`);
    assertEquals([options, ignored], [[], [{ line: 2, text: text.trim(), why }]]);
  });
}

Deno.test("readMlvpn takes an empty value for none", () => {
  assertEquals(readMlvpn('[s]\na = ""\nb =\n\n  \n'), { options: [], ignored: [] });
});

Deno.test("readMlvpn begins a section at brackets anywhere in a line", () => {
  const { options, ignored } = readMlvpn('[a]\nx = "tcp[13] = 2"\ny = 1\n[b] z = 2\n]\nv = [[\n');
  assertEquals(options.map(({ section, key }) => [section, key]), [["13", "y"], ["b", "v"]]);
  assertEquals(ignored.map(({ line }) => line), [2, 4, 5]);
});

Deno.test("readMlvpn ignores what stands before the first section, unless it is to mean well", () => {
  const text = 'mode = "client"\n\ttimeout = 5\n[a]\nlast = 1';
  assertEquals(read(text), []);
  assertEquals(read(text, true), [
    ["general", "mode", "client"],
    ["general", "timeout", "5"],
    ["a", "last", "1"],
  ]);
});

Deno.test("readMlvpn accounts for every line of any text", () => {
  const piece = fc.constantFrom("a", "=", '"', "#", "[", "]", " ", "\t", "\n", "é", "\0", "[s]\n");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, asMeant) => {
      const text = pieces.join("");
      const { options, ignored } = readMlvpn(text, asMeant);
      const count = text.split("\n").length;
      const lines = [...options, ...ignored].map(({ line }) => line);
      assertEquals(lines.every((line) => line >= 1 && line <= count), true);
      assertEquals(new Set(lines).size, lines.length);
    }),
  );
});

Deno.test("isMlvpnFile tells mlvpn's files from aggvpn's with mlvpn's keys in them", () => {
  assertEquals(isMlvpnFile("[general]\ntuntap = tun\n[dsl]\nremotehost = a\n"), true);
  assertEquals(isMlvpnFile('statuscommand = "/x"\ncleartext_data = 0\n'), true);
  assertEquals(isMlvpnFile('[link.dsl]\nbindhost = "192.0.2.1"\nremotehost = "a"\n'), false);
  assertEquals(isMlvpnFile("mode = client\n[Interface]\n"), false);
});
