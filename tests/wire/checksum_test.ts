import { assertEquals } from "@std/assert";
import { fold, sumOfBytes } from "../../src/wire/checksum.ts";

Deno.test("fold() of the greatest and the least sums keeps them apart", () => {
  assertEquals([0, 1, 0xffff, 0x1_0000, 0x1_fffe].map(fold), [0, 1, 0xffff, 1, 0xffff]);
  assertEquals([2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1].map(fold), [0xffff, 1, 2 ** 21 % 0xffff - 1]);
});

Deno.test("sumOfBytes() is the sum of RFC 1071 section 3, of odd lengths too", () => {
  const bytes = Uint8Array.fromHex("a50001f203f4f5f6f7a5");
  assertEquals(sumOfBytes(bytes, 1, 8), 0xddf2);
  assertEquals(sumOfBytes(bytes, 1, 7), 0xddf2 - 0xf7);
  assertEquals(sumOfBytes(bytes, 1, 0), 0);
});
