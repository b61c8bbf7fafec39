import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { formatKey, parseKey, parseSecret } from "../../src/config/secret.ts";

const ZEROS = "aggvpn1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

Deno.test("formatKey writes the prefix and base64", () => {
  assertEquals(formatKey(new Uint8Array(32)), ZEROS);
  assertEquals(
    formatKey(new Uint8Array(32).fill(0xff)),
    "aggvpn1://////////////////////////////////////////8=",
  );
});

Deno.test("formatKey refuses anything but 32 bytes", () => {
  assertThrows(() => formatKey(new Uint8Array(31)));
});

Deno.test("parseKey reads back what formatKey writes", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
    assertEquals([...parseKey(formatKey(key))!], [...key]);
  }));
});

Deno.test("parseSecret takes no damaged key for a pass phrase", () => {
  for (let i = 8; i < ZEROS.length; i++) assert("error" in parseSecret(ZEROS.slice(0, i)));
  for (const damaged of [`${ZEROS} `, ZEROS.replace("=", "A"), ZEROS.replace("A=", "B=")]) {
    assert("error" in parseSecret(damaged), damaged);
  }
});

for (
  const [text, outcome] of [
    ["", "error"],
    ["1234567", "error"],
    ["12345678", "warning"],
    ["12345678901", "warning"],
    ["123456789012", "secret"],
    ["pässwörd mit leerzeichen", "secret"],
    ["😀😀😀😀😀😀😀", "error"],
    ["two\nlines of it", "error"],
    ["x".repeat(1025), "error"],
  ] as const
) {
  Deno.test(`parseSecret of ${JSON.stringify(text.slice(0, 30))} is a ${outcome}`, () => {
    const result = parseSecret(text);
    assert(outcome in result);
    if (outcome === "secret") assert(!("warning" in result));
  });
}

Deno.test("parseSecret never repeats the secret in a message", () => {
  fc.assert(fc.property(fc.string({ minLength: 4 }), (text) => {
    const { secret: _, ...messages } = { secret: undefined, ...parseSecret(`~${text}~`) };
    assert(!JSON.stringify(messages).includes(`~${text}~`));
  }));
});
