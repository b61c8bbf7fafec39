import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { base32Length, formatBase32, parseBase32 } from "../../src/setup/base32.ts";
import { crc32 } from "../../src/setup/crc32.ts";

Deno.test("formatBase32 writes Crockford's digits", () => {
  assertEquals(formatBase32(Uint8Array.of(0xff, 0, 0x0f)), "ZW00Y");
  assertEquals(formatBase32(new Uint8Array()), "");
});

Deno.test("parseBase32 reads what formatBase32 writes, in any case, with look-alikes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, isLower) => {
      const text = formatBase32(bytes);
      assertEquals(text.length, base32Length(bytes.length));
      const typed = text.replaceAll("0", "o").replaceAll("1", "l");
      assertEquals(parseBase32(isLower ? typed.toLowerCase() : typed), { bytes });
    }),
  );
  assertEquals(parseBase32("AU"), { wrong: "U" });
});

Deno.test("crc32 is that of gzip", () => {
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});
